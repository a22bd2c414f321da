"""The program ``sentinel``: a supervisord event listener that answers every failure.

1. A launcher leaves an exit record and ends; supervisord tells of it (``PROCESS_STATE_EXITED``, without the code).
2. The sentinel takes the record into the archive. A worker notes the deaths of its pool children there itself, and
   supervisord knows nothing of them, so the archive is asked once a second.
3. Each failure is answered once: its measure is taken, one line goes to ``errors.log``, and the failure that begins
   a breach of its threshold is told in the alert channel.

With the archive away the line is written and the alert given all the same, counted from the exit records; the
measures follow when it is back.
http://supervisord.org/events.html
"""

from __future__ import annotations

import logging
import select
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TextIO

from supervisor import childutils

from standup import logs
from standup.archive import Archive, Failure
from standup.errors import StandupError
from standup.failures import HOUR_S, Measure, breaches, mode_of, sentence
from standup.settings import Settings, load
from standup.supervision import exits
from standup.supervision.alerts import Alert, Alerts, poster
from standup.supervision.exits import Exit

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
STALE_MS = 24 * HOUR_S * 1_000
#: Older exit records are history: the next start has long been.
ALERTS_STOP_S = 10.0

Tell = Callable[[Alert], None]


class Sentinel:
    """Answers failures. Owner: one thread."""

    def __init__(self, archive: Archive, record: Path, tell: Tell) -> None:
        """Prepare; *record* is where the launchers leave their exit records."""
        self._archive = archive
        self._record = record
        self._tell = tell
        self._seen: set[str] = set()
        self._told: set[str] = set()
        self._state = (0, 0)
        self._is_away = False

    def hear(self, event: str, payload: Mapping[str, str], now_ms: int) -> None:
        """Take one event of supervisord's; *payload* is its body. Raises ArchiveError, OSError."""
        program = payload.get("processname", "")
        if event == "PROCESS_STATE_EXITED" and payload["expected"] == "0":
            # A launcher that left no record was killed: only SIGKILL leaves it no time for one.
            killed = exits.killed(self._record, program, int(payload["pid"]), now_ms)
            if killed is not None:
                exits.append(self._record, killed)
        elif event == "PROCESS_STATE_FATAL":
            self._report(
                f"{program} does not come up, supervisord has given up. Read the end of logs/{program}.out, run "
                f"`standup doctor`, then `supervisorctl start {program}`.",
                f"fatal {program} {now_ms}",
            )
        elif event.startswith("TICK"):
            for before in self._archive.failures.ease(now_ms):
                log.info(
                    "%s was quiet for a day; it climbs from memory profile %d", before.program, before.level
                )

    def look(self, now_ms: int) -> None:
        """Answer everything that happened since the last look. An archive that is away is logged once."""
        fresh = self._fresh_exits(now_ms)
        try:
            for one in fresh:
                self._archive.failures.note(Failure(one.at_ms, one.program, one.code, death_id=one.id))
                self._seen.add(one.id)
            for number, failure in self._archive.failures.unanswered():
                self._answer(number, failure)
            self._is_away = False
        except StandupError as problem:
            if not self._is_away:
                log.error("Measures wait until the archive is back: %s", problem)
            self._is_away = True
            for one in fresh:
                self._tell_without_archive(one)

    def _fresh_exits(self, now_ms: int) -> list[Exit]:
        """Return the failures among the records that the archive does not have yet."""
        if not (self._has_changed() or self._is_away):
            return []
        latest = [one for one in exits.read(self._record) if one.is_failure and now_ms - one.at_ms < STALE_MS]
        return [one for one in latest if one.id not in self._seen]

    def _has_changed(self) -> bool:
        try:
            status = self._record.stat()
        except FileNotFoundError:
            return False
        before, self._state = self._state, (status.st_mtime_ns, status.st_size)
        return before != self._state

    def _answer(self, number: int, failure: Failure) -> None:
        answer = self._archive.failures.answer(number)
        if answer is not None:
            times_ms = self._archive.failures.times_ms(failure.program, failure.code)
            with logs.about(failure.meeting_id):
                self._say(failure, times_ms, answer.measure)

    def _tell_without_archive(self, one: Exit) -> None:
        """Say what the exit records alone know, once."""
        if one.id not in self._told:
            known = exits.read(self._record)
            times_ms = [
                other.at_ms for other in known if (other.program, other.code) == (one.program, one.code)
            ]
            self._say(Failure(one.at_ms, one.program, one.code, death_id=one.id), times_ms, None)
            self._told.add(one.id)

    def _say(self, failure: Failure, times_ms: Sequence[int], measure: Measure | None) -> None:
        hour_ms = failure.at_ms - HOUR_S * 1_000
        count = sum(hour_ms < at_ms <= failure.at_ms for at_ms in times_ms)
        has_died = bool(failure.death_id)
        said = sentence(failure.program, failure.code, count, measure, has_died=has_died)
        if failure.death_id not in self._told:
            log.error("%s", said)
        threshold = mode_of(failure.code).alert
        if threshold is not None and failure.at_ms in breaches(times_ms, threshold):
            self._tell(Alert(said, f"{failure.program} {failure.code} {failure.at_ms}"))

    def _report(self, said: str, name: str) -> None:
        log.error("%s", said)
        self._tell(Alert(said, name))


def serve(sentinel: Sentinel, source: TextIO, sink: TextIO) -> None:
    """Speak supervisord's listener protocol on *source* and *sink* until it hangs up.

    Every event is acknowledged, whatever became of it: supervisord would only send it again.
    """
    while True:
        childutils.listener.ready(sink)
        # One event at most is under way, so nothing can hide in the buffer of *source*.
        while not select.select([source], [], [], LOOK_EVERY_S)[0]:
            sentinel.look(_now_ms())
        line = source.readline()
        if not line:
            return
        headers = childutils.get_headers(line)
        payload = childutils.get_headers(source.read(int(headers["len"])))
        try:
            sentinel.hear(headers["eventname"], payload, _now_ms())
        except (StandupError, OSError) as problem:
            log.error("An event of supervisord could not be dealt with: %s", logs.describe(problem))
        sentinel.look(_now_ms())
        childutils.listener.ok(sink)


def main(settings: Settings) -> int:
    """Run as supervisord's listener until it hangs up or asks us to stop; return the exit status."""
    logs.configure("sentinel", settings.log_dir)
    archive, alerts = Archive.of(settings), Alerts(poster(settings))
    signal.signal(signal.SIGTERM, _stop)
    alerts.start()
    try:
        serve(Sentinel(archive, settings.data_dir / exits.FILE_NAME, alerts.give), sys.stdin, sys.stdout)
    except _Stopped:
        log.info("Sentinel stopped")
    finally:
        alerts.stop(ALERTS_STOP_S)
        archive.close()
    return 0


class _Stopped(BaseException):
    """We were asked to stop."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise _Stopped


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


if __name__ == "__main__":
    sys.exit(main(load()))
