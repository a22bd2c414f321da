"""What running costs: start, memory and processor time of all programs, and how soon a death is answered.

Everything runs as an operator runs it: the checkout's ``supervisord.conf``, a Redis of its own, and a loopback Discord
in place of Discord. Beside it stands a peer: one stock Celery worker with an empty app on the same Redis, for which
nothing here is responsible. Reads ``/proc``, so Linux alone is measured.
"""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from standup.errors import ServiceMissing, StandupError
from standup.settings import load
from standup.simulator.server import LoopbackDiscord
from standup.supervision.daemon import Daemon
from standup.supervision.launch import start as start_program

TARGET_START_S = 20.0
TARGET_IDLE_CORE_PERCENT = 2.0
TARGET_REACTION_S = 2.0
LIMIT_S = 120.0
SETTLE_S = 8.0
#: What a start leaves behind (first heartbeats, first rounds) is no idling yet.
DOCTOR_S = 60.0
LOOK_EVERY_S = 0.02
STOP_S = 20.0
KILLED = ("monitor", "beat", "worker-cpu", "worker-gpu")
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PEER = "bare Celery worker"
PEER_APP = 'from celery import Celery\n\napp = Celery("bare", broker={broker!r})\n'


@dataclass(frozen=True, slots=True)
class Footprint:
    """What one program costs while nothing happens, its launcher and children included."""

    name: str
    processes: int
    resident_mb: float
    """What it occupies alone, shared pages divided among those who share them (PSS)."""
    core_percent: float
    """Processor time in percent of one core."""


@dataclass(frozen=True, slots=True)
class OperationFigures:
    """One start, one idle window and a few deaths."""

    running_s: float
    """From the start of supervisord to every program RUNNING."""
    ready_s: float
    """… to a recorder that takes commands and a `standup doctor` without a ✗, its own run included."""
    idle_s: float
    """Length of the window in which nothing happened."""
    load: float
    """How many processes wanted a core in the last minute, others' included: above the number of cores, start and
    reaction are slower than this machine can."""
    programs: tuple[Footprint, ...]
    """supervisord itself among them."""
    bare: Footprint
    """The peer."""
    bare_start_s: float
    reactions_s: Mapping[str, float]
    """Program -> from `kill -9` of its process to the sentinel's line."""

    @property
    def core_percent(self) -> float:
        """All programs together, in percent of one core."""
        return sum(one.core_percent for one in self.programs)

    @property
    def resident_mb(self) -> float:
        """All programs together."""
        return sum(one.resident_mb for one in self.programs)

    @property
    def times_bare_memory(self) -> float:
        """How many bare workers would fit into the memory of all programs."""
        return self.resident_mb / self.bare.resident_mb

    @property
    def times_bare_cpu(self) -> float | None:
        """How many times the peer's idle CPU all programs take; None when it used none that could be measured."""
        return self.core_percent / self.bare.core_percent if self.bare.core_percent else None

    @property
    def missed(self) -> tuple[str, ...]:
        """The targets that were missed, each as a clause; empty when all were reached."""
        slowest_s = max(self.reactions_s.values(), default=0.0)
        found = (
            (self.ready_s, TARGET_START_S, "the start took {:.1f} s instead of {:g} s"),
            (
                self.core_percent,
                TARGET_IDLE_CORE_PERCENT,
                "idling takes {:.2f} % of a core instead of {:g} %",
            ),
            (slowest_s, TARGET_REACTION_S, "a death was answered after {:.2f} s instead of {:g} s"),
        )
        return tuple(clause.format(value, target) for value, target, clause in found if value > target)


def run(seconds: float = 30.0) -> OperationFigures:
    """Start everything in a scratch folder, measure, stop it again; *seconds* is the length of the idle window.

    Raises ServiceMissing without a checkout, redis-server or ``/proc``, and StandupError when a program does not come
    up.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        raise ServiceMissing("This machine has no /proc/PID/smaps_rollup; run this benchmark on Linux.")
    return asyncio.run(_run(seconds))


async def _run(seconds: float) -> OperationFigures:
    # The path of a Unix socket has room for about a hundred characters.
    with tempfile.TemporaryDirectory(prefix="standup-") as scratch:
        folder = Path(scratch)
        async with LoopbackDiscord(folder) as discord:
            settings = load(
                None,
                discord_token=discord.token,
                discord_api_url=discord.api_url,
                data_dir=folder / "data",
                log_dir=folder / "logs",
                broker_url=f"redis+socket://{folder}/redis.sock?virtual_host=0",
                database_url="",
                storage_url="",
                whisper_model="tiny.en",
                whisper_device="cpu",
                flower_password=secrets.token_urlsafe(),
            )
            daemon = Daemon(folder, settings, {"SSL_CERT_FILE": str(discord.ca_file)})
            return await asyncio.to_thread(_measure, daemon, seconds)


def _measure(daemon: Daemon, seconds: float) -> OperationFigures:
    began_s = time.monotonic()
    try:
        daemon.start()
        running_s = until(daemon.is_running, began_s, "not every program is RUNNING")
        ready_s = until(lambda: _is_ready(daemon), began_s, "the recorder or `standup doctor` is not content")
        with _bare_worker(daemon) as (bare_pid, bare_start_s):
            time.sleep(SETTLE_S)
            *programs, bare = _footprints(daemon, bare_pid, seconds)
        load_1min = os.getloadavg()[0]
        reactions_s = {name: _reaction_s(daemon, name) for name in KILLED}
    finally:
        daemon.stop()
    return OperationFigures(
        running_s, ready_s, seconds, load_1min, tuple(programs), bare, bare_start_s, reactions_s
    )


def _is_ready(daemon: Daemon) -> bool:
    """Return whether the recorder takes commands and the doctor finds nothing that would stop a meeting."""
    if "Recorder ready" not in _text(daemon.settings.log_dir / "recorder.log"):
        return False
    command = [sys.executable, "-m", "standup", "doctor"]
    done = subprocess.run(
        command, cwd=daemon.folder, env=daemon.environment, capture_output=True, timeout=DOCTOR_S, check=False
    )
    return done.returncode == 0


@contextmanager
def _bare_worker(daemon: Daemon) -> Iterator[tuple[int, float]]:
    """Run the peer; give its process and the seconds it took to be ready."""
    folder, printed = daemon.folder / "bare", daemon.folder / "bare" / "out"
    folder.mkdir()
    broker = daemon.settings.broker_url.replace("virtual_host=0", "virtual_host=1")
    (folder / "bare.py").write_text(PEER_APP.format(broker=broker))
    argv = [
        sys.executable,
        "-m",
        "celery",
        "--workdir",
        str(folder),
        "-A",
        "bare",
        "worker",
        "-c",
        "1",
        "-l",
        "INFO",
    ]
    began_s = time.monotonic()
    with printed.open("wb") as output:
        worker = start_program(argv, output=output)
    try:
        yield worker.pid, until(lambda: " ready." in _text(printed), began_s, "the bare worker is not ready")
    finally:
        worker.terminate()
        try:
            worker.wait(STOP_S)
        except subprocess.TimeoutExpired:
            worker.kill()
            worker.wait(STOP_S)


def _footprints(daemon: Daemon, bare_pid: int, seconds: float) -> list[Footprint]:
    """Watch for *seconds*; return supervisord's footprint, each program's, and the peer's."""
    roots = {one.name: one.pid for one in daemon.processes()} | {PEER: bare_pid}
    trees = {"supervisord": [daemon.pid], **{name: _tree(pid) for name, pid in roots.items()}}
    before = {name: sum(map(_cpu_s, pids)) for name, pids in trees.items()}
    began_s = time.monotonic()
    time.sleep(seconds)
    # Read in the same order, so that each window has the same length.
    used = {name: (sum(map(_cpu_s, pids)) - before[name]) for name, pids in trees.items()}
    took_s = time.monotonic() - began_s
    return [
        Footprint(name, len(pids), sum(map(_resident_mb, pids)), 100 * used[name] / took_s)
        for name, pids in trees.items()
    ]


def _reaction_s(daemon: Daemon, program: str) -> float:
    """Kill the process of *program*, not its launcher; return the seconds until the sentinel says so."""
    errors, line = daemon.settings.log_dir / "errors.log", f"{program} died with code 137"
    (victim,) = _children(daemon.process(program).pid)
    os.kill(victim, signal.SIGKILL)
    return until(lambda: line in _text(errors), time.monotonic(), f"the sentinel has not told of {program}")


def until(reached: Callable[[], bool], began_s: float, what: str) -> float:
    """Wait until *reached*; return the seconds since *began_s*. Raises StandupError after ``LIMIT_S``.

    *what* says what is not so while it is not reached.
    """
    while not reached():
        if time.monotonic() - began_s > LIMIT_S:
            raise StandupError(f"After {LIMIT_S:g} s {what}; run `standup doctor`, and the benchmark again.")
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - began_s


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _tree(pid: int) -> list[int]:
    """Return a process and all below it."""
    return [pid, *(one for child in _children(pid) for one in _tree(child))]


def _children(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for thread in threads for child in (thread / "children").read_text().split()]


def _cpu_s(pid: int) -> float:
    """Return the processor time of a process and of its children that have ended (proc(5), stat 14 to 17)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS_PER_S


def _resident_mb(pid: int) -> float:
    found = re.search(r"^Pss:\s+(\d+) kB", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    return int(found[1]) / 1024 if found else 0.0
