"""The slash commands: acknowledged first, answered in sentences, refused where they cannot work."""

from __future__ import annotations

import asyncio
from dataclasses import fields
from types import SimpleNamespace
from typing import Any, cast
from unittest.mock import Mock

import discord
import pytest

from standup.bot import commands, obstacles
from standup.bot.commands import StandupCommands
from standup.bot.endings import Ending
from standup.bot.recording import Recording
from standup.bot.schedule_desk import ScheduleDesk
from standup.bot.settings_desk import SettingsDesk, Wishes
from standup.bot.studio import Studio
from standup.errors import AudioCaptureError
from standup.meeting import Gap
from standup.template import TEMPLATES
from tests.bot.doubles import GUILD, OWN, TEXT, VOICE, Stage, refusal


class StudioDouble:
    """A studio with at most one recording."""

    def __init__(self, recording: Recording | None = None) -> None:
        self.recording = recording
        self.begun = Stage().recording
        self.error: Exception | None = None
        self.prepares = False
        self.is_unwanted = False

    def stop_once_begun(self, guild_id: int) -> bool:
        self.is_unwanted = self.is_preparing(guild_id)
        return self.is_unwanted

    def is_preparing(self, guild_id: int) -> bool:
        return self.prepares and guild_id == GUILD

    def recording_in(self, guild_id: int) -> Recording | None:
        return self.recording if guild_id == GUILD else None

    async def begin(self, channel: Any, text: Any, started_by: str) -> Recording:
        if self.error is not None:
            raise self.error
        return self.begun


class ResponseDouble:
    """Remembers the acknowledgement."""

    def __init__(self) -> None:
        self.is_deferred = False
        self.error: Exception | None = None

    async def defer(self, *, ephemeral: bool, thinking: bool) -> None:
        assert ephemeral
        if self.error is not None:
            raise self.error
        self.is_deferred = True


class DeskDouble:
    """A desk with at most one schedule."""

    def __init__(self) -> None:
        self.next = ""

    def next_in(self, guild_id: int) -> str:
        return self.next


def permissions(**flags: bool) -> discord.Permissions:
    granted = discord.Permissions.all()
    granted.update(administrator=False, move_members=False, **flags)
    return granted


class Ask:
    """Somebody in a voice channel of a guild, asking in a text channel; change what the test is about."""

    def __init__(self) -> None:
        self.members = {5: SimpleNamespace(id=5, bot=False)}
        self.guild: Any = SimpleNamespace(
            id=GUILD,
            me=SimpleNamespace(id=OWN, voice=None),
            get_member=self.members.get,
            default_role=SimpleNamespace(id=GUILD),
        )
        self.channel: Any = Mock(
            spec=discord.VoiceChannel, id=VOICE, user_limit=0, voice_states={5: None}, guild=self.guild
        )
        self.channel.permissions_for.return_value = permissions()
        self.text: Any = Mock(spec=discord.TextChannel, id=TEXT)
        self.text.permissions_for.return_value = permissions()
        self.user: Any = Mock(
            spec=discord.Member, voice=SimpleNamespace(channel=self.channel), display_name="Ana"
        )
        self.desk = DeskDouble()
        self.response = ResponseDouble()
        self.answers: list[str] = []
        self.answer_error: Exception | None = None

    async def __call__(self, studio: StudioDouble, subcommand: str) -> str:
        group = StandupCommands(cast(Studio, studio), cast(ScheduleDesk, self.desk), cast(SettingsDesk, None))
        interaction = SimpleNamespace(
            user=self.user,
            guild=self.guild,
            guild_id=self.guild.id if self.guild else None,
            channel=self.text,
            response=self.response,
            edit_original_response=self._edit,
        )
        await cast(Any, getattr(group, subcommand)).callback(group, interaction)
        return self.answers[-1] if self.answers else ""

    async def _edit(self, *, content: str, allowed_mentions: discord.AllowedMentions) -> None:
        assert self.response.is_deferred
        if self.answer_error is not None:
            raise self.answer_error
        self.answers.append(content)


@pytest.fixture
def ask() -> Ask:
    return Ask()


def test_the_templates_are_offered(ask: Ask) -> None:
    """Discord shows every template there is to choose, and no other."""
    (option,) = [one for one in StandupCommands.settings.parameters if one.name == "template"]
    assert [one.value for one in option.choices] == list(TEMPLATES)


def test_everything_that_can_be_set_is_offered() -> None:
    """Discord shows an option for every wish, described, and none is required."""
    offered = StandupCommands.settings.parameters
    assert [one.name for one in offered] == [one.name for one in fields(Wishes)]
    assert not any(one.required for one in offered)
    assert all(1 < len(str(one.description)) <= 100 for one in offered)


async def test_start(ask: Ask) -> None:
    """Whoever sits in voice gets a recording and is told where the notes will be."""
    answer = await ask(StudioDouble(), "start")

    assert answer == f"I am recording <#{VOICE}>; the notes will be posted in <#{TEXT}>."


def _in_a_direct_message(ask: Ask) -> None:
    ask.guild = None


def _outside_voice(ask: Ask) -> None:
    ask.user.voice = None


def _on_a_stage(ask: Ask) -> None:
    ask.user.voice.channel = Mock(spec=discord.StageChannel)


def _in_a_forum(ask: Ask) -> None:
    ask.text = Mock(spec=discord.ForumChannel)


def _without_connect(ask: Ask) -> None:
    ask.channel.permissions_for.return_value = permissions(connect=False)


def _without_sending(ask: Ask) -> None:
    ask.text.permissions_for.return_value = permissions(send_messages=False)


def _without_sending_in_threads(ask: Ask) -> None:
    ask.text = Mock(spec=discord.Thread, id=TEXT)
    ask.text.permissions_for.return_value = permissions(send_messages_in_threads=False)
    ask.text.is_private.return_value = False


def _without_history(ask: Ask) -> None:
    ask.text.permissions_for.return_value = permissions(read_message_history=False)


def _in_a_full_channel(ask: Ask) -> None:
    ask.channel.user_limit = 1


def _hidden_from(ask: Ask, hidden_id: int) -> None:
    ask.text.permissions_for = lambda one: permissions(read_messages=one.id != hidden_id)


def _where_somebody_cannot_see_it(ask: Ask) -> None:
    _hidden_from(ask, 5)


def _where_somebody_unknown_may_not_see_it(ask: Ask) -> None:
    ask.channel.voice_states = {5: None, 6: None}
    _hidden_from(ask, GUILD)


def _in_a_private_thread(ask: Ask) -> None:
    ask.text = Mock(spec=discord.Thread, id=TEXT)
    ask.text.permissions_for.return_value = permissions()
    ask.text.is_private.return_value = True


def _deafened(ask: Ask) -> None:
    ask.guild.me.voice = SimpleNamespace(deaf=True)


@pytest.mark.parametrize(
    ("circumstance", "expected"),
    [
        pytest.param(_in_a_direct_message, commands.ONLY_IN_SERVERS, id="direct message"),
        pytest.param(_outside_voice, commands.NOT_IN_VOICE, id="not in voice"),
        pytest.param(_on_a_stage, commands.STAGE_CHANNEL, id="stage channel"),
        pytest.param(_in_a_forum, commands.NOT_A_TEXT_CHANNEL, id="no text channel"),
        pytest.param(_without_connect, f"**Connect** in <#{VOICE}>", id="may not connect"),
        pytest.param(_without_sending, f"**Send Messages** in <#{TEXT}>", id="may not post"),
        pytest.param(
            _without_sending_in_threads, "**Send Messages in Threads**", id="may not post in threads"
        ),
        pytest.param(_without_history, f"**Read Message History** in <#{TEXT}>", id="may not look back"),
        pytest.param(_in_a_full_channel, obstacles.FULL, id="channel full"),
        pytest.param(
            _where_somebody_cannot_see_it,
            f"not everybody in <#{VOICE}> can see <#{TEXT}>",
            id="hidden notice",
        ),
        pytest.param(_where_somebody_unknown_may_not_see_it, f"can see <#{TEXT}>", id="hidden from everyone"),
        pytest.param(_in_a_private_thread, obstacles.PRIVATE_THREAD, id="private thread"),
        pytest.param(_deafened, obstacles.DEAFENED, id="deafened"),
    ],
)
async def test_start_is_refused(ask: Ask, circumstance: Any, expected: str) -> None:
    """Each obstacle has its own sentence, and nothing is begun."""
    studio = StudioDouble()
    studio.error = AssertionError("begun all the same")
    circumstance(ask)

    assert expected in await ask(studio, "start")


async def test_bots_need_not_see_the_notice(ask: Ask) -> None:
    """Bots are not recorded; a channel that only they cannot see is good enough."""
    ask.members[6] = SimpleNamespace(id=6, bot=True)
    ask.channel.voice_states = {5: None, 6: None, OWN: None}
    _hidden_from(ask, 6)

    assert "I am recording" in await ask(StudioDouble(), "start")


async def test_start_in_a_public_thread(ask: Ask) -> None:
    """Whoever sees its channel sees a public thread."""
    ask.text = Mock(spec=discord.Thread, id=TEXT)
    ask.text.permissions_for.return_value = permissions()
    ask.text.is_private.return_value = False

    assert "I am recording" in await ask(StudioDouble(), "start")


async def test_start_of_a_bot_that_turns_out_to_be_deafened(ask: Ask) -> None:
    """Being deafened shows only once the bot has joined; the answer then claims no recording."""
    studio = StudioDouble()
    studio.begun = stage_deafened()

    answer = await ask(studio, "start")

    assert answer == obstacles.DEAFENED


def stage_deafened() -> Recording:
    stage = Stage()
    stage.line.is_deafened = True
    return stage.recording


@pytest.mark.parametrize("subcommand", ["start", "status"])
async def test_a_recording_that_is_being_prepared(ask: Ask, subcommand: str) -> None:
    """While a recording begins or is taken up after a restart, nobody is told that there is none."""
    studio = StudioDouble()
    studio.prepares = True
    studio.error = AssertionError("begun all the same")

    assert await ask(studio, subcommand) == commands.PREPARING


async def test_stop_while_a_recording_is_being_prepared(ask: Ask) -> None:
    """A wish to stop that comes early is remembered."""
    studio = StudioDouble()
    studio.prepares = True

    answer = await ask(studio, "stop")

    assert studio.is_unwanted
    assert answer == commands.STOPS_SOON


async def test_status_of_a_deafened_bot(ask: Ask) -> None:
    """Status names what a moderator has to undo."""
    assert await ask(StudioDouble(stage_deafened()), "status") == obstacles.DEAFENED


async def test_start_twice(ask: Ask) -> None:
    """A running recording is pointed to."""
    answer = await ask(StudioDouble(Stage().recording), "start")

    assert "is being recorded already" in answer


async def test_our_errors_are_answers(ask: Ask) -> None:
    """What the studio could not do is told in its own words."""
    studio = StudioDouble()
    studio.error = AudioCaptureError("I could not join; check UDP.")

    assert await ask(studio, "start") == "I could not join; check UDP."


async def test_defects_tell_nothing_private(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected error is logged, and the asker is sent to the operator."""
    studio = StudioDouble()
    studio.error = KeyError("something private")

    answer = await ask(studio, "start")

    assert "errors.log" in answer
    assert "private" not in answer
    assert "A command failed" in caplog.text


async def test_too_late_to_acknowledge(ask: Ask) -> None:
    """A command that Discord has given up on does nothing."""
    studio = StudioDouble()
    studio.error = AssertionError("begun all the same")
    ask.response.error = refusal(discord.NotFound, 404)

    assert await ask(studio, "start") == ""


async def test_an_answer_that_cannot_be_shown(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """A lost answer is logged; what was done stays done."""
    ask.answer_error = refusal(discord.DiscordServerError, 503)

    await ask(StudioDouble(), "status")

    assert "could not be shown (status 503)" in caplog.text


async def test_stop(ask: Ask) -> None:
    """Stop ends the recording and answers once everything is on disk."""
    recording = Stage().recording
    asking = asyncio.create_task(ask(StudioDouble(recording), "stop"))
    await asyncio.sleep(0)

    await recording.close(Ending.ASKED)

    assert "was stopped after 0:00" in await asyncio.wait_for(asking, 5)
    assert recording.ending is Ending.ASKED


async def test_a_slow_stop_is_answered(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that takes its time does not leave the asker without an answer."""
    monkeypatch.setattr(commands, "STOP_S", 0.001)

    answer = await ask(StudioDouble(Stage().recording), "stop")

    assert "takes longer than usual" in answer


@pytest.mark.parametrize("subcommand", ["stop", "status"])
async def test_nothing_runs(ask: Ask, subcommand: str) -> None:
    """Without a recording there is nothing to stop or tell."""
    assert await ask(StudioDouble(), subcommand) == commands.NOTHING_RUNS


async def test_status(ask: Ask) -> None:
    """Status tells what is recorded, and that it is kept."""
    answer = await ask(StudioDouble(Stage().recording), "status")

    assert answer == f"Recording <#{VOICE}> for 0:00, 0 heard, every packet is kept."


async def test_status_tells_the_next_standup(ask: Ask) -> None:
    """Below what goes on stands what is scheduled."""
    ask.desk.next = "Next standup: soon."

    assert await ask(StudioDouble(), "status") == f"{commands.NOTHING_RUNS}\nNext standup: soon."


async def test_status_of_a_deaf_bot(ask: Ask) -> None:
    """A bot that cannot hear never claims to record."""
    recording = Stage().recording
    recording.gaps.closed.append(Gap(0, 1))
    recording.gaps.begin(5)

    answer = await ask(StudioDouble(recording), "status")

    assert answer.startswith(f"I cannot hear <#{VOICE}>")
