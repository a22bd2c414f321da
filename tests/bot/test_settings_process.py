"""`/standup settings` in a real recorder on a loopback Discord."""

from __future__ import annotations

import pytest

from standup.archive import Archive
from standup.settings import load
from standup.simulator.participant import Participant
from standup.simulator.server import LoopbackDiscord
from standup.vocabulary import Vocabulary
from tests.bot.programs import WAIT_S, Program

pytestmark = pytest.mark.integration

WISHES = {"template": "planning", "words": "Grafana, Keycloak", "language": "de", "tickets": "#, OPS"}


async def _ask(discord: LoopbackDiscord, member: Participant, **options: str) -> list[str]:
    call = await discord.invoke(member, "standup", "settings", options=options)
    await discord.wait_until(lambda: bool(call.message and call.message.content), WAIT_S, "the answer")
    assert call.message is not None
    return call.message.content.splitlines()


async def test_settings_are_kept_and_told(
    discord: LoopbackDiscord, recorder: Program, ana: Participant
) -> None:
    """Who manages the server sets all four at once; whoever asks later is told, and may change nothing."""
    discord.world.promote(ana.user_id)
    changed = await _ask(discord, ana, **WISHES)
    ben = await discord.enter("Ben")
    refused = await _ask(discord, ben, language="en")

    told = [
        "Notes are shown as **planning** (decision, next, action, blocker).",
        "Project words (2): Grafana, Keycloak.",
        "The language is `de`.",
        "Ids of tickets are written as in `#205`, `OPS-205`.",
    ]
    assert changed == ["From the next meeting on:", *told]
    assert refused == ["Only members with the permission **Manage Server** may change settings here.", *told]
    assert discord.violations == []
    archive = Archive.of(load(None, data_dir=recorder.folder / "data"))
    try:
        kept = archive.guilds.vocabulary(str(discord.guild_id))
    finally:
        archive.close()
    assert kept == Vocabulary(("Grafana", "Keycloak"), "de", ("#", "OPS"))
    assert "Grafana" not in recorder.log("recorder")
