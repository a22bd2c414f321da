"""What `/standup settings` does. Every answer is a sentence.

Anybody may ask what is set; only a member with the permission Manage Server may change it, as with schedules.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

import discord

from standup.archive import GuildBook
from standup.notice.card import cut
from standup.notice.defusing import defuse
from standup.template import Template, template
from standup.vocabulary import (
    AUTO,
    NUMBER_SIGN,
    Vocabulary,
    parse_language,
    parse_tickets,
    parse_words,
)

ONLY_IN_SERVERS = "I keep settings for servers; there is nothing to set in a direct message."
NOT_ALLOWED = "Only members with the permission **Manage Server** may change settings here."
CHANGED = "From the next meeting on:"
SHOWN_CHARACTERS = 1200
"""How much of the project words an answer shows; Discord takes 2000 characters."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What somebody typed; None for what shall stay as it is."""

    template: str | None = None
    words: str | None = None
    language: str | None = None
    tickets: str | None = None


class Expected(TypedDict, total=False):
    """What is to be stored of a vocabulary, as `GuildBook.keep_vocabulary` takes it."""

    words: Sequence[str]
    language: str
    tickets: Sequence[str]


class SettingsDesk:
    """Takes orders about a server's settings. Called on the event loop."""

    def __init__(self, guilds: GuildBook) -> None:
        self._guilds = guilds

    async def settings(self, interaction: discord.Interaction, wishes: Wishes) -> str:
        """Store what is wished for and tell what is set then; raise ArchiveError when that cannot be done now.

        Raises InputRefused for what cannot be set; then nothing is stored.
        """
        if interaction.guild_id is None:
            return ONLY_IN_SERVERS
        guild_id = str(interaction.guild_id)
        if wishes == Wishes():
            return await asyncio.to_thread(self._told, guild_id)
        chosen = None if wishes.template is None else template(wishes.template)
        expected = _expected(wishes)
        if not interaction.permissions.manage_guild:
            return f"{NOT_ALLOWED}\n{await asyncio.to_thread(self._told, guild_id)}"
        await asyncio.to_thread(self._keep, guild_id, chosen, expected)
        return f"{CHANGED}\n{await asyncio.to_thread(self._told, guild_id)}"

    def _keep(self, guild_id: str, chosen: Template | None, expected: Expected) -> None:
        if chosen is not None:
            self._guilds.keep_template(guild_id, chosen)
        if expected:
            self._guilds.keep_vocabulary(guild_id, **expected)

    def _told(self, guild_id: str) -> str:
        """Return what is set, a line each."""
        chosen, vocabulary = self._guilds.template(guild_id), self._guilds.vocabulary(guild_id)
        kinds = ", ".join(kind.value for kind in chosen.kinds)
        return "\n".join((f"Notes are shown as **{chosen.name}** ({kinds}).", *_lines(vocabulary)))


def _expected(wishes: Wishes) -> Expected:
    """Return what is wished for of the vocabulary; raise InputRefused for what cannot be."""
    expected: Expected = {}
    if wishes.words is not None:
        expected["words"] = parse_words(wishes.words)
    if wishes.language is not None:
        expected["language"] = parse_language(wishes.language)
    if wishes.tickets is not None:
        expected["tickets"] = parse_tickets(wishes.tickets)
    return expected


def _lines(vocabulary: Vocabulary) -> tuple[str, ...]:
    shown = cut(defuse(", ".join(vocabulary.words)), SHOWN_CHARACTERS)
    words = (
        f"Project words ({len(vocabulary.words)}): {shown}." if shown else "No project words are expected."
    )
    spoken = {
        "": "The language is the one that my operator set.",
        AUTO: "I find out everybody's language.",
    }.get(vocabulary.language, f"The language is `{vocabulary.language}`.")
    ids = ", ".join(f"`{one}205`" if one == NUMBER_SIGN else f"`{one}-205`" for one in vocabulary.tickets)
    return (
        words,
        spoken,
        f"Ids of tickets are written as in {ids}." if ids else "Ids of tickets stay as spoken.",
    )
