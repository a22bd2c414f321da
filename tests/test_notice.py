"""Notices: harmless text, Discord's limits, and what each one says."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from standup.continuity import Became, Relation
from standup.meeting import Gap, Meeting, PacketCounts, Participant, Track
from standup.notice import (
    Card,
    Field,
    Notice,
    coverage,
    cut,
    defuse,
    failure,
    notes,
    opening,
    progress,
    recording,
    unheard,
    units,
    unsighted,
)
from standup.notice.card import total
from standup.summary import Item, Kind, Summary
from standup.template import TEMPLATES, Template, template
from standup.transcript import Transcript, Utterance, plain

MEETING_ID = "20261123T095800Z-1f0c9a2b"
STARTED_AT = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = Meeting(MEETING_ID, "10", "20", "30", STARTED_AT, STARTED_AT + timedelta(minutes=12, seconds=34))

#: What Discord acts on, looked for after every escaped character has been taken out.
ACTIVE = re.compile(
    r"@everyone|@here|<@[!&]?\d+>|<#\d+>|</[^>]*:\d+>|<t:[^>]*>|<a?:\w+:\d+>|<id:\w+>"  # mentions and the like
    r"|[*_`~|]|\[[^\]]*\]\("  # emphasis, code, strike-out, spoilers, masked links
    r"|^(?:#{1,3}|-#|>|>>>|[-*+]|\d+[.)])(?=\s|$)"  # headings, small print, quotes, lists
    r"|\w+://\S|discord(?:app)?\.\w"  # links and invites
)
ANY_TEXT = st.text(alphabet=st.characters(exclude_categories=[]), max_size=80)
MARKUP = st.lists(
    st.sampled_from(
        [
            *"@<>#&!*_`~|[]()\\/:-+.1 ax",
            "everyone",
            "here",
            "https://",
            "discord.gg/x",
            "<@1>",
            "\n",
            "\u200b",
            "\u202e",
        ]
    ),
    max_size=30,
).map("".join)


def without_escapes(text: str) -> str:
    return re.sub(r"\\[^0-9A-Za-z\s]", "\x00", text)


@given(ANY_TEXT | MARKUP)
def test_defused_text_has_nothing_active(text: str) -> None:
    """No mention, formatting or link survives, whatever was said."""
    assert not ACTIVE.search(without_escapes(defuse(text)))


@given(ANY_TEXT | MARKUP)
def test_defused_text_reads_the_same(text: str) -> None:
    """Taking away what a reader does not see gives the words back."""
    seen = re.sub(r"\\([^0-9A-Za-z\s])", r"\1", defuse(text).replace("\u200b", ""))
    assert plain(text) == seen


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("@everyone look", id="everyone"),
        pytest.param("@here", id="here"),
        pytest.param("<@123456789012345678>", id="user"),
        pytest.param("<@&123456789012345678>", id="role"),
        pytest.param("<#123456789012345678>", id="channel"),
        pytest.param("</standup stop:123456789012345678>", id="command"),
        pytest.param("<t:1700000000:R>", id="timestamp"),
        pytest.param("<a:party:123456789012345678>", id="custom emoji"),
        pytest.param("**bold** __under__ ~~gone~~ ||secret||", id="formatting"),
        pytest.param("```ansi\nred\n```", id="code block"),
        pytest.param("# heading", id="heading"),
        pytest.param("-# small print", id="small print"),
        pytest.param("> quote", id="quote"),
        pytest.param("1. item", id="ordered list"),
        pytest.param("[click](https://evil.example)", id="masked link"),
        pytest.param("see https://evil.example/x.png", id="bare link"),
        pytest.param("discord.gg/abcdef", id="invite"),
    ],
)
def test_markup_is_active_before_and_not_after(text: str) -> None:
    """Each thing that Discord acts on is recognised by this test, and gone from the defused text."""
    assert [True, False] == [bool(ACTIVE.search(one)) for one in (text, without_escapes(defuse(text)))]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Merged PR #45 (v2.4.1), 3 < 4 & 5 > 2.", id="ordinary"),
        pytest.param("Über-schöne Änderung: naïve café 日本語 👩‍👩‍👧", id="letters and emoji"),
    ],
)
def test_ordinary_speech_is_left_alone(text: str) -> None:
    """Text without markup is not changed at all."""
    assert text == defuse(text)


@given(ANY_TEXT, st.integers(1, 60))
def test_cut_keeps_to_its_limit_and_to_whole_words(text: str, limit: int) -> None:
    """A cut text fits, and is made of the first words of the whole."""
    whole = defuse(text)
    short = cut(whole, limit)
    assert units(short) <= limit
    kept = short.removesuffix("…").split()
    assert short == whole or whole.split()[: len(kept)] == kept


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda: Notice("x" * 2001), id="content"),
        pytest.param(lambda: Notice("😀" * 1001), id="content in UTF-16"),
        pytest.param(lambda: Notice(""), id="nothing"),
        pytest.param(lambda: Notice("x", (Card(),) * 11), id="cards"),
        pytest.param(lambda: Notice("x", (Card(description="x" * 4000),) * 2), id="total"),
        pytest.param(lambda: Card(title="x" * 257), id="title"),
        pytest.param(lambda: Card(description="x" * 4097), id="description"),
        pytest.param(lambda: Card(footer="x" * 2049), id="footer"),
        pytest.param(lambda: Card(fields=(Field("a", "b"),) * 26), id="fields"),
        pytest.param(lambda: Card(colour=0x1000000), id="colour"),
        pytest.param(lambda: Field("", "b"), id="empty name"),
        pytest.param(lambda: Field("x" * 257, "b"), id="name"),
        pytest.param(lambda: Field("a", ""), id="empty value"),
        pytest.param(lambda: Field("a", "x" * 1025), id="value"),
        pytest.param(lambda: Notice("\ud800"), id="half a character"),
    ],
)
def test_a_notice_beyond_a_limit_cannot_exist(make: object) -> None:
    """Each of Discord's limits is kept by the constructor."""
    assert callable(make)
    with pytest.raises(ValueError, match=r"units|fields|cards|colour|says|surrogates"):
        make()


def a_meeting(names: list[str], texts: list[str]) -> tuple[Summary, Transcript]:
    """Return a meeting in which everybody says all texts, each of them an item of every kind."""
    people = tuple(Participant(str(place), name) for place, name in enumerate(names))
    spoken = tuple(
        Utterance(f"u{one.id}", one.id, int(one.id) * 1000, int(one.id) * 1000 + 500).heard("x")
        for one in people
    )
    items = tuple(
        Item(kind, text, (f"u{one.id}",), None if kind is Kind.DECISION else one.id, text)
        for one in people
        for text in texts
        if text.strip()
        for kind in Kind
    )
    return Summary(items, "rules"), Transcript(MEETING_ID, people, spoken)


@settings(max_examples=60)
@given(st.lists(ANY_TEXT, max_size=32), st.lists(st.text(max_size=300), max_size=4))
def test_notes_fit_whatever_was_said(names: list[str], texts: list[str]) -> None:
    """Notes of any meeting keep Discord's limits, with no active markup in any line."""
    made = notes(MEETING, *a_meeting(names, texts))
    assert total(made.cards) <= 6000
    for field in made.cards[0].fields:
        assert not re.search(r"@everyone|@here|<@|<#|://", field.name + field.value)


RELATIONS = st.builds(
    Relation,
    st.sampled_from(Became),
    ANY_TEXT.filter(lambda text: bool(text.strip())),
    st.sampled_from(["0", "1", "9", None]),
    st.none() | ANY_TEXT,
    st.sampled_from([(), ("u0",)]),
    st.sampled_from([None, STARTED_AT - timedelta(days=2)]),
)


@settings(max_examples=60)
@given(
    st.sampled_from(list(TEMPLATES.values())),
    st.lists(ANY_TEXT, max_size=28),
    st.lists(st.text(max_size=300), max_size=3),
    st.lists(RELATIONS, max_size=8),
)
def test_every_template_fits(
    chosen: Template, names: list[str], texts: list[str], relations: list[Relation]
) -> None:
    """In any template, whatever became of earlier items, Discord's limits hold and nothing foreign is active."""
    summary, transcript = a_meeting(names, texts)
    made = notes(MEETING, replace(summary, continuity=tuple(relations)), transcript, template=chosen)
    assert total(made.cards) <= 6000
    for field in made.cards[0].fields:
        assert not re.search(r"@everyone|@here|<@|<#|://", field.name + field.value)


def test_a_long_list_goes_on_in_the_next_field() -> None:
    """A list of everybody's items is cut where its field is full, as long as there are fields."""
    summary, transcript = a_meeting([f"Person {place}" for place in range(12)], ["word " * 20])
    made = notes(MEETING, summary, transcript, template=template("retrospective"))
    assert ["What was done", "What was done (continued)"] == [one.name for one in made.cards[0].fields[:2]]


def test_what_became_of_earlier_items() -> None:
    """They head their owner's field; Discord shows in each reader's time zone since when a blocker is there."""
    summary, transcript = a_meeting(["Ana"], ["x1"])
    relations = (
        Relation(Became.FINISHED, "The *login* page", "0", "x1", ("u0",)),
        Relation(Became.STILL_BLOCKED, "The keys", "0", "x1", ("u0",), STARTED_AT - timedelta(days=2)),
    )
    kept = tuple(one for one in summary.items if one.kind is Kind.BLOCKER)
    made = notes(MEETING, Summary(kept, "rules", relations), transcript)
    since = int(STARTED_AT.timestamp()) - 2 * 24 * 3600
    assert made.cards[0].fields[0].value == (
        f"**Last time**\n✓ The \\*login\\* page\n**Blockers**\n• x1 — x1 (since <t:{since}:d>, 3rd day) `0:00`"
    )


def test_earlier_items_never_displace_those_of_today() -> None:
    """Where a field is too small, what became of earlier items is left out first."""
    summary, transcript = a_meeting(["Ana"], ["word " * 28, "more " * 28])
    earlier = tuple(Relation(Became.DROPPED, f"{place} {'old ' * 30}", "0") for place in range(9))
    plain, told = (
        notes(MEETING, one, transcript).cards[0].fields[0].value
        for one in (summary, replace(summary, continuity=earlier))
    )
    assert [one for one in plain.splitlines() if one.startswith("•")] == [
        one for one in told.splitlines() if one.startswith("•")
    ]


def test_notes_leave_out_whole_items_and_count_them() -> None:
    """What does not fit is dropped as a whole, and its number stands where it is missing."""
    text = "word " * 60
    made = notes(MEETING, *a_meeting(["Ana"], [f"{number} {text}".strip() for number in range(9)]))
    value = made.cards[0].fields[0].value
    kept = re.findall(r"^• .*word .*`0:00`$", value, re.MULTILINE)
    missing = re.search(r"^… (\d+) more in summary\.md$", value, re.MULTILINE)
    assert missing is not None
    assert 27 == len(kept) + int(missing[1])


def test_everybody_gets_a_place_before_anybody_gets_two() -> None:
    """In a large meeting with much to say each of the first people has at least one item."""
    made = notes(
        MEETING, *a_meeting([f"Person {place}" for place in range(20)], ["word " * 10, "more " * 10])
    )
    assert all("•" in field.value for field in made.cards[0].fields)


def test_more_people_than_fields_are_counted() -> None:
    """Beyond 25 fields the notes say how many parts are only in summary.md."""
    made = notes(MEETING, *a_meeting([f"Person {place}" for place in range(40)], ["x1"]))
    assert 25 == len(made.cards[0].fields)
    assert "… 17 more parts in summary.md" in made.cards[0].description


def test_notes_show_each_item_with_owner_due_and_time() -> None:
    """The message reads as the notes of a standup."""
    people = (Participant("1", "Ana"), Participant("2", "Ben"))
    transcript = Transcript(
        MEETING_ID,
        people,
        (
            Utterance("u1", "1", 5_000, 6_000).heard("I finished the login page."),
            Utterance("u2", "1", 83_000, 84_000).heard("I'll send Ben the logs by Friday."),
        ),
    )
    summary = Summary(
        (
            Item(Kind.DONE, "Finished the login page", ("u1",), "1"),
            Item(Kind.NEXT, "Write tests", ("u1",), "1"),
            Item(Kind.BLOCKER, "Waiting for keys", ("u1",), "1"),
            Item(Kind.DECISION, "Use Postgres", ("u1",)),
            Item(Kind.ACTION, "Send Ben the logs", ("u2",), "1", "by Friday"),
        ),
        "rules",
    )
    made = notes(MEETING, summary, transcript, speech_model="tiny.en")
    card = made.cards[0]
    assert "Standup notes: 1 person, 1 blocker, 1 decision, 1 action item." == made.content
    assert "Standup notes · 2026-11-23 09:58 UTC · 12:34" == card.title
    assert f"meeting {MEETING_ID} · extractive, no language model · speech model tiny.en" == card.footer
    assert "Present, no words heard: Ben." in card.description
    assert (
        Field(
            "Ana",
            "**Done**\n• Finished the login page `0:05`\n**Next**\n• Write tests `0:05`\n"
            "**Blockers**\n• Waiting for keys `0:05`",
        ),
        Field("Decisions", "• Use Postgres `0:05`"),
        Field("Action items", "• **Ana:** Send Ben the logs — by Friday `1:23`"),
    ) == card.fields


def test_coverage_adds_up_what_was_and_was_not_heard() -> None:
    """The coverage line counts speakers, speech, packets and utterances that could not be read."""
    tracks = [
        Track("1", "tracks/1.ogg", 60_000, 30_000, PacketCounts(1500, lost=2)),
        Track("2", "tracks/2.ogg", 60_000, 28_400, PacketCounts(1400, undecryptable=1)),
    ]
    spoken = (Utterance("u1", "1", 0, 1).heard("x"), Utterance("u2", "1", 2, 3).failed("repetition"))
    transcript = Transcript(MEETING_ID, (Participant("1", "Ana"),), spoken)
    assert (
        "Captured 2 speakers, 58 s of speech; 2 packets lost, 1 packet could not be decrypted, "
        "1 utterance could not be read." == coverage(transcript, tracks)
    )


def test_coverage_of_a_clean_meeting() -> None:
    """When nothing is missing the line says so."""
    transcript = Transcript(MEETING_ID, (Participant("1", "Ana"),), (Utterance("u1", "1", 0, 1).heard("x"),))
    tracks = [Track("1", "tracks/1.ogg", 200_000, 150_000, PacketCounts(7500))]
    assert "Captured 1 speaker, 2:30 of speech; no packet lost, every utterance was read." == coverage(
        transcript, tracks
    )
    assert "1 utterance with words; every utterance was read." == coverage(transcript)


@pytest.mark.parametrize(
    ("utterances", "expected"),
    [
        pytest.param((), "Standup notes: nobody spoke.", id="silence"),
        pytest.param(
            (Utterance("u1", "1", 0, 1).failed("x"),),
            "Standup notes: speech could not be read.",
            id="unreadable",
        ),
    ],
)
def test_notes_without_words_say_why(utterances: tuple[Utterance, ...], expected: str) -> None:
    """Nobody spoke and nothing could be read are told apart."""
    transcript = Transcript(MEETING_ID, (Participant("1", "Ana"),), utterances)
    assert expected == notes(MEETING, Summary((), "rules"), transcript).content


def test_the_opening_is_a_visible_recording_notice() -> None:
    """It says that it records, who began it, and how to stop or leave; a name cannot mention anybody."""
    made = opening(MEETING, "@everyone **Ana**")
    assert "being recorded" in made.content
    assert "Started by @\u200beveryone \\*\\*Ana\\*\\*." in made.content
    assert "`/standup stop`" in made.cards[0].description
    assert "leaves the voice channel" in made.cards[0].description


@pytest.mark.parametrize(
    ("is_degraded", "expected"),
    [
        pytest.param(False, "every packet is kept", id="well"),
        pytest.param(True, "gaps are possible", id="degraded"),
    ],
)
def test_recording_tells_how_it_goes(is_degraded: bool, expected: str) -> None:
    """While recording the notice says how many were heard, for how long, and whether all is kept."""
    made = recording(MEETING, 1, 65_000, is_degraded=is_degraded)
    assert made.cards[0].description.startswith("1 person heard · 1:05 · ")
    assert expected in made.cards[0].description


@pytest.mark.parametrize("made", [opening, lambda meeting, _, **told: recording(meeting, 1, 1_000, **told)])
def test_the_live_thread_is_told_of_where_there_is_one(made: Callable[..., Notice]) -> None:
    """Who may read what is said while it is said stands in the notice from its first version on."""
    told, untold = made(MEETING, "Ana", is_live=True), made(MEETING, "Ana")
    assert "thread below this message" in told.cards[0].description
    assert "thread" not in untold.cards[0].description


def test_progress_marks_the_stages() -> None:
    """Finished stages are ticked, the one being worked on is pointed at."""
    made = progress(MEETING, ["capture", "transcribe", "summarize"], 1)
    assert "✓ capture  ▸ transcribe  · summarize" == made.cards[0].description


def test_failure_says_what_happened_and_what_to_do() -> None:
    """The failure notice has the sentence, the code and the next step, however long they are."""
    made = failure(MEETING_ID, "The model ran out of memory.", "Run standup retry.", code="137")
    assert made.cards[0].description.startswith("The model ran out of memory. (code 137) Run standup retry.")
    assert units(failure(MEETING_ID, "word " * 3000, "x").cards[0].description) <= 4096


@pytest.mark.parametrize(
    "made",
    [
        pytest.param(opening(MEETING, "Ana"), id="opening"),
        pytest.param(recording(MEETING, 3, 1000), id="recording"),
        pytest.param(progress(MEETING, ["capture"], 0), id="progress"),
        pytest.param(failure(MEETING_ID, "x", "y"), id="failure"),
        pytest.param(notes(MEETING, *a_meeting(["Ana"], ["x1"])), id="notes"),
    ],
)
def test_every_notice_carries_the_meeting_id(made: Notice) -> None:
    """The footer names the meeting, by which its message is found again."""
    assert made.cards[0].footer.startswith(f"meeting {MEETING_ID}")


def test_unattributed_packets_are_told() -> None:
    """Packets of nobody who could be named are no loss of the network, and never "no packet lost"."""
    tracks = [Track("1", "tracks/1.ogg", 1_000, 1_000, PacketCounts(50))]
    told = coverage(Transcript(MEETING_ID, (), ()), tracks, 7)
    assert "7 packets of somebody who could not be told apart" in told
    assert "no packet lost" not in told


@pytest.mark.parametrize(
    ("gaps", "told"),
    [
        pytest.param((), "", id="nothing was missed"),
        pytest.param(
            (Gap(42_000, 3_725_000),), "⚠️ Not heard: 0:42 to 1:02:05.", id="by the clock of the meeting"
        ),
        pytest.param(tuple(Gap(i, i) for i in range(12)), "2 earlier ones", id="the latest of many"),
    ],
)
def test_what_the_recorder_missed_is_told(gaps: tuple[Gap, ...], told: str) -> None:
    """A gap in the recording is a sentence, in the notes too."""
    assert told in unheard(gaps)
    meeting = Meeting(MEETING_ID, "1", "2", "3", STARTED_AT, gaps=gaps)
    notice = notes(meeting, Summary((), "rules"), Transcript(meeting.id, (), ()))
    assert unheard(gaps) in notice.cards[0].description


@pytest.mark.parametrize(
    ("people", "now", "told"),
    [
        pytest.param(0, "", "", id="everybody saw it"),
        pytest.param(
            1,
            "1 person in the voice channel cannot see this channel and is not",
            "Not recorded: 1 person,",
            id="one",
        ),
        pytest.param(
            2,
            "2 people in the voice channel cannot see this channel and are not",
            "Not recorded: 2 people,",
            id="some",
        ),
    ],
)
def test_who_is_not_recorded_is_told(people: int, now: str, told: str) -> None:
    """How many cannot see the notice is a sentence while people talk and in the notes, and none where all can."""
    during = recording(MEETING, 3, 1000, unsighted=people).cards[0].description
    meeting = Meeting(MEETING_ID, "1", "2", "3", STARTED_AT, unsighted_people=people)
    after = notes(meeting, Summary((), "rules"), Transcript(meeting.id, (), ())).cards[0].description
    assert now in during
    assert told in unsighted(people)
    assert unsighted(people) in after
    assert ("not recorded" in during.lower(), "not recorded" in after.lower()) == (people > 0, people > 0)


def test_a_failed_meeting_promises_no_age() -> None:
    """What is said of the audio is what is so: nothing deletes it by itself."""
    assert "The audio is kept." in failure(MEETING_ID, "x", "y").cards[0].description


def test_the_footer_holds_a_whole_remark() -> None:
    """What a reader should know of a language model's notes is never cut off, however much it is."""
    remark = "1234 of 5678 utterances read by rules: the model made up more than was said; left out 99 that nobody said"
    transcript = Transcript(MEETING_ID, (), ())
    shown = notes(MEETING, Summary((), f"{'x' * 60} ({remark})"), transcript, speech_model="large-v3-turbo")
    assert f"({remark}) · speech model large-v3-turbo" in shown.cards[0].footer
