"""The transcript: its JSON form, and renderings in which speech stays text."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from standup.errors import InputRefused
from standup.meeting import Participant
from standup.transcript import (
    Outcome,
    Transcript,
    Utterance,
    clock,
    escape_markdown,
    parse,
    plain,
    serialize,
    transcript_markdown,
    transcript_srt,
    transcript_webvtt,
)

ANA, BEN = Participant("1", "Ana"), Participant("2", "Ben <i>&")


def said(text: str, *, speaker: str = "1", start_ms: int = 7000, end_ms: int = 9500) -> Utterance:
    return Utterance("u1", speaker, start_ms, end_ms).heard(text)


def transcript(*utterances: Utterance) -> Transcript:
    return Transcript("20261123T095800Z-1f0c9a2b", (ANA, BEN), utterances)


def shown(markdown: str) -> str:
    """Return the text that a CommonMark reader shows, with any construct marked as such."""
    found = []
    for block in MarkdownIt("commonmark").enable("strikethrough").enable("table").parse(markdown):
        if block.type not in ("paragraph_open", "paragraph_close", "inline"):
            found.append(f"<{block.type}>")
        for part in block.children or ():
            found.append(part.content if part.type in ("text", "text_special") else f"<{part.type}>")
    return "".join(found)


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=60))
def test_markdown_shows_what_was_said(text: str) -> None:
    """Escaped speech comes out of a CommonMark reader letter for letter, with no construct in it."""
    assert plain(text) == shown(escape_markdown(text))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("# heading", id="heading"),
        pytest.param("1. item", id="ordered list"),
        pytest.param("- item", id="list"),
        pytest.param("> quote", id="quote"),
        pytest.param("[x](http://evil)", id="link"),
        pytest.param("<img src=x onerror=alert(1)>", id="HTML"),
        pytest.param("a *b* `c` ~~d~~ __e__", id="emphasis"),
        pytest.param("&amp; &#42;", id="entities"),
        pytest.param("a | b", id="table"),
        pytest.param("back\\slash", id="backslash"),
    ],
)
def test_markdown_constructs_stay_text(text: str) -> None:
    """Each construct of Markdown is shown as it was said."""
    assert text == shown(escape_markdown(text))


@given(st.text(alphabet=st.characters(exclude_categories=[]), max_size=60))
def test_plain_text_is_one_encodable_line(text: str) -> None:
    """Whatever was recognized becomes a single line that UTF-8 can hold."""
    line = plain(text)
    assert [line] == line.encode().decode().splitlines() if line else line == ""


def test_an_utterance_that_could_not_be_read_says_so() -> None:
    """Failure is visible in the Markdown, verified silence is not."""
    failed = Utterance("u2", "1", 10_000, 11_000).failed("repetition")
    silent = Utterance("u3", "1", 12_000, 13_000).silent("no-speech")
    lines = transcript_markdown(transcript(said("Hello."), failed, silent)).splitlines()
    assert ["**[0:07] Ana:** Hello.", "**[0:10] Ana:** *(could not be read)*"] == [
        one for one in lines[1:] if one
    ]


def test_an_empty_transcript_says_that_nobody_spoke() -> None:
    """A meeting without speech still renders."""
    assert transcript_markdown(transcript()).endswith("\n\nNobody spoke.\n")


def test_webvtt_escapes_text_and_voice() -> None:
    """A cue has its id, its times, the escaped voice, and text in which an arrow is no timing line."""
    made = transcript_webvtt(transcript(said("a --> b\n\nWEBVTT <v Eve>", speaker="2")))
    assert (
        "WEBVTT\n\nu1\n00:00:07.000 --> 00:00:09.500\n"
        "<v Ben &lt;i&gt;&amp;>a --&gt; b WEBVTT &lt;v Eve&gt;</v>\n" == made
    )


def test_webvtt_cues_last_at_least_a_millisecond() -> None:
    """An utterance without length still gives a cue whose end lies after its start."""
    assert "00:00:07.000 --> 00:00:07.001" in transcript_webvtt(transcript(said("x", end_ms=7000)))


def test_webvtt_leaves_out_an_id_that_could_be_read_as_timing() -> None:
    """Only a plain word becomes a cue identifier."""
    odd = Utterance("1 --> 2", "1", 0, 1000).heard("Hello.")
    assert transcript_webvtt(transcript(odd)).startswith("WEBVTT\n\n00:00:00.000 --> ")


def test_srt_numbers_cues_and_disarms_tags() -> None:
    """SubRip has a number, comma times, the speaker, and no tag that a player would obey."""
    made = transcript_srt(transcript(said("<b>bold</b> {\\an8} -->", start_ms=3_600_000, end_ms=3_601_000)))
    head, text = made.split("\n", 2)[:2], made.split("\n", 2)[2]
    assert ["1", "01:00:00,000 --> 01:00:01,000"] == head
    assert not re.search(r"<[a-z/]|\{\\|-->", text)


@pytest.mark.parametrize(
    ("time_ms", "expected"),
    [
        pytest.param(0, "0:00", id="start"),
        pytest.param(7_999, "0:07", id="rounds down"),
        pytest.param(754_000, "12:34", id="minutes"),
        pytest.param(3_723_000, "1:02:03", id="hours"),
        pytest.param(-5, "0:00", id="never negative"),
    ],
)
def test_clock(time_ms: int, expected: str) -> None:
    """Meeting times read as people write them."""
    assert expected == clock(time_ms)


def test_json_round_trip() -> None:
    """What was said survives the JSON form."""
    before = transcript(said("Hello."))
    assert before == parse(json.dumps(serialize(before)))


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("{", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param('{"meeting": {}, "participants": []}', id="no utterances"),
        pytest.param(
            '{"meeting": {}, "participants": [], "utterances": [{"id": "u", "speaker": "9", "start_ms": 0, "end_ms": 1,'
            ' "text": "x"}]}',
            id="unknown speaker",
        ),
    ],
)
def test_foreign_json_is_refused(document: str) -> None:
    """A document that is no transcript raises InputRefused."""
    with pytest.raises(InputRefused):
        parse(document)


def test_utterances_are_sorted_and_only_words_are_spoken() -> None:
    """A transcript orders its utterances by time; `spoken` has those with words."""
    late = Utterance("u9", "1", 20_000, 21_000).heard("Later.")
    pending = Utterance("u5", "1", 10_000, 11_000)
    made = transcript(late, pending, said("First."))
    assert ["u1", "u5", "u9"] == [one.id for one in made.utterances]
    assert ["u1", "u9"] == [one.id for one in made.spoken]
    assert Outcome.PENDING is made.utterances[1].outcome
