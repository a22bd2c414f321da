"""The sentinel: every failure answered once, told once per breach, whatever else is down."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from standup.archive import Archive, Failure
from standup.errors import ArchiveUnreachable
from standup.failures import QUIET_MS, Recovery
from standup.supervision import exits
from standup.supervision.alerts import Alert
from standup.supervision.exits import Exit
from standup.supervision.sentinel import STALE_MS, Sentinel, serve
from tests.empty_archives import migrated

NOW = 1_800_000_000_000
SPACING_MS = 1_000
PROFILE, DEBUG = Recovery.SMALLER_PROFILE, Recovery.DEBUG


class Rig:
    """A sentinel on an archive and a folder of its own."""

    def __init__(self, folder: Path, archive: Archive) -> None:
        self.archive = archive
        self.record = folder / exits.FILE_NAME
        self.told: list[Alert] = []
        self.sentinel = self.begin()
        self.deaths = 0

    def begin(self) -> Sentinel:
        """Return a sentinel that knows nothing of what an earlier one did."""
        return Sentinel(self.archive, self.record, self.told.append)

    def die(self, program: str, code: int, at_ms: int | None = None) -> None:
        """Leave the exit record of a program."""
        self.deaths += 1
        at_ms = NOW + self.deaths * SPACING_MS if at_ms is None else at_ms
        exits.append(self.record, Exit(str(self.deaths), program, code, at_ms, 300, 10, 11))

    def look(self) -> None:
        self.sentinel.look(NOW + 60_000)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    made = migrated(Archive(f"sqlite:///{tmp_path / 'a.sqlite3'}", str(tmp_path)))
    yield made
    made.close()


@pytest.fixture
def rig(tmp_path: Path, archive: Archive) -> Rig:
    return Rig(tmp_path, archive)


def errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]


@pytest.mark.parametrize(
    ("program", "code", "deaths", "alerts"),
    [
        pytest.param("worker-gpu", 139, 2, 0, id="SIGSEGV twice"),
        pytest.param("worker-gpu", 139, 3, 1, id="SIGSEGV three times"),
        pytest.param("worker-gpu", 139, 9, 1, id="a crash loop"),
        pytest.param("worker-gpu", 137, 1, 0, id="SIGKILL once"),
        pytest.param("worker-gpu", 137, 2, 1, id="SIGKILL twice"),
        pytest.param("recorder", 255, 1, 1, id="exception"),
        pytest.param("recorder", 255, 4, 1, id="an exception at every start"),
        pytest.param("recorder", 134, 3, 1, id="SIGABRT three times"),
        pytest.param("recorder", 143, 5, 0, id="asked to stop"),
        pytest.param("recorder", 0, 5, 0, id="done"),
    ],
)
def test_a_breach_is_told_once(rig: Rig, program: str, code: int, deaths: int, alerts: int) -> None:
    """The alert comes with the failure that breaches the threshold, and not again while it lasts."""
    for _ in range(deaths):
        rig.die(program, code)
        rig.look()
    assert len(rig.told) == alerts
    assert all(f"{program} died with code {code}" in one.sentence for one in rig.told)


def test_every_failure_is_in_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """Each failure has its line with the count and the cure, also when there is no alert."""
    for _ in range(2):
        rig.die("worker-gpu", 139)
    rig.look()
    first, second = errors(caplog)
    assert "STANDUP_WHISPER_DEVICE=cpu" in first
    assert "2 times in the last hour" in second


def test_measures_are_taken(rig: Rig) -> None:
    """Being killed leads one rung down each time, an exception into the debug mode."""
    for program, code in (("worker-gpu", 137), ("worker-gpu", 137), ("recorder", 255), ("recorder", 137)):
        rig.die(program, code)
    rig.look()
    found = {(one.program, one.recovery): one.level for one in rig.archive.failures.measures()}
    assert found == {("worker-gpu", PROFILE): 2, ("recorder", DEBUG): 1}


def test_a_new_sentinel_goes_on_where_the_old_one_ended(rig: Rig) -> None:
    """After a restart nothing is answered twice, what happened meanwhile is answered, and the count goes on."""
    for _ in range(2):
        rig.die("worker-gpu", 139)
    rig.look()
    rig.die("worker-gpu", 139)
    rig.sentinel = rig.begin()
    rig.look()
    rig.look()
    assert [("3 times" in one.sentence) for one in rig.told] == [True]


def test_history_is_not_answered(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """A record of the day before yesterday says nothing about the next start."""
    rig.die("recorder", 255, NOW - STALE_MS)
    rig.look()
    assert (rig.told, errors(caplog)) == ([], [])


def test_a_pool_childs_death_is_answered(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """What a worker noted in the archive is answered at the next look, without any event."""
    rig.archive.failures.note(Failure(NOW, "worker-gpu", 137, "m", "transcribe", death_id="t/1"))
    rig.look()
    assert rig.archive.failures.level("worker-gpu", PROFILE) == 1
    assert len(errors(caplog)) == 1


def test_a_killed_launcher_counts(rig: Rig) -> None:
    """`kill -9` of the process that supervisord shows is a death of the program with 137."""
    for pid in (70, 71):
        exits.mark(rig.record, "recorder", pid, NOW)
        rig.sentinel.hear(*exited("recorder", pid), NOW + 60_000)
        rig.look()
    assert [one.code for one in exits.read(rig.record)] == [137, 137]
    assert len(rig.told) == 1


def test_an_end_with_its_record_is_no_killed_launcher(rig: Rig) -> None:
    """supervisord's event about an end that the launcher recorded adds nothing."""
    rig.die("recorder", 255)
    rig.sentinel.hear(*exited("recorder", 10), NOW)
    assert [one.code for one in exits.read(rig.record)] == [255]


def test_a_program_given_up_on_is_told(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    """A program that supervisord starts no more reaches log and channel with the next step."""
    rig.sentinel.hear("PROCESS_STATE_FATAL", {"processname": "redis", "from_state": "BACKOFF"}, NOW)
    assert "supervisorctl start redis" in rig.told[0].sentence
    assert errors(caplog) == [rig.told[0].sentence]


def test_a_quiet_day_is_noticed(rig: Rig) -> None:
    """The minute's tick lets a profile climb back."""
    rig.die("worker-gpu", 137, NOW)
    rig.look()
    rig.sentinel.hear("TICK_60", {"when": "0"}, NOW + QUIET_MS - 1)
    assert rig.archive.failures.level("worker-gpu", PROFILE) == 1
    rig.sentinel.hear("TICK_60", {"when": "0"}, NOW + QUIET_MS)
    assert rig.archive.failures.level("worker-gpu", PROFILE) == 0


class AwayAtFirst:
    """The failures of an archive whose database does not answer until told otherwise."""

    def __init__(self, archive: Archive) -> None:
        self.is_away = True
        self._failures = archive.failures

    @property
    def failures(self) -> object:
        if self.is_away:
            raise ArchiveUnreachable
        return self._failures


def test_without_the_archive_alerts_still_come(
    rig: Rig, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    """With the database away failures are counted from their records and told; the measures follow, told no more."""
    away = AwayAtFirst(archive)
    rig.sentinel = Sentinel(away, rig.record, rig.told.append)  # type: ignore[arg-type]
    for _ in range(2):
        rig.die("worker-gpu", 137)
        rig.look()
    rig.look()
    assert [one.name for one in rig.told] == [f"worker-gpu 137 {NOW + 2 * SPACING_MS}"]
    assert sum("died with code 137" in line for line in errors(caplog)) == 2
    assert sum("archive is back" in line for line in errors(caplog)) == 1

    away.is_away = False
    rig.look()
    assert archive.failures.level("worker-gpu", PROFILE) == 2
    assert {one.nonce for one in rig.told} == {rig.told[0].nonce}
    assert sum("died with code 137" in line for line in errors(caplog)) == 2


def exited(program: str, pid: int) -> tuple[str, dict[str, str]]:
    """Return supervisord's event about an unexpected end."""
    payload = {"processname": program, "from_state": "RUNNING", "expected": "0", "pid": str(pid)}
    return "PROCESS_STATE_EXITED", payload


def test_the_listener_protocol(rig: Rig) -> None:
    """Every event is asked for, acknowledged and acted on, one after another, until supervisord hangs up."""
    payload = "processname:recorder groupname:recorder from_state:RUNNING expected:0 pid:10"
    header = f"ver:3.0 server:s serial:1 pool:sentinel poolserial:1 eventname:PROCESS_STATE_EXITED len:{len(payload)}\n"
    rig.die("recorder", 255)
    (their_end, our_end), answers = os.pipe(), rig.record.with_name("answers")
    os.write(our_end, (header + payload).encode())
    os.close(our_end)
    with os.fdopen(their_end) as source, answers.open("w") as sink:
        serve(rig.sentinel, source, sink)
    assert answers.read_text() == "READY\nRESULT 2\nOKREADY\n"


def test_an_event_that_fails_is_acknowledged(
    rig: Rig, archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    """An event that cannot be dealt with is logged; supervisord is not made to send it for ever."""
    rig.sentinel = Sentinel(AwayAtFirst(archive), rig.record, rig.told.append)  # type: ignore[arg-type]
    payload = "when:1800000000"
    header = f"ver:3.0 server:s serial:1 pool:sentinel poolserial:1 eventname:TICK_60 len:{len(payload)}\n"
    (their_end, our_end), answers = os.pipe(), rig.record.with_name("answers")
    os.write(our_end, (header + payload).encode())
    os.close(our_end)
    with os.fdopen(their_end) as source, answers.open("w") as sink:
        serve(rig.sentinel, source, sink)
    assert answers.read_text() == "READY\nRESULT 2\nOKREADY\n"
    assert "could not be dealt with" in caplog.text
