"""The recorder's gateway client: what it does with news of its people, and how it is suspended."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from standup.bot.voice_recorder import Recorder
from standup.dispatcher import Dispatcher
from standup.settings import load


class StudioDouble:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.quieted_people: list[tuple[int, int]] = []
        self.looked_in: list[int] = []
        self.is_suspended = False

    def quieted(self, guild_id: int, user_id: int) -> None:
        self.quieted_people.append((guild_id, user_id))

    def look(self, guild_id: int) -> None:
        self.looked_in.append(guild_id)

    async def suspend(self) -> None:
        self.is_suspended = True


@pytest.fixture
async def recorder(tmp_path: Path) -> Recorder:
    dispatcher = cast(Dispatcher, SimpleNamespace(wake=lambda: None))
    made = Recorder(load(None, data_dir=tmp_path), dispatcher)
    made.studio = cast(Any, StudioDouble())
    return made


def state(**changes: object) -> Any:
    usual = {"channel": object(), "self_mute": False, "mute": False, "suppress": False}
    return SimpleNamespace(**(usual | changes))


@pytest.mark.parametrize(
    ("after", "is_quiet"),
    [
        pytest.param(state(), False, id="unmuted"),
        pytest.param(state(channel=None), True, id="left"),
        pytest.param(state(self_mute=True), True, id="muted themselves"),
        pytest.param(state(mute=True), True, id="muted by a moderator"),
        pytest.param(state(suppress=True), True, id="not allowed to speak"),
    ],
)
async def test_muted_people(recorder: Recorder, after: Any, is_quiet: bool) -> None:
    """From those who cannot be heard no speech is expected; whatever changed, the recording looks who is there."""
    member = cast(Any, SimpleNamespace(id=5, guild=SimpleNamespace(id=1)))

    await recorder.on_voice_state_update(member, state(), after)

    assert recorder.studio.quieted_people == ([(1, 5)] if is_quiet else [])  # type: ignore[attr-defined]
    assert recorder.studio.looked_in == [1]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("before", "after", "looks"),
    [
        pytest.param(None, 7, 1, id="comes"),
        pytest.param(6, 7, 1, id="moves"),
        pytest.param(7, 7, 0, id="mutes"),
        pytest.param(7, None, 0, id="leaves"),
    ],
)
async def test_who_comes_may_begin_a_scheduled_meeting(
    recorder: Recorder, before: object, after: object, looks: int
) -> None:
    """An arrival has the schedules looked at at once."""
    member = cast(Any, SimpleNamespace(id=5, guild=SimpleNamespace(id=1)))
    looked: list[bool] = []
    recorder.starts = cast(Any, SimpleNamespace(look=lambda: looked.append(True)))

    await recorder.on_voice_state_update(member, state(channel=before), state(channel=after))

    assert len(looked) == looks


async def test_the_watches_begin_once(recorder: Recorder) -> None:
    """discord.py says ready after every new session; unfinished meetings are taken up only the first time."""
    await recorder.on_ready()
    first = tuple(recorder._tasks)
    await recorder.on_ready()

    await recorder.suspend()

    assert tuple(recorder._tasks) == first
    assert all(one.done() for one in first)
    assert recorder.studio.is_suspended  # type: ignore[attr-defined]
