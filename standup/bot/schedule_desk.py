"""What `/standup schedule`, `unschedule` and `status` do about schedules. Every answer is a sentence.

Only a member with the permission Manage Server may change a schedule: it has people recorded day after day, also when
nobody who made it is there. `/standup start` asks for no such thing, because whoever calls it is in the room.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import discord

from standup.bot import obstacles
from standup.bot.schedule_list import ScheduleList
from standup.bot.schedule_notes import stamp, utc_now
from standup.schedule import Schedule, describe_days, find_zone, parse_days, parse_time, zones_like

ONLY_IN_SERVERS = "I record voice channels of servers; there is nothing to schedule in a direct message."
NOT_ALLOWED = (
    "Only members with the permission **Manage Server** may change when I record; ask one of them, or begin by hand "
    "with `/standup start`."
)
WHICH_CHANNEL = "Name the voice channel with the option `channel`, or join it and try again."
NOT_A_TEXT_CHANNEL = "I cannot post here; use the command in a text channel or a thread of the server."
NO_SCHEDULE = "<#{channel}> has no schedule; `/standup status` tells which standup is next."
CHOICES = 25
#: As many as Discord shows.


class ScheduleDesk:
    """Takes orders about schedules. Called on the event loop."""

    def __init__(self, schedules: ScheduleList, *, clock: Callable[[], datetime] = utc_now) -> None:
        self._schedules = schedules
        self._clock = clock

    async def schedule(
        self,
        interaction: discord.Interaction,
        channel: discord.VoiceChannel | None,
        time: str,
        days: str,
        timezone: str,
    ) -> str:
        """Store a schedule in place of the voice channel's former one.

        Raises InputRefused for what cannot be understood, ArchiveError when it cannot be stored now.
        """
        refusal, channel = _examine(interaction, channel)
        if channel is None:
            return refusal
        text = interaction.channel
        if not isinstance(text, obstacles.Text):
            return NOT_A_TEXT_CHANNEL
        obstacle = obstacles.lasting(channel, text)
        if obstacle:
            return obstacle
        schedule = Schedule(
            str(channel.guild.id),
            str(channel.id),
            str(text.id),
            parse_days(days),
            parse_time(time),
            await asyncio.to_thread(find_zone, timezone),
            self._clock(),
        )
        await self._schedules.keep(schedule)
        return (
            f"I record <#{channel.id}> {_times(schedule)}, as soon as somebody is there; the notes go to <#{text.id}>. "
            f"{self._next(schedule)} `/standup unschedule` takes this back."
        )

    async def unschedule(self, interaction: discord.Interaction, channel: discord.VoiceChannel | None) -> str:
        """Remove a voice channel's schedule; raise ArchiveError when that cannot be done now."""
        refusal, channel = _examine(interaction, channel)
        if channel is None:
            return refusal
        schedule = self._schedules.of(channel.id)
        if schedule is None:
            return NO_SCHEDULE.format(channel=channel.id)
        await self._schedules.remove(schedule)
        return f"I no longer record <#{channel.id}> {_times(schedule)}."

    def next_in(self, guild_id: int) -> str:
        """Return which scheduled standup of a guild is next, an empty text when it has none."""
        found = self._schedules.upcoming(guild_id, self._clock())
        if not found:
            return ""
        more = f" {len(found) - 1} more scheduled." if len(found) > 1 else ""
        return f"{self._next(found[0])}{more}"

    async def zones(self, typed: str) -> tuple[str, ...]:
        """Return the time zones that *typed* may be the beginning of."""
        return await asyncio.to_thread(zones_like, typed, CHOICES)

    def _next(self, schedule: Schedule) -> str:
        due_s = int(schedule.next_after(self._clock()).timestamp())
        return f"Next standup: {stamp(due_s, 'F')} in <#{schedule.voice_channel_id}>."


def _examine(
    interaction: discord.Interaction, channel: discord.VoiceChannel | None
) -> tuple[str, discord.VoiceChannel | None]:
    """Return why the asker may not do this, or the voice channel that is meant."""
    member = interaction.user
    if not isinstance(member, discord.Member):
        return ONLY_IN_SERVERS, None
    if not interaction.permissions.manage_guild:
        return NOT_ALLOWED, None
    own = member.voice.channel if member.voice else None
    meant = channel or own
    return ("", meant) if isinstance(meant, discord.VoiceChannel) else (WHICH_CHANNEL, None)


def _times(schedule: Schedule) -> str:
    return f"{describe_days(schedule.days)} at {schedule.at:%H:%M} ({schedule.zone})"
