"""What `/standup settings` does. Every answer is a sentence.

Anybody may ask what is set; only a member with the permission Manage Server may change it, as with schedules.
"""

from __future__ import annotations

import asyncio

import discord

from standup.archive import GuildBook
from standup.template import Template, template

ONLY_IN_SERVERS = "I keep settings for servers; there is nothing to set in a direct message."
NOT_ALLOWED = (
    "Only members with the permission **Manage Server** may change how notes are shown here. "
    "They are shown as {name}."
)


class SettingsDesk:
    """Takes orders about a server's settings. Called on the event loop."""

    def __init__(self, guilds: GuildBook) -> None:
        self._guilds = guilds

    async def settings(self, interaction: discord.Interaction, name: str | None) -> str:
        """Store the template called *name*, or tell which one is set; raise ArchiveError when that cannot be done now.

        Raises InputRefused for a template that does not exist.
        """
        if interaction.guild_id is None:
            return ONLY_IN_SERVERS
        guild_id = str(interaction.guild_id)
        if name is None:
            return f"Notes are shown as {_described(await self._current(guild_id))}."
        chosen = template(name)
        if not interaction.permissions.manage_guild:
            return NOT_ALLOWED.format(name=_described(await self._current(guild_id)))
        await asyncio.to_thread(self._guilds.keep_template, guild_id, chosen)
        return f"From the next notes on they are shown as {_described(chosen)}."

    async def _current(self, guild_id: str) -> Template:
        return await asyncio.to_thread(self._guilds.template, guild_id)


def _described(one: Template) -> str:
    kinds = ", ".join(kind.value for kind in one.kinds)
    return f"**{one.name}** ({kinds})"
