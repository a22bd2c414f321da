"""What a measured value means for the next meeting.

No clock and no I/O here: `machine` and `services` measure, these functions judge; `standing` judges what Discord
answers. Sizes are in bytes.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from standup.failures import LOWEST_PROFILE, Measure, Recovery
from standup.health.check import Check, bad, doubtful, good

GIB = 1024**3
OLDEST_PYTHON = (3, 10)
OLDEST_CUDA = (11, 8)
LEAST_CAPABILITY = (7, 5)
#: Turing; below it CTranslate2 has neither fast float16 nor int8.
DISK_STOPS_BYTES = GIB // 2
#: A meeting of ten people for four hours keeps about a gibibyte.
DISK_DOUBTFUL_BYTES = 5 * GIB
PROGRAMS_BYTES = GIB
#: Resident memory of all programs together, without the speech model.
SHORTEST_PASSWORD = 12
X86 = ("x86_64", "amd64", "i686")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics processor as its driver describes it."""

    name: str
    cuda: tuple[int, int]
    """The newest CUDA that the driver can run."""
    capability: tuple[int, int]
    has_cublas: bool
    """cuBLAS 12 can be loaded."""


def python(version: tuple[int, int, int]) -> Check:
    """Judge the interpreter."""
    shown = ".".join(map(str, version))
    if version[:2] < OLDEST_PYTHON:
        return bad("Python", f"{shown} is too old", "run ./setup.sh --python PATH with Python 3.10 or newer")
    return good("Python", shown)


def ffmpeg(version: str | None) -> Check:
    """Judge ffmpeg by its version, None when it is not installed."""
    if version is None:
        return doubtful(
            "ffmpeg", "not installed: no import and no demo", "run ./setup.sh or `apt-get install ffmpeg`"
        )
    return good("ffmpeg", version)


def libopus(is_there: bool) -> Check:
    """Judge libopus; recordings keep Opus as it comes, only the demo encodes."""
    if not is_there:
        return doubtful("libopus", "not installed: no demo", "run ./setup.sh or `apt-get install libopus0`")
    return good("libopus", "loads")


def disk(folder: str, free_bytes: int, is_writable: bool) -> Check:
    """Judge the disk of *folder*."""
    if not is_writable:
        return bad(
            "disk", f"{folder} cannot be written", "run StandupBot as its owner, or set STANDUP_DATA_DIR"
        )
    shown = f"{free_bytes / GIB:.1f} GiB free for {folder}"
    if free_bytes < DISK_STOPS_BYTES:
        return bad("disk", shown, "free some space, or set STANDUP_DATA_DIR to a larger disk")
    if free_bytes < DISK_DOUBTFUL_BYTES:
        return doubtful("disk", shown, "free some space; a long meeting of ten keeps about 1 GiB")
    return good("disk", shown)


def memory(total_bytes: int, available_bytes: int, model_bytes: int) -> Check:
    """Judge the memory for all programs and a model whose weights are *model_bytes* on disk."""
    loading_bytes = 2 * model_bytes  # the weights as stored and as converted are there together
    needed_bytes = PROGRAMS_BYTES + loading_bytes
    shown = f"{available_bytes / GIB:.1f} of {total_bytes / GIB:.1f} GiB free"
    if total_bytes < needed_bytes:
        return bad(
            "RAM",
            f"{shown}, {needed_bytes / GIB:.1f} GiB are needed",
            "choose a smaller STANDUP_WHISPER_MODEL, or run the workers on another machine",
        )
    if available_bytes < loading_bytes:
        return doubtful(
            "RAM",
            f"{shown}, loading the speech model takes {loading_bytes / GIB:.1f} GiB",
            "end other programs, or choose a smaller STANDUP_WHISPER_MODEL",
        )
    return good("RAM", shown)


def device(wanted: str, gpu: Gpu | None, processor: str, features: Collection[str]) -> Check:
    """Judge where the speech model would run; *wanted* is STANDUP_WHISPER_DEVICE.

    *processor* is the machine's architecture, *features* the CPU's flags.
    """
    if gpu is not None and wanted != "cpu":
        return _graphics(wanted, gpu)
    if wanted == "cuda":
        return bad(
            "device",
            "no GPU, but STANDUP_WHISPER_DEVICE is cuda",
            "install NVIDIA's driver, or set it to cpu",
        )
    if processor.lower() in X86 and "sse4_2" not in features:
        return bad("device", "the CPU has no SSE4.2", "run worker-gpu on a newer machine")
    return good("device", f"CPU, {'SSE4.2' if processor.lower() in X86 else processor}")


def _graphics(wanted: str, gpu: Gpu) -> Check:
    shown = f"{gpu.name}, CUDA {_dotted(gpu.cuda)}, compute capability {_dotted(gpu.capability)}"
    if gpu.cuda < OLDEST_CUDA:
        return bad(
            "device", shown, "install a driver for CUDA 11.8 or newer, or set STANDUP_WHISPER_DEVICE=cpu"
        )
    if gpu.capability < LEAST_CAPABILITY:
        return bad("device", shown, "set STANDUP_WHISPER_DEVICE=cpu; a GPU needs compute capability 7.5")
    if not gpu.has_cublas:
        step = "run `.venv/bin/pip install nvidia-cublas-cu12`"
        told = f"{shown}, but cuBLAS 12 does not load"
        return bad("device", told, step) if wanted == "cuda" else doubtful("device", told, step)
    return good("device", shown)


def _dotted(pair: tuple[int, int]) -> str:
    return ".".join(map(str, pair))


def dave(version: str | None, protocol: int) -> Check:
    """Judge the library of Discord's end-to-end encryption."""
    if version is None or protocol < 1:
        return bad("DAVE", "davey does not load, and Discord lets no bot in without it", "run ./setup.sh")
    return good("DAVE", f"davey {version}, protocol {protocol}")


def broker(answers: bool, *, is_ours: bool, is_supervised: bool) -> Check:
    """Judge the broker; *is_ours*: supervisord starts it on this machine, *is_supervised*: supervisord runs."""
    if answers:
        return good("Redis", "answers")
    if is_ours and not is_supervised:
        return doubtful(
            "Redis", "starts under supervisord", "run `.venv/bin/supervisord -c supervisord.conf`"
        )
    step = "`.venv/bin/supervisorctl -c supervisord.conf tail redis`" if is_ours else "STANDUP_BROKER_URL"
    return bad("Redis", "does not answer", f"start it and check {step}")


def schema(current: str | None, head: str, known: Collection[str]) -> Check:
    """Judge the archive's schema: its revision, this release's newest, and all that this release knows."""
    if current == head:
        return good("database", f"schema {head}")
    if current is None or current in known:
        return doubtful(
            "database",
            f"schema {current or 'not made yet'}, this release has {head}",
            "run `standup migrate`",
        )
    return doubtful(
        "database",
        f"schema {current} is newer than this release's {head}",
        "deploy the release that made it; until then new columns stay empty",
    )


def model(label: str, wanted: str, bundled: str) -> Check:
    """Judge the speech model that lies on disk; *wanted* is STANDUP_WHISPER_MODEL."""
    if wanted == "auto" and label == bundled:
        return doubtful(
            "model",
            f"only {bundled} is on disk, which knows English alone and errs more",
            "let worker-gpu reach the model hub once, or set STANDUP_WHISPER_MODEL to a folder",
        )
    return good("model", label)


def profiles(measures: Collection[Measure], lowest: int = LOWEST_PROFILE) -> Check:
    """Judge what programs do differently since they failed: a smaller memory profile, the debug mode.

    *lowest* is the last profile that the model has on this machine; a level beyond it is that one.
    """
    smaller = [one for one in measures if one.recovery is Recovery.SMALLER_PROFILE]
    debugged = [one for one in measures if one.recovery is Recovery.DEBUG]
    told = [f"{one.program} with memory profile {min(one.level, lowest)} of {lowest}" for one in smaller]
    told += [f"{one.program} in debug mode" for one in debugged]
    if not told:
        return good("profile", "every program runs in full")
    step = (
        "read logs/errors.log" if debugged else "free some memory, or choose a smaller STANDUP_WHISPER_MODEL"
    )
    return doubtful("profile", ", ".join(told), f"{step}; a quiet time ends it by itself")


def flower(password: str) -> Check:
    """Judge whether the monitoring page is protected."""
    if not password:
        return doubtful(
            "Flower",
            "has no password and does not start",
            "put STANDUP_FLOWER_PASSWORD into .env; `standup init --force` makes one",
        )
    if len(password) < SHORTEST_PASSWORD:
        return doubtful(
            "Flower",
            f"its password has fewer than {SHORTEST_PASSWORD} characters",
            "put a longer STANDUP_FLOWER_PASSWORD into .env and restart flower",
        )
    return good("Flower", "protected by a password, on 127.0.0.1 alone")


def language_model(wanted: str, listed: Collection[str], problem: str = "") -> Check:
    """Judge the language model by what its endpoint lists; *wanted* is STANDUP_LLM_MODEL.

    *problem*: why nothing is listed, a clause. Never worse than doubtful, because the rules take over.
    """
    name, until = "language model", "until then rules write the notes"
    if problem:
        return doubtful(name, problem, f"start it and check STANDUP_LLM_URL and its key; {until}")
    if not wanted and len(listed) != 1:
        step = f"set STANDUP_LLM_MODEL to one of them; {until}"
        return doubtful(name, f"not chosen, the endpoint has {len(listed)}", step)
    if wanted and wanted not in listed and f"{wanted}:latest" not in listed:
        return doubtful(
            name, f"{wanted} is not listed by its endpoint", f"correct STANDUP_LLM_MODEL or load it; {until}"
        )
    return good(name, f"{wanted or next(iter(listed))}, answers")
