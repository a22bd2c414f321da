"""What is left of a meeting when somebody is taken out of it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.continuity import Became, Relation
from standup.meeting import Participant
from standup.redaction import BLANK, Names, cut
from standup.summary import Item, Kind, Summary, serialize
from standup.transcript import Transcript, Utterance
from tests.finished_meetings import ANNABEL, BEN, NOTES, SAID


def transcript(said: tuple[tuple[str, str], ...] = SAID) -> Transcript:
    spoken = (Utterance(f"u{place}", who, 0, 9).heard(text) for place, (who, text) in enumerate(said))
    return Transcript("m", (ANNABEL, BEN), tuple(spoken))


def test_a_meeting_without_somebody() -> None:
    """Their items go, others' that stand on their words too; what others said of them loses the name."""
    left = cut(transcript(), NOTES, ANNABEL.id, [ANNABEL.name])
    assert left.removed == 1
    assert [one.text for one in left.utterances] == [f"I wait for {BLANK} and her ladder."]
    assert left.summary is not None
    assert [one.text for one in left.summary.items] == [
        f"Wait for {BLANK} and her ladder",
        "Paint the fence",
    ]
    assert left.lost_texts == {
        "Polished the chandelier",
        "Wait for Annabel and her ladder",
        "The chandelier hangs lower",
    }


def test_relations_go_as_items_do() -> None:
    """What became of their items yesterday is theirs; a group's relation that names them loses the name."""
    notes = Summary(
        (),
        "rules",
        (
            Relation(Became.DROPPED, "Mend the roof", ANNABEL.id),
            Relation(Became.FINISHED, "Sweep", BEN.id, "Swept", ("u0",)),
            Relation(Became.CARRIED, "Ask Annabel", None, "Ask Annabel again", ("u2",)),
        ),
    )
    left = cut(transcript(), notes, ANNABEL.id, [ANNABEL.name]).summary
    assert left is not None
    assert left.continuity == (Relation(Became.CARRIED, f"Ask {BLANK}", None, f"Ask {BLANK} again", ("u2",)),)


def test_a_meeting_without_notes() -> None:
    """One that was not summarized loses the words alone."""
    left = cut(transcript(), None, ANNABEL.id, [ANNABEL.name])
    assert (left.removed, left.summary, left.lost_texts) == (1, None, frozenset())


@pytest.mark.parametrize(
    ("name", "said", "expected"),
    [
        pytest.param("Annabel Quist", "Annabel Quist said so", f"{BLANK} said so", id="the whole name"),
        pytest.param("Annabel Quist", "ask QUIST, Annabel", f"ask {BLANK}, {BLANK}", id="parts, in capitals"),
        pytest.param("Annabel", "Annabel's desk", f"{BLANK}'s desk", id="with an ending"),
        pytest.param("Annabel", "Annabella", "Annabella", id="a longer name is another"),
        pytest.param("Will", "Will will do it", f"{BLANK} will do it", id="a word that is a name"),
        pytest.param("will", "will does it", f"{BLANK} does it", id="as displayed"),
        pytest.param("J. Doe", "J says Doe", f"J says {BLANK}", id="an initial stays"),
        pytest.param("night_owl", "the Owl, night_owl", f"the {BLANK}, {BLANK}", id="a nickname"),
        pytest.param("花子", "きのう花子さんと", f"きのう{BLANK}さんと", id="words without blanks"),
        pytest.param("Zoe\u0308 Doe", "Ask Zo\u00eb", f"Ask {BLANK}", id="marks apart from their letters"),
        pytest.param("\U0001d4d0nnabel", "Ask Annabel", f"Ask {BLANK}", id="fancy letters"),
        pytest.param("Zoë", "Ask Zoe\u0308 now", f"Ask {BLANK} now", id="marks apart in what was said"),
        pytest.param("Jó", "Jóska asks Jó", f"Jóska asks {BLANK}", id="a longer name beyond ASCII"),
        pytest.param("Анна", "Аннабель ждёт Анна", f"Аннабель ждёт {BLANK}", id="a longer name in Cyrillic"),
        pytest.param("สมชาย", "พี่สมชายมา", f"พี่{BLANK}มา", id="Thai has no blanks"),
        pytest.param("स्मिता", "स्मिता और मिता", f"{BLANK} और मिता", id="marks within a word"),
        pytest.param("a.b(c", "A.B(C or x", f"{BLANK} or x", id="no pattern of its own"),
        pytest.param("", "nothing", "nothing", id="no name at all"),
    ],
)
def test_names(name: str, said: str, expected: str) -> None:
    """A name is found as a word, whoever writes it how, and nothing else is."""
    assert Names([name], []).out_of(said) == expected


def test_a_name_that_others_bear_stays() -> None:
    """A word that is another participant's too tells nothing, and the other keeps it."""
    assert Names(["Annabel Quist"], ["Annabel Rowe"]).out_of("Annabel Quist, Annabel") == f"{BLANK}, Annabel"


WORDS = st.sampled_from(["Zelda", "zelda", "Quist", "the", "roof", "Zelda Quist", "Ben", "done."])
SENTENCES = st.lists(WORDS, min_size=1, max_size=8).map(" ".join)
SPOKEN = st.lists(st.tuples(st.sampled_from(["1", "2"]), SENTENCES), min_size=1, max_size=6)


@given(SPOKEN, st.data())
def test_no_trace_is_left(said: list[tuple[str, str]], data: st.DataObject) -> None:
    """Neither the id, nor the name as displayed, nor words or evidence of the person are left; twice is as once."""
    spoken = tuple(Utterance(f"u{place}", who, 0, 9).heard(text) for place, (who, text) in enumerate(said))
    people = (Participant("1", "Zelda Quist"), Participant("2", "Ben"))
    ids = [one.id for one in spoken]
    item = st.builds(
        Item,
        st.sampled_from(Kind),
        SENTENCES,
        st.lists(st.sampled_from(ids), min_size=1).map(tuple),
        st.sampled_from(["1", "2", None]),
        st.none() | SENTENCES,
    )
    notes = Summary(tuple(data.draw(st.lists(item, max_size=4))), "rules")
    names = ["Zelda Quist"]
    left = cut(Transcript("m", people, spoken), notes, "1", names)
    assert left.summary is not None
    changed = {one.id: one for one in left.utterances}
    rest = tuple(changed.get(one.id, one) for one in spoken if one.speaker != "1")
    shown = json.dumps(serialize(left.summary)) + " ".join(one.text for one in rest)
    assert not any(word in shown for word in ("Zelda", "Quist", '"1"'))
    assert {name for one in left.summary.items for name in one.evidence} <= {one.id for one in rest}
    again = cut(Transcript("m", people[1:], rest), left.summary, "1", names)
    assert (again.utterances, again.removed, again.summary) == ((), 0, left.summary)
