"""Who sees the notice: whose sound may be kept, and who is told to be not recorded.

"No notice, no recording" holds for each person: nothing is kept of somebody in the voice channel who cannot read the
text channel, be it that they came later or lost the right. Nobody's sound is kept before they were looked at; Discord
tells who comes before it has their client connected to the voice server.

Threads: `keeps` is asked for every packet, on the socket reader's thread too, and looks one id up in a set that is
replaced as a whole. Everything else happens on the event loop, which alone works permissions out.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable

import discord

from standup.bot.obstacles import Text, may_read
from standup.bot.voice_line import TROUBLES, people_in

log = logging.getLogger(__name__)

LEFT_S = 5.0
#: So long after somebody left their last packets may still be on their way.
REFRESH_S = 10.0
MEMBERS_AT_ONCE = 100
#: As many people as Discord tells of in one answer.


class Audience:
    """The people of one voice channel before the notice in one text channel."""

    def __init__(
        self,
        bot: discord.AutoShardedClient,
        guild_id: int,
        voice_channel_id: int,
        text_channel_id: int,
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look at nobody yet; *now_s* is a clock that never goes back."""
        self._bot = bot
        self._guild_id = guild_id
        self._voice_channel_id = voice_channel_id
        self._text_channel_id = text_channel_id
        self._text: Text | None = None  # as last known: a thread that is archived leaves discord.py's cache
        self._members: dict[int, discord.Member] = {}  # with the roles that `refresh` found
        self._asked: frozenset[int] = frozenset()
        self.has_strangers = False
        #: Whether Discord was not asked yet about somebody who was there at the last look: what discord.py knows of who
        #: comes from another voice channel is as old as their coming there.
        self._kept: frozenset[int] = frozenset()
        self._left_s: dict[int, float] = {}  # when those who are kept were first missed
        self._now_s = now_s
        self.unsighted: frozenset[int] = frozenset()
        #: Who was in the voice channel at the last look and cannot see the notice; bots left out.
        self._refreshing: asyncio.Task[None] | None = None

    def keeps(self, user_id: int) -> bool:
        """Return whether what *user_id* says may be kept: a person who could see the notice when last looked at.

        May be called on any thread. Who has left stays as they were for ``LEFT_S``.
        """
        return user_id in self._kept

    def look(self) -> None:
        """Decide anew about everybody in the voice channel; without news of the channel all stays as it was.

        Of somebody whose roles are not known, only what everyone may see is certain.
        """
        guild = self._bot.get_guild(self._guild_id)
        channel = guild.get_channel(self._voice_channel_id) if guild is not None else None
        if guild is None or not isinstance(channel, discord.VoiceChannel):
            return
        people = people_in(channel)
        self._members = {one: member for one, member in self._members.items() if one in people}
        text = self._find_text(guild)
        self._asked &= people
        self.has_strangers = not people <= self._asked
        seeing = frozenset(one for one in people if text is not None and self._sees(text, guild, one))
        self.unsighted = people - seeing
        self._kept = seeing | self._leaving(self._kept.difference(channel.voice_states))

    def _leaving(self, gone: frozenset[int]) -> frozenset[int]:
        """Return those of *gone* whose last packets may still come."""
        now_s = self._now_s()
        self._left_s = {one: self._left_s.get(one, now_s) for one in gone}
        return frozenset(one for one, left_s in self._left_s.items() if now_s - left_s < LEFT_S)

    def refresh(self) -> None:
        """Begin to ask Discord which roles people have now; the next look goes by the answer.

        Without a privileged intent Discord does not tell by itself that somebody got or lost a role. Does nothing while
        an earlier question waits; one that fails leaves what is known.
        """
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._ask(), name="audience")

    async def _ask(self) -> None:
        guild = self._bot.get_guild(self._guild_id)
        if guild is None:
            return
        try:
            await asyncio.wait_for(self._ask_about(guild), REFRESH_S)
        except (*TROUBLES, RuntimeError) as cause:
            log.warning("Discord did not tell the roles of who is there (%s)", type(cause).__name__)

    async def _ask_about(self, guild: discord.Guild) -> None:
        if self._find_text(guild) is None:
            found = await guild.fetch_channel(self._text_channel_id)
            self._text = found if isinstance(found, Text) else None
        channel = guild.get_channel(self._voice_channel_id)
        people = sorted(people_in(channel)) if isinstance(channel, discord.VoiceChannel) else []
        for start in range(0, len(people), MEMBERS_AT_ONCE):
            asked = people[start : start + MEMBERS_AT_ONCE]
            self._asked = self._asked.union(asked)
            found_members = await guild.query_members(user_ids=asked, limit=MEMBERS_AT_ONCE, cache=False)
            self._members.update({one.id: one for one in found_members})

    def _find_text(self, guild: discord.Guild) -> Text | None:
        found = guild.get_channel_or_thread(self._text_channel_id)
        if isinstance(found, Text):
            self._text = found
        return self._text

    def _sees(self, text: Text, guild: discord.Guild, user_id: int) -> bool:
        return may_read(text, guild, self._members.get(user_id) or guild.get_member(user_id))
