"""`standup record`: what it asks, what it refuses, and a real microphone's life from speech to notes.

The real microphone is the monitor of a PulseAudio null sink, in a sound server of its own that the tests may kill.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

from standup.archive import Archive, manifest
from standup.cli import application, main
from standup.cli.record import meter
from standup.draft import FOLDER
from standup.meeting import MeetingState, check_meeting_id
from standup.room import Reading
from standup.settings import Settings, environment, load
from tests.local_processes import LocalRedis, LocalWorker

WAIT_S = 60.0
LOOK_EVERY_S = 0.05
DEFAULT_PA = """load-module module-native-protocol-unix
load-module module-null-sink sink_name=room
set-default-source room.monitor
"""

BEFORE = "Yesterday I finished the login page. Today I will work on the payment form."
AFTER = "I am blocked by the missing database password."


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        pytest.param(["--speaker", "Ana", "--speaker", "Ben"], "one --speaker for each", id="too many names"),
        pytest.param(["--device", "0", "--device", "1"], "one --speaker for each", id="too few names"),
        pytest.param(["--speaker", " "], "one --speaker for each", id="an empty name"),
        pytest.param([], "--consent", id="nobody to ask"),
    ],
)
def test_wrong_usage_is_told(
    argv: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names that do not fit the microphones, and a recording without consent, end with 2 and a sentence."""
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(application(), ["record", *argv], env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert said in result.stderr
    assert not list(tmp_path.glob("data/m*"))


def test_two_microphones_for_one_speaker_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As with an import, a speaker has one track."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["record", "--device", "0", "--speaker", "Ana", "--device", "1", "--speaker", "Ana", "--yes"])
    assert ended.value.code == 65
    assert "Ana" not in capsys.readouterr().err


def test_the_meter_shows_clock_and_loudness() -> None:
    """A louder voice has a longer bar; a lost microphone and a full disk are told."""
    well = meter(Reading(61_000, (0.0, 1.0), False, 0, True), ["Ana", "Ben"]).plain
    assert "1:01" in well
    assert "Ana ▯▯" in well
    assert "Ben ▮▮▮▮▮▮▮▮▮▮▮▮ " in well
    ill = meter(Reading(61_000, (0.0,), True, 0, False), ["Ana"]).plain
    assert "microphone lost" in ill
    assert "disk" in ill


@dataclass
class Room:
    """A sound server of our own, and `standup` beside it."""

    folder: Path
    home: Path
    settings: Settings
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def variables(self) -> dict[str, str]:
        """The environment in which everything runs."""
        outside = {one: text for one, text in os.environ.items() if not one.startswith(("PULSE_", "DBUS_"))}
        config = self.home / ".config"
        private = {"HOME": self.home, "XDG_RUNTIME_DIR": self.home / "run", "XDG_CONFIG_HOME": config}
        return {
            **outside,
            **environment(self.settings),
            **{name: str(path) for name, path in private.items()},
        }

    def configure(self, default_pa: str) -> None:
        """Have the next sound server start with *default_pa*."""
        (self.home / ".config" / "pulse" / "default.pa").write_text(default_pa)

    def pulseaudio(self, option: str) -> int:
        """Run ``pulseaudio OPTION``."""
        return self._run("pulseaudio", option)

    def say(self, text: str) -> None:
        """Speak into the room, and return when it was said."""
        clip = self.folder / "clip.wav"
        assert self._run("flite", "-voice", "slt", "-t", text, "-o", str(clip)) == 0
        assert self._run("paplay", "--device=room", str(clip)) == 0

    def record(self, *options: str) -> subprocess.Popen[bytes]:
        """Start `standup record` on the room's microphone; what it prints goes to ``out`` and ``err``."""
        argv = [sys.executable, "-m", "standup", "record", "--device", "pulse", "--speaker", "Ana", *options]
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            child = subprocess.Popen(
                argv, env=self.variables, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=out, stderr=err
            )
        self.children.append(child)
        return child

    def printed(self, name: str) -> str:
        """Return what the last `record` printed."""
        return (self.folder / name).read_text()

    def meeting_id(self) -> str:
        """Return the id of the meeting that is being recorded, once it is printed."""
        self.wait_until(lambda: "\n" in self.printed("out"), "the id is printed")
        return check_meeting_id(self.printed("out").splitlines()[0])

    def draft(self, meeting: str) -> manifest.Manifest:
        """Return the manifest of a meeting that is being recorded."""
        return manifest.read(self.settings.data_dir / FOLDER, meeting)

    def wait_until(self, reached: Callable[[], bool], what: str) -> None:
        """Look until *reached*; fail with *what* and the last errors after the timeout."""
        deadline = time.monotonic() + WAIT_S
        while not reached():
            if time.monotonic() > deadline:
                pytest.fail(f"not within {WAIT_S:.0f} s: {what}\n{self.printed('err')}")
            time.sleep(LOOK_EVERY_S)

    def _run(self, *argv: str) -> int:
        return subprocess.run(
            argv, env=self.variables, capture_output=True, timeout=30, check=False
        ).returncode


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    """An empty archive, and a running sound server whose only microphone hears what is played to ``room``."""
    if shutil.which("pulseaudio") is None:
        pytest.skip("pulseaudio is not installed; ./setup.sh installs it")
    # A Unix socket's path has a limit of about 100 characters, which a deep folder would exceed.
    with tempfile.TemporaryDirectory(prefix="standup-") as home:
        # Nothing answers at the broker's address unless the test says otherwise.
        settings = load(
            None,
            data_dir=tmp_path / "data",
            log_dir=tmp_path / "logs",
            broker_url=f"redis+socket://{home}/nobody.sock",
            whisper_model="tiny.en",
            whisper_device="cpu",
        )
        made = Room(tmp_path, Path(home), settings)
        (made.home / ".config" / "pulse").mkdir(parents=True)
        (made.home / "run").mkdir(mode=0o700)
        (made.home / ".config" / "pulse" / "daemon.conf").write_text("exit-idle-time = -1\n")
        made.configure(DEFAULT_PA)
        assert made.pulseaudio("--start") == 0
        try:
            yield made
        finally:
            for child in made.children:
                child.kill()
                child.wait(WAIT_S)
            made.pulseaudio("--kill")
            made.wait_until(lambda: made.pulseaudio("--check") != 0, "the sound server ends")


@pytest.fixture
def workers(room: Room) -> Iterator[None]:
    """Redis and two real workers that share the room's archive."""
    archive = Archive.of(room.settings)
    archive.migrate()
    archive.close()
    (room.folder / "redis").mkdir()
    redis = LocalRedis(room.folder / "redis")
    redis.ready()
    room.settings = room.settings.model_copy(update={"broker_url": redis.url})
    variables = dict(environment(room.settings))
    started = [LocalWorker(queues, room.folder, variables) for queues in ("capture,summarize,notify", "gpu")]
    try:
        for one in started:
            one.ready()
        yield
    finally:
        for process in (*started, redis):
            process.teardown()


@pytest.mark.integration
@pytest.mark.usefixtures("workers")
def test_speech_before_and_after_an_outage_stands_in_the_notes(room: Room) -> None:
    """The sound server dies in the middle: it is restarted, the gap is told, and both halves are in the notes."""
    child = room.record("--consent", "--wait")
    meeting = room.meeting_id()
    room.say(BEFORE)
    assert room.pulseaudio("--kill") == 0
    room.wait_until(lambda: len(room.draft(meeting).meeting.gaps) == 1, "the microphone is back")
    room.say(AFTER)
    child.send_signal(signal.SIGINT)
    assert child.wait(WAIT_S) == 0, room.printed("err")
    shown = room.printed("out").lower()
    assert "payment form" in shown
    assert "password" in shown
    assert "not heard" in shown
    archive = Archive.of(room.settings)
    assert archive.meeting(meeting).state is MeetingState.DONE
    assert len(archive.meeting(meeting).gaps) == 1
    archive.close()


@pytest.mark.integration
def test_a_microphone_lost_for_good_keeps_what_was_recorded(room: Room) -> None:
    """Three restarts that do not help end the recording with 1 and a sentence; the meeting waits for its stages."""
    child = room.record("--consent")
    meeting = room.meeting_id()
    room.say(AFTER)
    room.configure("load-module nonsense\n")
    room.pulseaudio("--kill")
    assert child.wait(WAIT_S) == 1
    said = room.printed("err")
    assert f"meeting {meeting} were lost and did not come back in 3 tries" in said
    assert said.count("Restarting the sound server") == 3
    assert "Ana" not in said
    archive = Archive.of(room.settings)
    kept = archive.meeting(meeting)
    archive.close()
    assert kept.state is MeetingState.PROCESSING
    assert kept.duration_ms > 2000
    assert len(kept.gaps) == 1


@pytest.mark.integration
def test_a_killed_recording_is_brought_through_by_the_next(room: Room) -> None:
    """After SIGKILL at most a second is missing, and the next `record` says so and enqueues it."""
    child = room.record("--consent")
    meeting = room.meeting_id()
    room.say(AFTER)
    child.kill()
    killed_at = datetime.now(timezone.utc)
    child.wait(WAIT_S)
    assert room.record().wait(WAIT_S) == 2  # without consent: it records nothing itself
    assert f"Recording {meeting} had been cut off" in room.printed("err")
    archive = Archive.of(room.settings)
    ended_at = archive.meeting(meeting).ended_at
    archive.close()
    assert ended_at is not None
    assert abs((killed_at - ended_at).total_seconds()) < 1.0


@pytest.mark.integration
def test_microphones_are_listed(room: Room) -> None:
    """Scripts get each microphone with its number and name."""
    argv = [sys.executable, "-m", "standup", "record", "--list", "--json"]
    done = subprocess.run(argv, env=room.variables, capture_output=True, timeout=WAIT_S, check=True)
    assert "pulse" in [one["name"] for one in json.loads(done.stdout)]
