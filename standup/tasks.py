"""The Celery tasks: one short idempotent task per stage, its only argument the meeting id.

Each task claims its stage row, does the work of its stage while a thread renews the lease, and stores the
product together with "done". Done already: it returns, and the chain walks on. Worked on elsewhere or parked:
the chain ends here. A failure is written into the row, which alone decides when the stage is tried again.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Callable
from functools import partial

from celery.exceptions import Ignore, SoftTimeLimitExceeded

from standup import logs, removal, work
from standup.archive import Archive, Claim, Superseded
from standup.celery import app
from standup.company import Company, waiting
from standup.dispatcher import publish_rest, sweep
from standup.errors import StandupError, TranscriptionTimeout
from standup.handover import HandedBack
from standup.lease import Lease
from standup.pipeline import EXPIRE, FOLLOW, SKIM, TASK_NAMES, Retry, Stage, decide
from standup.settings import Settings, load
from standup.work import now_ms

log = logging.getLogger(__name__)

Doing = Callable[[Archive, Settings, Claim], None]


class StageFailed(StandupError):
    """A stage failed in a way nobody foresaw; its row holds the class of the error."""


def perform(stage: Stage, meeting_id: str, do: Doing) -> None:
    """Run one stage of one meeting under its lease.

    Raises Ignore where the chain must end without a failure, and a StandupError when the stage failed.
    """
    settings = load()
    archive = Archive.of(settings)
    try:
        with logs.about(meeting_id):
            _perform(stage, meeting_id, do, archive, settings)
    finally:
        archive.close()


def _perform(stage: Stage, meeting_id: str, do: Doing, archive: Archive, settings: Settings) -> None:
    # A pool child's parent is the worker's main process, which is told when the child dies.
    claim = archive.claim(meeting_id, stage, now_ms(), holder(os.getppid()))
    if not isinstance(claim, Claim):
        log.info("Stage %s is not taken: %s", stage.value, claim.why)
        if claim.done:
            return
        raise Ignore
    log.info("Stage %s started, attempt %d", stage.value, claim.tally.attempts)
    started = time.monotonic()
    try:
        with Lease(lambda: archive.renew(claim, now_ms())):
            do(archive, settings, claim)
    except HandedBack:
        log.info("Stage %s is handed back with all that is stored so far", stage.value)
        archive.fail(claim, Retry(0), "", now_ms())
        raise Ignore from None
    except Superseded:
        log.warning("Stage %s was taken over by another worker; its own product is dropped", stage.value)
        raise Ignore from None
    except Exception as error:  # noqa: BLE001 - whatever it is, the row must know
        _record(archive, claim, error)
        # Without its cause: Celery sends a chained traceback, texts included, to whoever listens to events.
        raise _told(error) from None
    log.info("Stage %s done in %d ms", stage.value, (time.monotonic() - started) * 1000)


def _record(archive: Archive, claim: Claim, error: Exception) -> None:
    decision = decide(_own(error), claim.tally, claim.stage)
    log.error("Stage %s failed: %s (%s)", claim.stage.value, logs.describe(error), decision, exc_info=error)
    archive.fail(claim, decision, logs.describe(_own(error)), now_ms())


def holder(pid: int) -> str:
    """Return how a stage row names the worker whose main process is *pid*."""
    return f"{socket.gethostname()}:{pid}"


def _own(error: Exception) -> Exception:
    """Return the error as ours where Celery's stands for one of ours."""
    return TranscriptionTimeout() if isinstance(error, SoftTimeLimitExceeded) else error


def _told(error: Exception) -> StandupError:
    """Return what Celery and Flower may show: our sentence, never a foreign text."""
    own = _own(error)
    return own if isinstance(own, StandupError) else StageFailed(f"The stage failed: {type(own).__name__}.")


# ``throws``: our own errors are logged by `_record`; Celery need not log them again as unexpected.


@app.task(name=TASK_NAMES[Stage.CAPTURE], throws=(StandupError,))
def capture(meeting_id: str) -> None:
    """Turn a meeting's packet journal into one track per speaker and the list of utterances."""
    perform(Stage.CAPTURE, meeting_id, work.capture)


@app.task(name=TASK_NAMES[Stage.TRANSCRIBE], throws=(StandupError,))
def transcribe(meeting_id: str) -> None:
    """Read the words of every utterance of a meeting, and of others that wait beside it."""
    perform(Stage.TRANSCRIBE, meeting_id, _in_company)


def _in_company(archive: Archive, settings: Settings, claim: Claim) -> None:
    """Transcribe a meeting with guests, or alone when anything has gone wrong with it before."""
    row = next(one for one in archive.statuses(claim.meeting_id) if one.stage is claim.stage)
    if row.error:
        work.transcribe(archive, settings, claim)
        return
    with Company(partial(work.guests, settings), partial(_waiting, settings), _read_guest) as present:
        work.transcribe(archive, settings, claim)
        if present.has_guests:
            # They end their round before this task does; the notes need not wait for that.
            publish_rest(archive, claim.meeting_id, now_ms())


def _waiting(settings: Settings) -> list[str]:
    archive = Archive.of(settings)
    try:
        return waiting(archive.open_meetings(), now_ms())
    finally:
        archive.close()


def _read_guest(meeting_id: str, check: Callable[[], None]) -> None:
    """Transcribe a meeting as its own task would, and have what follows done at once."""

    def transcribe(archive: Archive, settings: Settings, claim: Claim) -> None:
        work.transcribe(archive, settings, claim, check)
        publish_rest(archive, meeting_id, now_ms())

    # What else comes of it is in its row.
    with contextlib.suppress(Ignore, StandupError):
        perform(Stage.TRANSCRIBE, meeting_id, transcribe)


@app.task(name=TASK_NAMES[Stage.SUMMARIZE], throws=(StandupError,))
def summarize(meeting_id: str) -> None:
    """Find what each person did, will do and is blocked by."""
    perform(Stage.SUMMARIZE, meeting_id, work.summarize)


@app.task(name=TASK_NAMES[Stage.NOTIFY], throws=(StandupError,))
def notify(meeting_id: str) -> None:
    """Put the notes into the meeting's one message."""
    perform(Stage.NOTIFY, meeting_id, work.notify)


@app.task(name=FOLLOW, throws=(StandupError,), soft_time_limit=300, time_limit=330)
def follow(meeting_id: str) -> None:
    """Read what was said so far in a meeting that is still recorded; what fails here is read after the meeting."""
    _look_ahead(meeting_id, work.follow)


@app.task(name=SKIM, throws=(StandupError,), soft_time_limit=60, time_limit=90)
def skim(meeting_id: str) -> None:
    """Look ahead for capture and summarize in a meeting that is still recorded; what fails here is read after it."""
    _look_ahead(meeting_id, work.skim)


def _look_ahead(meeting_id: str, do: Callable[[Archive, Settings, str], None]) -> None:
    settings = load()
    archive = Archive.of(settings)
    try:
        with logs.about(meeting_id):
            do(archive, settings, meeting_id)
    except HandedBack:
        raise Ignore from None
    except Exception as error:
        with logs.about(meeting_id):
            log.warning("Not read ahead: %s", logs.describe(error), exc_info=error)
        raise _told(error) from None
    finally:
        archive.close()


@app.task(name="standup.dispatch")
def dispatch() -> None:
    """Publish what the stage rows say; beat calls it every 15 s."""
    archive = Archive.of(load())
    try:
        sweep(archive, now_ms())
    finally:
        archive.close()


@app.task(name=EXPIRE, throws=(StandupError,), soft_time_limit=600, time_limit=630)
def expire() -> None:
    """Delete what is older than the retention allows; beat calls it every hour, and it may run beside itself."""
    settings = load()
    archive = Archive.of(settings)
    try:
        done = removal.expire(archive, settings.data_dir, settings.retention, now_ms())
    finally:
        archive.close()
    if done.sound or done.meetings:
        log.info(
            "Too old: the sound of %d meetings is deleted (%s), and all of %d (%s)",
            len(done.sound),
            ", ".join(done.sound),
            len(done.meetings),
            ", ".join(done.meetings),
        )
