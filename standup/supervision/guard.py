"""Runs one of our Python programs so that its death is told by the documented code.

``python -m standup.supervision.guard MODULE ARGUMENT…`` does what ``python -m MODULE ARGUMENT…`` does, and

- an exception that nobody caught ends it with 255 (Python alone: 1), its frames and class in ``errors.log``; its
  text is left out, it may quote what people said
- a MemoryError that nobody caught ends it with 137, as the kernel's out-of-memory killer would
- an error of ours ends it with that error's own status, its sentence in ``errors.log``
- a program whose measure is the debug mode logs our and Celery's DEBUG lines, until it has run cleanly for an hour
"""

from __future__ import annotations

import faulthandler
import logging
import os
import runpy
import sys
import threading
import time
from collections.abc import Sequence
from typing import NoReturn

from standup import logs
from standup.archive import Archive
from standup.errors import StandupError
from standup.failures import CLEAN_S, Recovery
from standup.settings import Settings, load

log = logging.getLogger(__name__)

UNCAUGHT = 255
OUT_OF_MEMORY = 137
INTERRUPTED = 130


def main(arguments: Sequence[str]) -> int:
    """Run the module named first with the arguments that follow; return the exit status."""
    module, *rest = arguments
    program = os.environ.get(logs.PROGRAM_VARIABLE, module)
    faulthandler.enable()
    try:
        settings = load()
        logs.configure(program, settings.log_dir)
        _begin_debug(program, settings)
        sys.argv = [module, *rest]
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except StandupError as problem:
        log.error("%s ended: %s", program, problem)
        return problem.exit_status
    except KeyboardInterrupt:
        return INTERRUPTED
    except MemoryError as error:
        log.critical("%s has no memory left", program, exc_info=error)
        _die(OUT_OF_MEMORY)
    except Exception as error:
        log.critical("%s died of an exception that nobody caught", program, exc_info=error)
        _die(UNCAUGHT)
    return 0


def _die(code: int) -> NoReturn:
    # An ordinary exit waits for threads, of which one may wait for what has just died.
    logging.shutdown()
    os._exit(code)


def _begin_debug(program: str, settings: Settings) -> None:
    """Log more when the program's measure says so; a program starts also when the archive cannot be asked."""
    archive = Archive.of(settings)
    try:
        archive.migrate()
        is_debug = archive.failures.level(program, Recovery.DEBUG) > 0
    except StandupError as problem:
        log.warning("The archive cannot tell how %s is to start: %s", program, problem)
        return
    finally:
        archive.close()
    if is_debug:
        logs.begin_debug()
        log.warning("%s runs in debug mode until it has run cleanly for an hour", program)
        clean = threading.Timer(CLEAN_S, _end_debug, (program, settings, time.time_ns() // 1_000_000))
        clean.daemon = True
        clean.start()


def _end_debug(program: str, settings: Settings, started_ms: int) -> None:
    logs.end_debug()
    archive = Archive.of(settings)
    try:
        archive.failures.end_debug(program, started_ms)
        log.info("%s has run cleanly for an hour; the debug mode is over", program)
    except StandupError as problem:
        log.error(
            "The next start of %s is in debug mode again, the archive could not be told: %s", program, problem
        )
    finally:
        archive.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
