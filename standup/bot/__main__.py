"""`python -m standup.bot recorder|monitor`: one of the two Discord programs, in the foreground.

Ends with the program's exit status; an error is one sentence on stderr and in errors.log.
"""

from __future__ import annotations

import logging
import sys

from standup.errors import StandupError
from standup.settings import load


def main(program: str) -> int:
    """Run *program* and return its exit status."""
    if program == "monitor":
        from standup.bot.event_monitor import main as run
    else:
        from standup.bot.voice_recorder import main as run
    try:
        return run(load())
    except StandupError as problem:
        logging.getLogger(__name__).error("%s", problem)
        return problem.exit_status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
