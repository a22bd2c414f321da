"""The live thread's lines and messages: nothing lost, nothing twice, Discord's limit held, all of it harmless."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta, timezone
from itertools import chain, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.meeting import Meeting
from standup.notice import units
from standup.notice.card import CONTENT_UNITS
from standup.notice.thread import (
    FAREWELL,
    LATE_MS,
    WORD_CHARACTERS,
    Line,
    content,
    lines,
    pages,
    thread_name,
    unsaid,
)
from standup.transcript import Utterance, plain

STARTED_AT = datetime(2026, 11, 23, 23, 30, tzinfo=timezone.utc)
BREAK = "\u200b"  # zero-width space
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=[]), max_size=60)
#: Words with what Discord acts on, with characters of two units, and some longer than any line.
SPEECH = st.lists(
    st.sampled_from(
        ["so", "😀" * 300, "@everyone", "<@1>", "**", "x" * 2500, "_" * 1500, "https://a.b", "1."]
    ),
    min_size=1,
    max_size=12,
).map(" ".join)
TEXTS = SPEECH | ANY_TEXT.filter(lambda one: bool(plain(one)))
PAGED = st.lists(
    st.builds(Line, st.integers(0, 100_000), st.integers(1, CONTENT_UNITS).map(lambda count: "x" * count)),
    max_size=12,
)


def said(text: str, start_ms: int = 12_000, speaker: str = "5") -> Utterance:
    return Utterance(f"early-{speaker}-{start_ms}", speaker, start_ms, start_ms + 1000).heard(text)


def bare(text: str) -> str:
    """Return what is left of *text* without what defusing adds, and without white space."""
    return "".join(plain(text).replace(BREAK, "").replace("\\", "").split())


@pytest.mark.parametrize(
    ("name", "start_ms", "text", "expected"),
    [
        pytest.param("Ana", 12_400, "Good morning.", "**Ana** 0:12 Good morning.", id="plain"),
        pytest.param("Ana", 3_723_000, "Still here.", "**Ana** 1:02:03 Still here.", id="after an hour"),
        pytest.param("A*n*a", 0, "x", r"**A\*n\*a** 0:00 x", id="a name that formats"),
        pytest.param("@everyone", 0, "x", f"**@{BREAK}everyone** 0:00 x", id="a name that mentions"),
        pytest.param("\u202e", 0, "x", "**Somebody** 0:00 x", id="a name that shows nothing"),
        pytest.param("Ana", 0, "a\n# b", "**Ana** 0:00 a # b", id="line breaks"),
        pytest.param("Ana", 0, "tell @here", f"**Ana** 0:00 tell @{BREAK}here", id="a mention"),
    ],
)
def test_a_line(name: str, start_ms: int, text: str, expected: str) -> None:
    """A line tells who, when and what, and nothing in it formats or mentions."""
    assert lines(said(text, start_ms), name) == (Line(start_ms, expected),)


@given(text=TEXTS, name=ANY_TEXT)
def test_lines_hold_all_words(text: str, name: str) -> None:
    """However long somebody speaks: each line fits into a message, on one line, and no character is lost or doubled."""
    made = lines(said(text), name)
    head = made[0].text.partition("** 0:12 ")[0] + "** 0:12 "

    assert all(0 < units(one.text) <= CONTENT_UNITS for one in made)
    assert all(one.text.startswith(head) and "\n" not in one.text for one in made)
    assert bare("".join(one.text.removeprefix(head) for one in made)) == bare(text)


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        pytest.param(CONTENT_UNITS - 13, 1, id="just fits"),
        pytest.param(CONTENT_UNITS - 12, 2, id="one unit too long"),
    ],
)
def test_a_line_is_broken_where_it_must(count: int, expected: int) -> None:
    """A line takes all the room that there is; its head is `**Ana** 0:12 `."""
    words = "xx"[: 2 - count % 2] + " x" * ((count - 1) // 2)
    assert len(words) == count
    assert len(lines(said(words), "Ana")) == expected


def test_words_stay_whole() -> None:
    """A long utterance is broken between words, and in words only that are longer than any real one."""
    whole = "y" * WORD_CHARACTERS
    made = lines(said(" ".join([whole] * 15)), "Ana")
    words = chain.from_iterable(one.text.split(" ")[2:] for one in made)
    assert set(words) == {whole}


@given(known=PAGED, new=PAGED)
def test_pages_hold_all_lines(known: list[Line], new: list[Line]) -> None:
    """Every line stands in one message, in order of speaking, within the limit; no message is begun too early."""
    made = pages(known, new)
    flat = list(chain.from_iterable(made))

    assert Counter(flat) == Counter([*known, *new])
    assert flat == sorted([*known, *new], key=lambda one: one.start_ms)
    assert all(page and units(content(page)) <= CONTENT_UNITS for page in made)
    assert all(units(content((*page, after[0]))) > CONTENT_UNITS for page, after in pairwise(made))


@given(given_lines=PAGED, place=st.integers(0, 12))
def test_pages_grow(given_lines: list[Line], place: int) -> None:
    """Lines that come in order make the same messages, whether they come at once or one after another."""
    ordered = sorted(given_lines, key=lambda one: one.start_ms)
    *full, last = pages((), ordered[:place]) or ((),)
    assert tuple(one for one in (*full, *pages(last, ordered[place:])) if one) == pages((), ordered)


def test_a_late_line_finds_its_place() -> None:
    """What is read later than what followed it stands where it was said, as long as that message grows."""
    early, late, after = Line(1, "a"), Line(2, "b"), Line(3, "c")
    assert pages((early, after), (late,)) == ((early, late, after),)


def test_the_farewell_is_last() -> None:
    """Nothing comes after the farewell."""
    assert pages((Line(5, "a"),), (FAREWELL, Line(10**9, "b")))[-1][-1] is FAREWELL


def test_an_empty_thread() -> None:
    """Without lines there is no message."""
    assert pages((), ()) == ()


A, B, C = Line(0, "a"), Line(1000, "b"), Line(LATE_MS + 2000, "c")


@pytest.mark.parametrize(
    ("spoken", "posted", "expected"),
    [
        pytest.param([A, B], [], (A, B), id="nothing posted"),
        pytest.param([A, B, C], ["b\nc", "a"], (), id="all posted"),
        pytest.param([B, C], ["b"], (C,), id="the rest"),
        pytest.param([A, A], ["a"], (A,), id="the same twice, posted once"),
        pytest.param([A, C], ["c"], (), id="deleted long ago"),
        pytest.param([Line(2000, "x"), C], ["c"], (Line(2000, "x"),), id="read late"),
        pytest.param([A], ["a\nforeign"], (), id="something else too"),
        pytest.param([FAREWELL], [FAREWELL.text], (), id="the farewell posted"),
        pytest.param([FAREWELL], ["a"], (FAREWELL,), id="the farewell not posted"),
    ],
)
def test_unsaid(spoken: list[Line], posted: list[str], expected: tuple[Line, ...]) -> None:
    """After a restart only what the thread lacks is said, and nothing comes back that somebody deleted long ago."""
    assert unsaid(spoken, posted) == expected


@given(spoken=PAGED, done=st.integers(0, 12))
def test_unsaid_after_a_restart(spoken: list[Line], done: int) -> None:
    """Whatever messages stand when a recorder dies, the next one says the rest of the lines and no line twice."""
    before = pages((), spoken)[:done]
    rest = unsaid(spoken, [content(one) for one in before])
    assert Counter(one.text for one in (*chain.from_iterable(before), *rest)) == Counter(
        one.text for one in spoken
    )


@pytest.mark.parametrize(
    ("channel", "expected"),
    [
        pytest.param("Standup", "Standup 2026-11-23", id="channel and day"),
        pytest.param("", "Standup 2026-11-23", id="not known by name"),
        pytest.param("😀" * 100, f"{'😀' * 80} 2026-11-23", id="long"),
    ],
)
def test_the_threads_name(channel: str, expected: str) -> None:
    """A thread is named after its channel and the day in UTC, within Discord's 100 characters."""
    zone = timezone(timedelta(hours=2))
    meeting = Meeting(
        "20261123T233000Z-1f0c9a2b", "1", "2", "3", STARTED_AT.astimezone(zone), voice_channel_name=channel
    )
    assert thread_name(meeting) == expected
    assert len(expected) <= 100
