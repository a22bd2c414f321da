"""`/standup start | stop | status | schedule | unschedule | settings`.

Each command is acknowledged first of all, because Discord waits 3 s for that and joining takes longer; the answer
is seen by the asker only. What everybody sees is the meeting's one message.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import discord
from discord import app_commands

from standup.bot import obstacles
from standup.bot.endings import Ending
from standup.bot.recording import Recording
from standup.bot.schedule_desk import ScheduleDesk
from standup.bot.settings_desk import SettingsDesk, Wishes
from standup.bot.studio import DEFECT, Studio
from standup.errors import StandupError
from standup.template import TEMPLATES
from standup.transcript import clock

log = logging.getLogger(__name__)

STOP_S = 20.0
NOT_IN_VOICE = "Join the voice channel that is to be recorded, then try again."
STAGE_CHANNEL = "I cannot record stage channels; meet in an ordinary voice channel."
ONLY_IN_SERVERS = "I record voice channels of servers; there is nothing to record in a direct message."
NOT_A_TEXT_CHANNEL = "I cannot post here; use the command in a text channel or a thread of the server."
NOTHING_RUNS = "Nothing is being recorded in this server; `/standup start` begins."
PREPARING = "A recording is being begun here, or taken up again after a restart; ask again in a minute."
STOPS_SOON = (
    "The recording is only being begun, or taken up again after a restart; it stops as soon as that is done."
)

Answer = Callable[[discord.Interaction], Awaitable[str]]


class StandupCommands(app_commands.Group):
    """The command group. It decides nothing that it can leave to the studio."""

    def __init__(self, studio: Studio, desk: ScheduleDesk, settings: SettingsDesk) -> None:
        super().__init__(name="standup", description="Record a standup and post its notes", guild_only=True)
        self._studio = studio
        self._desk = desk
        self._settings = settings

    @app_commands.command(description="Record the voice channel you are in")
    async def start(self, interaction: discord.Interaction) -> None:
        """Record the asker's voice channel; the notice and the notes go to the channel of the command."""
        await _respond(interaction, self._start)

    @app_commands.command(description="Stop the recording and have the notes written")
    async def stop(self, interaction: discord.Interaction) -> None:
        """End the recording of this server."""
        await _respond(interaction, self._stop)

    @app_commands.command(description="Tell what is being recorded, and which standup is next")
    async def status(self, interaction: discord.Interaction) -> None:
        """Tell what is being recorded in this server, and which scheduled standup is next."""
        await _respond(interaction, self._status)

    @app_commands.command(description="Record a voice channel at set times, when somebody is there")
    @app_commands.describe(
        time="Local time, such as 10:00",
        days="Such as Mon-Fri, Tue,Thu or daily",
        timezone="Such as Europe/Berlin",
        channel="The voice channel; yours when left out",
    )
    async def schedule(
        self,
        interaction: discord.Interaction,
        time: str,
        days: str,
        timezone: str,
        channel: discord.VoiceChannel | None = None,
    ) -> None:
        """Schedule a voice channel's standup; its notes go to the channel of the command."""
        await _respond(interaction, lambda asked: self._desk.schedule(asked, channel, time, days, timezone))

    @schedule.autocomplete("timezone")
    async def _zones(self, _: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        return [app_commands.Choice(name=one, value=one) for one in await self._desk.zones(typed)]

    @app_commands.command(description="Take a voice channel's schedule back")
    @app_commands.describe(channel="The voice channel; yours when left out")
    async def unschedule(
        self, interaction: discord.Interaction, channel: discord.VoiceChannel | None = None
    ) -> None:
        """Take the schedule of a voice channel back."""
        await _respond(interaction, lambda asked: self._desk.unschedule(asked, channel))

    @app_commands.command(description="Tell or change how this server's meetings are read and shown")
    @app_commands.describe(
        template="What the notes show, and in which order",
        words="Project words as they are written, such as Grafana, Keycloak; none: forget them",
        language="Such as en; auto: found out for everybody; none: as the operator set it",
        tickets="How ids are written: # as in #205, a key such as OPS as in OPS-205; none: as spoken",
    )
    @app_commands.choices(template=[app_commands.Choice(name=one, value=one) for one in TEMPLATES])
    async def settings(
        self,
        interaction: discord.Interaction,
        template: str | None = None,
        words: str | None = None,
        language: str | None = None,
        tickets: str | None = None,
    ) -> None:
        """Tell or change what this server has chosen; without any option it only tells."""
        wishes = Wishes(template, words, language, tickets)
        await _respond(interaction, lambda asked: self._settings.settings(asked, wishes))

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
        if not isinstance(text, obstacles.Text):
            return NOT_A_TEXT_CHANNEL
        refusal = obstacles.present(channel, text)
        if refusal:
            return refusal
        recording = await self._studio.begin(channel, text, member.display_name)
        if recording.equipment.line.is_deafened:
            return obstacles.DEAFENED
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
        if recording is not None:
            told = _status(recording)
        else:
            told = PREPARING if self._studio.is_preparing(guild_id) else NOTHING_RUNS
        return "\n".join(filter(None, (told, self._desk.next_in(guild_id))))


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


def _running_already(recording: Recording) -> str:
    return (
        f"<#{recording.meeting.voice_channel_id}> is being recorded already, see {recording.equipment.message.link}; "
        "`/standup stop` ends that recording."
    )


def _status(recording: Recording) -> str:
    where = f"<#{recording.meeting.voice_channel_id}>"
    if recording.equipment.line.is_deafened:
        return obstacles.DEAFENED
    if recording.is_deaf:
        return f"I cannot hear {where} at the moment and am rejoining; what is said now is not kept."
    kept = "the disk makes trouble, gaps are possible" if recording.is_degraded else "every packet is kept"
    return f"Recording {where} for {clock(recording.elapsed_ms)}, {recording.people} heard, {kept}."
