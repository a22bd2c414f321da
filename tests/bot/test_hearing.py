"""Gaps lie exactly where nothing was kept, and a rejoin runs beside the recording."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from standup.bot.endings import Ending
from standup.bot.gaps import GapLog
from standup.bot.hearing import Hearing
from standup.bot.listener import Listener
from standup.bot.voice_line import VoiceLine
from standup.meeting import Gap
from tests.bot.doubles import LineDouble


class Ears:
    """A hearing whose line and listener the test sets."""

    def __init__(self) -> None:
        self.line = LineDouble()
        self.listener: Any = SimpleNamespace(first_speech_ms=None, last_speech_ms=None)
        self.gaps = GapLog()
        self.hearing = Hearing(cast(VoiceLine, self.line), cast(Listener, self.listener), self.gaps)


@pytest.fixture
async def ears() -> Ears:
    return Ears()


async def test_a_gap_begins_after_the_last_speech_and_ends_with_the_first(ears: Ears) -> None:
    """Packets outlive their websocket and come before the next look: both are outside the gap."""
    ears.line.deaf_ms, ears.line.is_recovering = 3_000, True
    ears.listener.last_speech_ms = 1_200

    ears.hearing.look(10_000)
    ears.listener.last_speech_ms = 2_100  # what came later than the last look
    ears.hearing.look(11_000)
    ears.line.deaf_ms, ears.listener.first_speech_ms = None, 400
    ears.hearing.look(15_000)

    assert ears.gaps.closed == [Gap(8_900, 14_600)]


async def test_a_gap_without_any_speech(ears: Ears) -> None:
    """Where nobody spoke, the gap is what the connection tells."""
    ears.line.deaf_ms, ears.line.is_recovering = 3_000, True
    ears.hearing.look(10_000)
    ears.line.deaf_ms = None

    ears.hearing.look(15_000)

    assert ears.gaps.closed == [Gap(7_000, 15_000)]


async def test_the_last_gap_ends_with_the_recording(ears: Ears) -> None:
    """A recording that ends deaf has its gap up to the end, again without what was kept."""
    ears.line.deaf_ms, ears.line.is_recovering = 3_000, True
    ears.hearing.look(10_000)
    ears.listener.last_speech_ms = 500

    ears.hearing.close(12_000)

    assert ears.gaps.closed == [Gap(11_500, 12_000)]


async def test_news_come_once(ears: Ears) -> None:
    """Only the loss and the return of hearing are news."""
    ears.line.is_recovering = True
    answers = []
    for deaf_ms in (None, 500, 1_500, None, None):
        ears.line.deaf_ms = deaf_ms
        answers.append(ears.hearing.look(10_000))

    assert answers == [False, True, False, True, False]


async def test_one_rejoin_at_a_time(ears: Ears) -> None:
    """While a rejoin runs no other is begun, and its success ends nothing."""
    ears.line.deaf_ms = 10_000
    ears.hearing.look(10_000)
    ears.hearing.look(11_000)
    during = ears.hearing.settle()
    await asyncio.sleep(0)

    after = ears.hearing.settle()

    assert ears.line.rejoins == 1
    assert (during, after) == (None, None)


@pytest.mark.parametrize(
    ("seat_ending", "expected"),
    [
        pytest.param(None, Ending.DEAF, id="in vain"),
        pytest.param(Ending.REMOVED, Ending.REMOVED, id="removed"),
    ],
)
async def test_a_rejoin_that_fails(ears: Ears, seat_ending: Ending | None, expected: Ending) -> None:
    """A rejoin that did not help ends the recording, with what happened to the seat as the better reason."""
    ears.line.deaf_ms, ears.line.rejoin_cures, ears.line.ending = 10_000, False, seat_ending
    ears.hearing.look(10_000)
    await asyncio.sleep(0)

    assert ears.hearing.settle() is expected


async def test_a_defect_of_rejoining(ears: Ears, caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is logged and ends the recording, which could not hear."""

    async def broken() -> bool:
        raise KeyError

    ears.line.rejoin = broken  # type: ignore[method-assign]
    ears.line.deaf_ms = 10_000
    ears.hearing.look(10_000)
    await asyncio.sleep(0)

    assert ears.hearing.settle() is Ending.DEAF
    assert "Rejoining failed" in caplog.text


async def test_a_swallowed_cancellation(ears: Ears) -> None:
    """Rest does not return while a rejoin runs that ignored the first wish to stop."""
    is_over = False

    async def stubborn() -> bool:
        nonlocal is_over
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
        is_over = True
        return False

    ears.line.rejoin = stubborn  # type: ignore[method-assign]
    ears.line.deaf_ms = 10_000
    ears.hearing.look(10_000)
    await asyncio.sleep(0)
    ears.hearing.cancel()

    await ears.hearing.rest()

    assert is_over
