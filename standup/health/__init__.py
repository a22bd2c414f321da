"""What `standup doctor` looks at before a meeting.

``check``       one finding and its grade                                                    pure
``verdicts``    what a measured value means; ``standing`` what Discord's answers mean         pure
``machine``     measures this machine; ``graphics`` its GPU
``services``    asks broker, archive, speech and language model, Flower
``account``     asks Discord
``places``      which channels are asked about                                               pure

Looking changes nothing: no database, model or folder is made.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from datetime import datetime, timezone

from standup.health import account, machine, services
from standup.health.check import Check, Grade, is_go
from standup.health.places import Place, places
from standup.meeting import Meeting
from standup.settings import Settings

__all__ = ["Check", "Grade", "examine", "is_go"]

MEETINGS = 20


def examine(settings: Settings, channel_ids: Collection[int] = ()) -> Iterator[Check]:
    """Yield one check after the other, each as soon as it is known; *channel_ids* are looked at too.

    Every wait has a limit: Redis 3 s, the language model 5 s, Discord 5 s a call and 10 s a channel. Must not be
    called from an event loop.
    """
    yield machine.python()
    yield machine.ffmpeg()
    yield machine.libopus()
    yield machine.dave()
    yield machine.disk(settings.data_dir)
    yield services.broker(settings)
    schema = services.archive(settings)
    yield schema
    model, weights_bytes = services.model(settings.whisper)
    yield model
    yield machine.device(settings.whisper_device)
    yield machine.memory(weights_bytes)
    if settings.language_model is not None:
        yield services.language_model(settings.language_model)
    yield services.flower(settings)
    meetings: tuple[Meeting, ...] = ()
    if schema.grade is Grade.GOOD:
        profile, meetings = services.history(settings, MEETINGS)
        yield profile
    wanted = places(meetings, channel_ids, settings.alert_channel_id, datetime.now(timezone.utc))
    yield from _at_discord(settings, wanted)


def _at_discord(settings: Settings, wanted: Sequence[Place]) -> Iterator[Check]:
    """Yield what the asynchronous *account* finds, one step of its loop at a time."""
    found: AsyncIterator[Check] = account.examine(settings, wanted)
    loop = asyncio.new_event_loop()
    try:
        while True:
            try:
                yield loop.run_until_complete(found.__anext__())
            except StopAsyncIteration:
                return
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
