"""The loopback Discord by hand, with a bot that defers its answers."""

from __future__ import annotations

from typing import Any

import pytest

from standup.simulator.console import Console
from standup.simulator.server import LoopbackDiscord

pytestmark = pytest.mark.integration


async def test_an_answer_is_shown_once_it_is_filled(discord: LoopbackDiscord, bot: Any) -> None:
    """A deferred answer is no empty line: it is shown with the words that take its place."""
    said: list[str] = []
    console = Console(discord, {"Ana": "slt"}, said.append)
    await console.let_in()
    said.clear()

    assert await console.obey("start\n")
    assert said == ["┃ Recording. "]
