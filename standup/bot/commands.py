"""`/standup start | stop | status`.

Each command is acknowledged first of all, because Discord waits 3 s for that and joining takes longer; the answer
is seen by the asker only. What everybody sees is the meeting's one message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeAlias

import discord
from discord import app_commands

from standup.bot import permissions
from standup.bot.endings import Ending
from standup.bot.recording import Recording
from standup.bot.studio import DEFECT, Studio
from standup.bot.voice_line import people_in
from standup.errors import StandupError
from standup.transcript import clock

log = logging.getLogger(__name__)

STOP_S = 20.0
NOT_IN_VOICE = "Join the voice channel that is to be recorded, then try again."
STAGE_CHANNEL = "I cannot record stage channels; meet in an ordinary voice channel."
ONLY_IN_SERVERS = "I record voice channels of servers; there is nothing to record in a direct message."
NOT_A_TEXT_CHANNEL = "I cannot post here; use the command in a text channel or a thread of the server."
NOTHING_RUNS = "Nothing is being recorded in this server; `/standup start` begins."
FULL = "The voice channel is full; raise its user limit, or let me in with the permission **Move Members**."
PRIVATE_THREAD = (
    "I cannot tell whether everybody in the voice channel can see this private thread, and the recording notice has to "
    "be seen; use the command in a channel or a public thread."
)
DEAFENED = (
    "I have been deafened, so nothing is recorded; whoever may deafen members undoes **Server Deafen** on me in the "
    "voice channel."
)
PREPARING = "A recording is being begun here, or taken up again after a restart; ask again in a minute."
STOPS_SOON = (
    "The recording is only being begun, or taken up again after a restart; it stops as soon as that is done."
)

Text: TypeAlias = discord.TextChannel | discord.Thread | discord.VoiceChannel
#: Where a command may be used, and the notice posted.
Answer = Callable[[discord.Interaction], Awaitable[str]]


class StandupCommands(app_commands.Group):
    """The command group. It decides nothing that it can leave to the studio."""

    def __init__(self, studio: Studio) -> None:
        super().__init__(name="standup", description="Record a standup and post its notes", guild_only=True)
        self._studio = studio

    @app_commands.command(description="Record the voice channel you are in")
    async def start(self, interaction: discord.Interaction) -> None:
        """Record the asker's voice channel; the notice and the notes go to the channel of the command."""
        await _respond(interaction, self._start)

    @app_commands.command(description="Stop the recording and have the notes written")
    async def stop(self, interaction: discord.Interaction) -> None:
        """End the recording of this server."""
        await _respond(interaction, self._stop)

    @app_commands.command(description="Tell what is being recorded")
    async def status(self, interaction: discord.Interaction) -> None:
        """Tell what is being recorded in this server."""
        await _respond(interaction, self._status)

    async def _start(self, interaction: discord.Interaction) -> str:
        member, guild = interaction.user, interaction.guild
        if guild is None or not isinstance(member, discord.Member):
            return ONLY_IN_SERVERS
        channel = member.voice.channel if member.voice else None
        if channel is None:
            return NOT_IN_VOICE
        if not isinstance(channel, discord.VoiceChannel):
            return STAGE_CHANNEL
        running = self._studio.recording_in(guild.id)
        if running is not None:
            return _running_already(running)
        if self._studio.is_preparing(guild.id):
            return PREPARING
        text = interaction.channel
        if not isinstance(text, Text):
            return NOT_A_TEXT_CHANNEL
        refusal = _refusal(channel, text, guild.me) or _hidden(channel, text)
        if refusal:
            return refusal
        recording = await self._studio.begin(channel, text, member.display_name)
        if recording.equipment.line.is_deafened:
            return DEAFENED
        return (
            f"I am recording <#{channel.id}>; the notes will be posted in {recording.equipment.message.link}."
        )

    async def _stop(self, interaction: discord.Interaction) -> str:
        guild_id = interaction.guild_id or 0
        recording = self._studio.recording_in(guild_id)
        if recording is None:
            return STOPS_SOON if self._studio.stop_once_begun(guild_id) else NOTHING_RUNS
        recording.stop(Ending.ASKED)
        try:
            await asyncio.wait_for(recording.is_closed.wait(), STOP_S)
        except asyncio.TimeoutError:
            return "The recording is being stopped; bringing it to disk takes longer than usual."
        length = clock(recording.meeting.duration_ms)
        where = recording.equipment.message.link
        return f"The recording was stopped after {length}; the notes follow in {where}."

    async def _status(self, interaction: discord.Interaction) -> str:
        guild_id = interaction.guild_id or 0
        recording = self._studio.recording_in(guild_id)
        if recording is None:
            return PREPARING if self._studio.is_preparing(guild_id) else NOTHING_RUNS
        return _status(recording)


async def _respond(interaction: discord.Interaction, answer: Answer) -> None:
    """Acknowledge, then answer; whatever goes wrong becomes a sentence."""
    try:
        await interaction.response.defer(ephemeral=True, thinking=True)
    except discord.NotFound:
        log.warning("A command could not be acknowledged within 3 s; nothing was done")
        return
    try:
        text = await answer(interaction)
    except StandupError as problem:
        log.warning("A command was refused: %s", problem)
        text = str(problem)
    except Exception:
        log.exception("A command failed")
        text = DEFECT
    try:
        await interaction.edit_original_response(
            content=text, allowed_mentions=discord.AllowedMentions.none()
        )
    except discord.HTTPException as cause:
        log.warning("A command's answer could not be shown (status %d)", cause.status)


def _refusal(channel: discord.VoiceChannel, text: Text, me: discord.Member) -> str:
    """Return why the bot cannot record *channel* into *text*, or an empty string."""
    if me.voice is not None and me.voice.deaf:
        return DEAFENED
    in_voice = channel.permissions_for(me)
    needed = permissions.TO_POST_IN_THREAD if isinstance(text, discord.Thread) else permissions.TO_POST
    for place, granted, wanted in (
        (channel, in_voice, permissions.TO_LISTEN),
        (text, text.permissions_for(me), needed),
    ):
        labels = permissions.missing({name for name, is_granted in granted if is_granted}, wanted)
        if labels:
            return permissions.sentence(labels, place.id)
    is_full = channel.user_limit and len(channel.voice_states) >= channel.user_limit
    return FULL if is_full and not in_voice.move_members else ""


def _hidden(channel: discord.VoiceChannel, text: Text) -> str:
    """Return why the notice in *text* would be hidden from somebody in *channel*, or an empty string.

    Of somebody whose roles are not known, only what everyone may see is certain.
    """
    if isinstance(text, discord.Thread) and text.is_private():
        return PRIVATE_THREAD
    guild = channel.guild
    for user_id in people_in(channel):
        seer = guild.get_member(user_id) or guild.default_role
        if not text.permissions_for(seer).read_messages:
            return (
                f"I record nothing, because not everybody in <#{channel.id}> can see <#{text.id}>, where the recording "
                "notice would be posted; use the command in a channel that all of them can see."
            )
    return ""


def _running_already(recording: Recording) -> str:
    return (
        f"<#{recording.meeting.voice_channel_id}> is being recorded already, see {recording.equipment.message.link}; "
        "`/standup stop` ends that recording."
    )


def _status(recording: Recording) -> str:
    where = f"<#{recording.meeting.voice_channel_id}>"
    if recording.equipment.line.is_deafened:
        return DEAFENED
    if recording.is_deaf:
        return f"I cannot hear {where} at the moment and am rejoining; what is said now is not kept."
    kept = "the disk makes trouble, gaps are possible" if recording.is_degraded else "every packet is kept"
    return f"Recording {where} for {clock(recording.elapsed_ms)}, {recording.people} heard, {kept}."
