"""The live thread: what was read stands there once, whatever fails, and nothing of it troubles the recording."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import Counter
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.bot import live_thread
from standup.bot.live_thread import LiveThread, LiveThreads
from standup.bot.message import MeetingMessage
from standup.bot.message_thread import MessageThread
from standup.early import early
from standup.errors import ArchiveUnreachable, ChannelForbidden, ChannelUnreachable, NotifyError
from standup.meeting import Participant
from standup.notice.thread import FAREWELL, LATE_MS
from standup.transcript import Transcript, Utterance
from tests.bot.doubles import MEETING_ID, TextDouble, eventually, new_meeting

NOTICE = 1001
PEOPLE = (Participant("5", "Ana"), Participant("6", "Ben"))


@pytest.fixture(autouse=True)
def _without_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_thread, "ROUND_S", 0.001)


class ThreadDouble:
    """The threads of one channel in memory; the next calls fail as told."""

    def __init__(self) -> None:
        self.threads: dict[int, dict[int, str]] = {}
        self.below: int | None = None
        self.is_archived = False
        self.errors: list[BaseException | None] = []
        self.calls: list[str] = []
        self.nonces: list[str] = []

    @property
    def texts(self) -> list[str]:
        """What stands in the thread of the notice."""
        return list(self.threads.get(NOTICE, {}).values())

    @property
    def said(self) -> list[str]:
        """Every line there."""
        return [line for text in self.texts for line in text.split("\n")]

    async def find(self, message_id: int) -> bool:
        self._called("find")
        self.below = message_id if message_id in self.threads else None
        return self.below is not None

    async def make(self, message_id: int, name: str) -> None:
        self._called("make")
        self.threads[message_id] = {}
        self.below = message_id

    async def own_texts(self) -> tuple[str, ...]:
        self._called("own_texts")
        return tuple(reversed(self._open.values()))

    async def post(self, text: str, nonce: str) -> int:
        self.nonces.append(nonce)
        self._called("post")
        number = len(self.nonces)
        self._open[number] = text
        self.is_archived = False
        return number

    async def edit(self, message_id: int, text: str) -> bool:
        self._called("edit")
        if message_id not in self._open or self.is_archived:
            return False
        self._open[message_id] = text
        return True

    async def archive(self) -> None:
        self._called("archive")
        self.is_archived = True

    async def empty(self) -> None:
        self._called("empty")
        self._open.clear()

    @property
    def _open(self) -> dict[int, str]:
        assert self.below is not None
        return self.threads[self.below]

    def _called(self, name: str) -> None:
        self.calls.append(name)
        error = self.errors.pop(0) if self.errors else None
        if error is not None:
            raise error


class Desk:
    """A meeting whose words a test has read, and its live thread."""

    def __init__(self) -> None:
        self.discord = ThreadDouble()
        self.message = MeetingMessage(TextDouble(), MEETING_ID, NOTICE)
        self.utterances: list[Utterance] = []
        self.error: BaseException | None = None
        self.reads: list[int] = []
        self.ended = asyncio.Event()
        self.live = self.restarted()

    def restarted(self) -> LiveThread:
        """Return the live thread of a recorder that knows nothing of the one before."""
        thread = cast(MessageThread, self.discord)
        return LiveThread(new_meeting(), self.message, thread, self._read)

    def read(self, start_ms: int, text: str, speaker: str = "5") -> None:
        """Store an utterance, as `standup.follow` does."""
        self.utterances.append(early(speaker, start_ms, start_ms + 500).heard(text))

    async def round(self) -> None:
        """Have one round done that nothing stands in the way of."""
        assert await self.live._try(self.live._round)

    async def _read(self, from_ms: int) -> Transcript:
        self.reads.append(from_ms)
        if self.error is not None:
            raise self.error
        return Transcript(
            MEETING_ID, PEOPLE, tuple(one for one in self.utterances if one.start_ms >= from_ms)
        )


@pytest.fixture
async def desk() -> Desk:
    return Desk()


async def test_words_appear_in_order_of_speaking(desk: Desk) -> None:
    """The thread is made with the first words; later ones go into the same message."""
    await desk.round()
    before = list(desk.discord.calls)
    desk.read(12_000, "Morning.", "6")
    desk.read(1_000, "Hello.")
    await desk.round()
    desk.read(20_000, "Shall we?")
    await desk.round()

    assert before == []
    assert desk.discord.calls == ["find", "make", "post", "edit"]
    assert desk.discord.texts == ["**Ana** 0:01 Hello.\n**Ben** 0:12 Morning.\n**Ana** 0:20 Shall we?"]


async def test_nothing_new_asks_nobody(desk: Desk) -> None:
    """A round without new words does not speak to Discord."""
    desk.read(0, "Hello.")
    await desk.round()
    before = len(desk.discord.calls)
    await desk.round()
    assert len(desk.discord.calls) == before


async def test_a_round_costs_the_same_at_every_minute(desk: Desk) -> None:
    """Only the last minutes are read again: what is older can have nothing new."""
    desk.read(0, "Hello.")
    await desk.round()
    desk.read(LATE_MS + 60_000, "Again.", "6")
    await desk.round()
    await desk.round()
    assert desk.reads == [0, 0, 60_000]


async def test_only_what_was_read_early(desk: Desk) -> None:
    """Neither silence nor the utterances of the capture stage are told."""
    desk.utterances = [
        early("5", 0, 10).silent("no-speech"),
        Utterance("u0001", "5", 0, 10).heard("Hello."),
    ]
    await desk.round()
    assert desk.discord.calls == []


async def test_a_full_message_is_followed_by_the_next(desk: Desk) -> None:
    """A long meeting makes few messages: each is full before the next is begun, and each has its own nonce."""
    for start_ms in range(0, 100_000, 1000):
        desk.read(start_ms, "word " * 20)
    await desk.round()
    desk.read(200_000, "last")
    await desk.round()

    assert [len(one) > 1800 for one in desk.discord.texts] == [True] * (len(desk.discord.texts) - 1) + [False]
    assert len(desk.discord.said) == 101
    assert len(set(desk.discord.nonces)) == len(desk.discord.texts)


async def test_goes_on_after_a_restart(desk: Desk) -> None:
    """The next recorder finds the thread and says only what is new, in a message of its own."""
    desk.read(0, "Hello.")
    await desk.round()

    desk.live = desk.restarted()
    await desk.round()
    desk.read(5_000, "Again.", "6")
    await desk.round()

    assert desk.discord.texts == ["**Ana** 0:00 Hello.", "**Ben** 0:05 Again."]
    assert desk.discord.calls.count("make") == 1


@pytest.mark.parametrize(
    "is_archived", [pytest.param(False, id="deleted"), pytest.param(True, id="archived")]
)
async def test_a_message_that_takes_no_edit(desk: Desk, is_archived: bool) -> None:
    """What comes after goes into a new message, and what somebody deleted does not come back."""
    desk.read(0, "Hello.")
    await desk.round()
    desk.discord.is_archived = is_archived
    if not is_archived:
        desk.discord.threads[NOTICE].clear()

    desk.read(5_000, "Again.")
    await desk.round()

    assert desk.discord.texts[-1] == "**Ana** 0:05 Again."
    assert desk.discord.said.count("**Ana** 0:00 Hello.") == int(is_archived)


async def test_a_notice_that_was_posted_again(desk: Desk) -> None:
    """All is said anew in the thread of the message that stands; nothing stays where the meeting finds it no more."""
    desk.read(0, "Hello.")
    await desk.round()
    desk.message.message_id = NOTICE + 1
    desk.read(5_000, "Again.")
    await desk.round()

    assert desk.discord.threads[NOTICE] == {}
    assert list(desk.discord.threads[NOTICE + 1].values()) == ["**Ana** 0:00 Hello.\n**Ana** 0:05 Again."]


async def test_a_thread_that_cannot_be_left_yet(desk: Desk) -> None:
    """The words wait while the old thread cannot be emptied, and move when it can."""
    desk.read(0, "Hello.")
    await desk.round()
    desk.message.message_id = NOTICE + 1
    desk.discord.errors = [ChannelUnreachable("Discord is away.")]
    await desk.live._try(desk.live._round)
    assert NOTICE + 1 not in desk.discord.threads
    await desk.round()

    assert desk.discord.threads == {NOTICE: {}, NOTICE + 1: {2: "**Ana** 0:00 Hello."}}


async def test_a_discord_that_is_away(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Words wait until Discord takes them, a retry carries the nonce of the first try, and it is logged once."""
    desk.read(0, "Secret.")
    away = ChannelUnreachable("Discord is away.")
    desk.discord.errors = [away, away, None, None, away]
    for _ in range(4):
        await desk.live._try(desk.live._round)

    assert desk.discord.texts == ["**Ana** 0:00 Secret."]
    assert len(set(desk.discord.nonces)) == 1
    assert len(desk.discord.nonces) == 2
    assert caplog.text.count("away") == 1
    assert "Secret" not in caplog.text


async def test_looking_again_after_half_a_look(desk: Desk) -> None:
    """A thread that was found but could not be read is read before anything is said in it."""
    desk.read(0, "Hello.")
    await desk.round()
    desk.live = desk.restarted()
    desk.discord.errors = [None, ChannelUnreachable("Discord is away.")]

    assert not await desk.live._try(desk.live._round)
    await desk.round()

    assert desk.discord.said == ["**Ana** 0:00 Hello."]


async def test_a_database_that_is_away(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    """Without the archive the thread waits; what was read meanwhile is told afterwards."""
    desk.read(0, "Hello.")
    desk.error = ArchiveUnreachable("The database is away.")
    running = asyncio.create_task(desk.live.run(desk.ended))
    await eventually(lambda: len(desk.reads) > 2, "several rounds")
    desk.error = None
    await eventually(lambda: desk.discord.said != [], "the words")
    desk.ended.set()
    await running

    assert desk.discord.said == ["**Ana** 0:00 Hello.", FAREWELL.text]
    assert caplog.text.count("database is away") == 1


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(ChannelForbidden("It is forbidden."), id="permission"),
        pytest.param(NotifyError("It is forbidden."), id="deleted"),
    ],
)
@pytest.mark.parametrize("call", ["find", "make", "post", "archive"])
async def test_refused(desk: Desk, caplog: pytest.LogCaptureFixture, error: Exception, call: str) -> None:
    """When Discord refuses for good the thread is left, with one line in the log that quotes nobody."""
    desk.discord.errors = [None] * ["find", "make", "post", "archive"].index(call) + [error]
    desk.read(0, "Secret.")
    desk.ended.set()

    await desk.live.run(desk.ended)

    assert desk.discord.calls[-1] == call
    assert [one.levelno for one in caplog.records] == [logging.WARNING]
    assert "Secret" not in caplog.text


async def test_the_end(desk: Desk) -> None:
    """The last words and the farewell are posted, then the thread is archived."""
    running = asyncio.create_task(desk.live.run(desk.ended))
    desk.read(0, "Hello.")
    await eventually(lambda: desk.discord.said != [], "the words")
    desk.read(9_000, "Bye.")
    desk.ended.set()
    await running

    assert desk.discord.said == ["**Ana** 0:00 Hello.", "**Ana** 0:09 Bye.", FAREWELL.text]
    assert desk.discord.is_archived


async def test_nobody_spoke(desk: Desk) -> None:
    """A meeting without words has no thread, not even for a farewell."""
    desk.ended.set()
    await desk.live.run(desk.ended)
    assert desk.discord.threads == {}


async def test_one_farewell(desk: Desk) -> None:
    """A Discord that fails while the thread ends is asked again, and says farewell once."""
    away = ChannelUnreachable("Discord is away.")
    desk.read(0, "Hello.")
    desk.discord.errors = [None, None, away, away, None, away]
    desk.ended.set()
    await desk.live.run(desk.ended)

    assert desk.discord.said == ["**Ana** 0:00 Hello.", FAREWELL.text]
    assert desk.discord.calls[-2:] == ["archive", "archive"]


async def test_the_end_is_not_waited_for_without_limit(desk: Desk) -> None:
    """A Discord that stays away ends the work too; it archives the thread by itself."""
    desk.read(0, "Hello.")
    desk.discord.errors = [ChannelUnreachable("Discord is away.")] * 1000
    desk.ended.set()
    await asyncio.wait_for(desk.live.run(desk.ended), 10)
    assert not desk.discord.is_archived


@pytest.mark.parametrize(
    ("texts", "is_archived", "expected"),
    [
        pytest.param(None, False, [], id="no thread"),
        pytest.param(["a"], True, ["a"], id="archived"),
        pytest.param(["a"], False, ["a", FAREWELL.text], id="open"),
        pytest.param(["a", FAREWELL.text], False, ["a", FAREWELL.text], id="only not archived"),
    ],
)
async def test_finishing_what_an_earlier_run_left(
    desk: Desk, texts: list[str] | None, is_archived: bool, expected: list[str]
) -> None:
    """A meeting that ended without this recorder gets its farewell once, and no thread is made or opened for it."""
    if texts is not None:
        desk.discord.threads[NOTICE] = dict(enumerate(texts))
    desk.discord.is_archived = is_archived
    await desk.live.finish()

    assert desk.discord.said == expected
    assert desk.discord.is_archived is (texts is not None)


#: What happens, one after another: words are read, Discord fails at the next call, the recorder dies, a round is done.
HAPPENINGS = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(0, 90), st.integers(1, 900)),
        st.tuples(st.just("fail"), st.integers(0, 2), st.just(0)),
        st.tuples(st.just("die"), st.just(0), st.just(0)),
        st.tuples(st.just("round"), st.just(0), st.just(0)),
    ),
    max_size=40,
)


@given(happenings=HAPPENINGS)
async def test_nothing_lost_and_nothing_twice(happenings: list[tuple[str, int, int]]) -> None:
    """Whatever fails before it is done and whenever the recorder dies, in the end each line stands there once."""
    desk = Desk()
    for number, (what, first, second) in enumerate(happenings):
        if what == "read" and first * 1000 not in [one.start_ms for one in desk.utterances]:
            desk.read(first * 1000, f"{number} {'x' * second}")
        elif what == "fail":
            desk.discord.errors = [None] * first + [ChannelUnreachable("Discord is away.")]
        elif what == "die":
            desk.live = desk.restarted()
        elif what == "round":
            await desk.live._try(desk.live._round)
            desk.discord.errors = []
    desk.discord.errors = []
    await desk.round()

    numbers = Counter(line.split(" ")[2] for line in desk.discord.said if line.startswith("**"))
    assert numbers == Counter(one.text.split(" ")[0] for one in desk.utterances)


async def test_one_thread_reads_for_all_meetings(caplog: pytest.LogCaptureFixture) -> None:
    """A database that does not answer holds one thread, and no meeting's round for longer than its time."""
    names: list[str] = []

    def read(meeting_id: str, from_ms: int) -> Transcript:
        names.append(threading.current_thread().name)
        return Transcript(meeting_id, (), ())

    bot = cast(Any, SimpleNamespace(get_guild=lambda _: None))
    threads = LiveThreads(bot, read)
    ended = asyncio.Event()
    ended.set()
    message = MeetingMessage(TextDouble(), MEETING_ID)
    await asyncio.gather(*(threads.follow(new_meeting(), message, ended) for _ in range(3)))
    await threads.finish(new_meeting(), message)

    assert len(names) == 3
    assert len(set(names)) == 1
    assert names[0].startswith("live thread")
