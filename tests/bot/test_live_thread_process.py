"""The recorder as a real process beside the loopback Discord: what a worker reads stands in the thread."""

from __future__ import annotations

import signal
from collections.abc import Awaitable, Callable

import pytest

from standup.archive import Archive
from standup.early import early
from standup.errors import MeetingNotFound, StandupError
from standup.notice.thread import FAREWELL
from standup.simulator.participant import Participant
from standup.simulator.permissions import Permission
from standup.simulator.server import LoopbackDiscord
from tests.bot.programs import WAIT_S, Ask, Frames, MakeProgram, Program

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

QUICK = "from standup.bot import live_thread; live_thread.ROUND_S = 0.3"
Begin = Callable[..., Awaitable[Program]]


@pytest.fixture
def begin(discord: LoopbackDiscord, program: MakeProgram, ana: Participant, answer_to: Ask) -> Begin:
    """Return a function that starts a recorder and a recording."""

    async def begin(**settings: str) -> Program:
        recorder = program("voice_recorder", discord, before=QUICK, **settings)
        recorder.start()
        await discord.wait_for_bot(timeout_s=WAIT_S)
        await answer_to(discord, ana, "start")
        await discord.wait_for_bot_voice(timeout_s=WAIT_S)
        return recorder

    return begin


class Reader:
    """Stores words of the one meeting as the task `standup.follow` does."""

    def __init__(self, discord: LoopbackDiscord, recorder: Program) -> None:
        self._discord = discord
        self._archive = Archive(f"sqlite:///{recorder.data_dir / 'standup.sqlite3'}", str(recorder.data_dir))
        self.meeting_id = recorder.manifest().meeting.id

    async def read(self, speaker: Participant, start_ms: int, text: str) -> None:
        await self._discord.wait_until(self._is_known, WAIT_S, "the meeting in the archive")
        utterance = early(str(speaker.user_id), start_ms, start_ms + 500).heard(text)
        assert self._archive.keep_early(self.meeting_id, [utterance])

    def _is_known(self) -> bool:
        try:
            return self._archive.meeting(self.meeting_id).id == self.meeting_id
        except (MeetingNotFound, StandupError):
            return False


def lines(discord: LoopbackDiscord) -> list[str]:
    """Return what stands in the one thread."""
    return [
        line
        for one in discord.world.threads
        for text in discord.messages(one)
        for line in text.content.split("\n")
    ]


async def test_words_appear_once_and_go_on_after_a_restart(
    discord: LoopbackDiscord, begin: Begin, ana: Participant, answer_to: Ask
) -> None:
    """Words stand below the notice while people talk; killing the recorder says nothing twice; farewell ends it."""
    recorder = await begin(LIVE_THREAD="true")
    reader = Reader(discord, recorder)
    (notice,) = discord.messages(discord.text_channel_id)

    await reader.read(ana, 12_000, "Yesterday I finished @everyone.")
    await discord.wait_until(lambda: len(lines(discord)) == 1, WAIT_S, "the first words")
    await recorder.end(signal.SIGKILL)
    recorder.start()
    await discord.wait_until(
        lambda: "Recording resumed" in recorder.log("recorder"), WAIT_S, "the continued meeting"
    )
    await reader.read(ana, 42_000, "Today I rest.")
    await discord.wait_until(lambda: len(lines(discord)) == 2, WAIT_S, "the next words")
    await answer_to(discord, ana, "stop")
    await discord.wait_until(
        lambda: all(one.is_archived for one in discord.world.threads.values()), WAIT_S, "the archived thread"
    )

    (thread,) = discord.world.threads.values()
    day = recorder.manifest().meeting.started_at
    assert (thread.id, thread.name, thread.archive_minutes) == (notice.id, f"Standup {day:%Y-%m-%d}", 60)
    assert lines(discord) == [
        "**Ana** 0:12 Yesterday I finished @\u200beveryone.",
        "**Ana** 0:42 Today I rest.",
        FAREWELL.text,
    ]
    assert {ping for one in discord.messages(thread.id) for ping in one.pinged} == set()
    assert discord.violations == []
    assert "Yesterday" not in recorder.log("recorder")


async def test_a_notice_that_somebody_deleted(
    discord: LoopbackDiscord, begin: Begin, ana: Participant, answer_to: Ask
) -> None:
    """All is said anew below the notice that is posted again, and nothing of it stays in the old thread."""
    recorder = await begin(LIVE_THREAD="true")
    reader = Reader(discord, recorder)
    (notice,) = discord.messages(discord.text_channel_id)
    await reader.read(ana, 12_000, "Hello.")
    await discord.wait_until(lambda: len(lines(discord)) == 1, WAIT_S, "the first words")

    del discord.world.messages[notice.id]
    await discord.wait_until(
        lambda: len(discord.world.threads) == 2 and len(lines(discord)) == 1,
        WAIT_S,
        "the words in a new thread",
    )
    await answer_to(discord, ana, "stop")

    assert discord.messages(notice.id) == ()
    assert discord.world.threads[notice.id].is_archived
    assert discord.violations == []


@pytest.mark.parametrize(
    "denied",
    [
        pytest.param(Permission.CREATE_PUBLIC_THREADS, id="no thread may be made"),
        pytest.param(Permission.SEND_MESSAGES_IN_THREADS, id="nothing may be written"),
    ],
)
async def test_without_permission_the_recording_goes_on(
    discord: LoopbackDiscord,
    begin: Begin,
    ana: Participant,
    frames: Frames,
    answer_to: Ask,
    denied: Permission,
) -> None:
    """A thread that is forbidden is left with one line in the log; what is said is kept."""
    discord.deny(discord.text_channel_id, denied)
    recorder = await begin(LIVE_THREAD="true")

    await Reader(discord, recorder).read(ana, 0, "Secret plans.")
    await discord.wait_until(lambda: "live thread ends" in recorder.log("recorder"), WAIT_S, "the warning")
    await recorder.hear(discord, ana, frames(1, 20))
    await answer_to(discord, ana, "stop")

    assert lines(discord) == []
    assert recorder.payloads(ana.user_id) == frames(1, 20)
    assert recorder.log("recorder").count("live thread ends") == 1
    assert "Secret" not in recorder.log("recorder")


async def test_a_deleted_thread_is_left(
    discord: LoopbackDiscord, begin: Begin, ana: Participant, answer_to: Ask
) -> None:
    """Who deletes the thread ends it: no other is made, and the recording goes on."""
    recorder = await begin(LIVE_THREAD="true")
    reader = Reader(discord, recorder)
    await reader.read(ana, 0, "Hello.")
    await discord.wait_until(lambda: lines(discord) != [], WAIT_S, "the first words")

    discord.delete_thread(next(iter(discord.world.threads)))
    await reader.read(ana, 9_000, "Again.")
    await discord.wait_until(lambda: "live thread ends" in recorder.log("recorder"), WAIT_S, "the warning")
    answer = await answer_to(discord, ana, "stop")

    assert discord.world.threads == {}
    assert "was stopped" in answer


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="default"),
        pytest.param({"LIVE_THREAD": "true", "LIVE": "false"}, id="nothing is read"),
    ],
)
async def test_off(
    discord: LoopbackDiscord, begin: Begin, ana: Participant, answer_to: Ask, settings: dict[str, str]
) -> None:
    """Without the setting, or without reading ahead, no thread is asked for; meanwhile the notice is edited."""
    recorder = await begin(**settings)
    await Reader(discord, recorder).read(ana, 0, "Hello.")
    (notice,) = discord.messages(discord.text_channel_id)
    await discord.wait_until(
        lambda: discord.world.messages[notice.id].edits > 0, WAIT_S, "an edit of the notice"
    )
    await answer_to(discord, ana, "stop")

    assert [one for one in discord.admission.calls if one == "GET /channels/{channel_id}"] == []
    assert discord.world.threads == {}
