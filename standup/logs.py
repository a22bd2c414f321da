"""The three log files, the meeting id on each line, and redaction.

``logs/recorder.log`` and ``logs/monitor.log`` hold what those two programs did; ``logs/errors.log`` holds
every ERROR of every program. Lines read ``[2026-11-23 09:58:00] INFO Recording started meeting=…``.

Never written: what people said, display names, tokens. Foreign exceptions are shown by class and place only,
because their texts may quote what they were given.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from standup.errors import SettingsError, StandupError

EVENT = 25
#: Level of the monitor's EVENT lines, between INFO and WARNING.
LINE = "[%(asctime)s] %(levelname)s %(message)s%(meeting)s"
FOLD = " · "
#: Between the lines of a message that has several: Celery's connection errors end with blank ones.
TIME = "%Y-%m-%d %H:%M:%S"
DISCORD_TOKEN = re.compile(r"[\w-]{23,28}\.[\w-]{6,7}\.[\w-]{27,}")

PROGRAM_VARIABLE = "STANDUP_PROGRAM"
#: Names the program of the running system that this process belongs to; the launcher sets it.
DEBUG_VARIABLE = "STANDUP_DEBUG_MODE"
DEBUGGED = ("standup", "celery", "kombu")

_meeting: ContextVar[str] = ContextVar("meeting", default="")


@contextmanager
def about(meeting_id: str) -> Iterator[None]:
    """Put *meeting_id* on every line logged inside the block."""
    token = _meeting.set(meeting_id)
    try:
        yield
    finally:
        _meeting.reset(token)


class Line(logging.Formatter):
    """One line per record, in UTC; tokens are blotted out, foreign exception texts left out."""

    converter = staticmethod(time.gmtime)

    def __init__(self, *, tracebacks: bool = True) -> None:
        super().__init__(LINE, TIME)
        self._tracebacks = tracebacks

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the frames of an exception below it."""
        if record.name == "asyncio" and record.levelno >= logging.WARNING:
            # asyncio appends the repr of tasks and exceptions, whose texts may quote what somebody said.
            record.msg, record.args = record.getMessage().splitlines()[0], ()
        meeting = getattr(record, "meeting_id", "") or _meeting.get()
        record.meeting = f" meeting={meeting}" if meeting else ""
        record.exc_text = None
        return DISCORD_TOKEN.sub("[token]", super().format(record))

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Return the line itself; a message of several lines is folded into one."""
        record.message = FOLD.join(filter(None, map(str.strip, record.message.splitlines())))
        return super().formatMessage(record)

    def formatException(self, ei: object) -> str:
        """Return the frames and the class; the text only of our own errors."""
        _, error, trace = ei if isinstance(ei, tuple) else (None, None, None)
        last = describe(error) if error is not None else ""
        return "".join(traceback.format_tb(trace)) + last if self._tracebacks else last


def describe(error: BaseException) -> str:
    """Return what a log may say of *error*: our own sentence, or the class of a foreign one."""
    kind = type(error).__name__
    if isinstance(error, StandupError):
        return f"{kind}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{kind}: {error.strerror}"
    return kind


def configure(program: str, log_dir: Path, *, level: int = logging.INFO) -> None:
    """Send this process' records to its file, to ``errors.log`` and to stderr.

    *program* ``recorder`` and ``monitor`` have a file of their own; others have only stderr, which
    supervisord keeps. Files are reopened when logrotate has moved them. Calling it twice replaces the
    handlers. Raises SettingsError when LOG_DIR cannot be written.
    """
    logging.addLevelName(EVENT, "EVENT")
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        log_dir.mkdir(parents=True, exist_ok=True)
        handlers.append(_errors(log_dir))
        if program in ("recorder", "monitor"):
            handlers.append(logging.handlers.WatchedFileHandler(log_dir / f"{program}.log", encoding="utf-8"))
    except OSError as cause:
        raise SettingsError(
            f"STANDUP_LOG_DIR cannot be written ({cause.strerror}); name a folder that this user may write."
        ) from cause
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
        handler.close()
    for handler in handlers:
        handler.setFormatter(Line())
        root.addHandler(handler)
    root.setLevel(level)
    # discord.py's INFO lines name shards and session ids only, its DEBUG lines whole payloads: never those.
    logging.getLogger("discord").setLevel(max(level, logging.INFO))
    for chatty in ("faster_whisper", "alembic", "httpx", "httpx2"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def report(sentence: str, log_dir: Path) -> None:
    """Put one ERROR line into ``errors.log``, for a program that did not come as far as `configure`.

    Raises OSError when LOG_DIR cannot be written.
    """
    log_dir.mkdir(parents=True, exist_ok=True)
    handler = _errors(log_dir)
    handler.setFormatter(Line())
    handler.handle(logging.makeLogRecord({"levelno": logging.ERROR, "levelname": "ERROR", "msg": sentence}))
    handler.close()


def _errors(log_dir: Path) -> logging.Handler:
    handler = logging.handlers.WatchedFileHandler(log_dir / "errors.log", encoding="utf-8")
    handler.setLevel(logging.ERROR)
    return handler


def begin_debug() -> None:
    """Log our own and Celery's DEBUG lines too, in this process and in the children it starts.

    Nobody else's: the DEBUG lines of HTTP clients, the database and discord.py quote what people said.
    """
    os.environ[DEBUG_VARIABLE] = "1"
    for name in DEBUGGED:
        logging.getLogger(name).setLevel(logging.DEBUG)


def end_debug() -> None:
    """Go back to the ordinary lines in this process."""
    os.environ.pop(DEBUG_VARIABLE, None)
    for name in DEBUGGED:
        logging.getLogger(name).setLevel(logging.NOTSET)


def inherit_debug() -> None:
    """Do in a child process what its parent did with `begin_debug`."""
    if os.environ.get(DEBUG_VARIABLE):
        begin_debug()
