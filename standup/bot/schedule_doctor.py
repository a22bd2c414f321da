"""`standup doctor` for the monitor: in a process of its own, so that nothing it does, loads or waits for is ours.

The recorder is looked for beside it: doctor speaks of what a meeting needs, not of which programs run.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from standup.bot import pulse
from standup.bot.schedule_wording import Trouble
from standup.settings import Settings, environment

log = logging.getLogger(__name__)

ANSWER_S = 90.0
#: Its own waits end sooner; this is for a machine that is very busy.
SILENT = Trouble("doctor", "gave no answer", "run `standup doctor` on the machine and read what it says")
NO_RECORDER = "check `supervisorctl status recorder` and logs/recorder.log"


class Doctor:
    """Asks what would stop a meeting."""

    def __init__(self, settings: Settings) -> None:
        self._variables = environment(settings)
        self._data_dir = settings.data_dir

    async def __call__(self, channel_ids: Collection[str]) -> tuple[Trouble, ...]:
        """Return every failed check, of *channel_ids* too; takes at most ``ANSWER_S``."""
        found = await self._examine(channel_ids)
        # Last, so that a recorder that was started together with the monitor has had its time.
        return (*await asyncio.to_thread(_recorder, self._data_dir), *found)

    async def _examine(self, channel_ids: Collection[str]) -> tuple[Trouble, ...]:
        options = [word for one in channel_ids for word in ("--channel", one)]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "standup", "doctor", "--json", *options),
            env={**os.environ, **self._variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
        )
        try:
            told, _ = await asyncio.wait_for(process.communicate(), ANSWER_S)
            return parse(told)
        except (asyncio.TimeoutError, ValueError) as cause:
            log.warning("`standup doctor` gave no answer (%s)", type(cause).__name__)
            return (SILENT,)
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()


def parse(told: bytes) -> tuple[Trouble, ...]:
    """Return the failed checks of a report of `standup doctor --json`; raise ValueError when it is none."""
    try:
        checks = json.loads(told)["checks"]
        failed = [one for one in checks if one["result"] == "failed"]
        return tuple(Trouble(one["name"], one["finding"], one["next_step"]) for one in failed)
    except (ValueError, KeyError, TypeError) as cause:
        raise ValueError("that is no report of `standup doctor`") from cause


def _recorder(data_dir: Path) -> tuple[Trouble, ...]:
    silent_s = pulse.silent_s(data_dir)
    if silent_s is not None and silent_s < pulse.SILENT_AFTER_S:
        return ()
    since = "" if silent_s is None else f" for {silent_s:.0f} s"
    return (Trouble("recorder", f"no sign of life{since}", NO_RECORDER),)
