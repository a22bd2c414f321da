"""The annotated standups obey their form; nothing here shows what the held-out half says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from standup.bench.matching import Prediction
from standup.bench.recognised import is_chosen
from standup.bench.scoring import Notes, score
from standup.bench.standups import HALVES, RELATIONS, Standup, load, parse
from standup.errors import InputRefused
from standup.summary import Kind

FOLDER = Path(__file__).parents[1] / "data" / "standups"
STYLES = {
    *("explicit", "implicit", "messy", "terse", "negations", "corrections", "third-person", "decisions"),
    *(
        "assignments",
        "cross-talk",
        "jokes",
        "non-native",
        "injected",
        "numbers",
        "big",
        "solo",
        "long-winded",
    ),
    *("question-driven", "discussion", "mixed", "unpunctuated", "day one", "day two"),
}


@pytest.fixture(scope="module")
def standups() -> dict[str, Standup]:
    return {f"{half}/{one.id}": one for half in HALVES for one in load(FOLDER, half)}


def wrong(standups: dict[str, Standup], obeys: Callable[[Standup], bool]) -> list[str]:
    """The standups that break a rule, by name alone."""
    return [name for name, one in standups.items() if not obeys(one)]


def test_there_are_enough(standups: dict[str, Standup]) -> None:
    """At least 30 in each half, every style in both, and in the test half some that are in it alone."""
    for half in HALVES:
        own = [one for name, one in standups.items() if name.startswith(half)]
        assert len(own) >= 30
        assert {one.style for one in own} >= STYLES


def test_the_name_tells_the_style(standups: dict[str, Standup]) -> None:
    """A file is called NN-style."""
    assert wrong(standups, lambda one: one.id[2:] == f"-{one.style.replace(' ', '-')}") == []


def test_every_second_one_was_recognised(standups: dict[str, Standup]) -> None:
    """Those that the tool chooses hold recognised speech, all the others what was written."""
    expected = {True: "recognised", False: "written"}
    assert wrong(standups, lambda one: one.source == expected[is_chosen(one.id)]) == []


def test_recognised_speech_comes_with_what_was_spoken(standups: dict[str, Standup]) -> None:
    """Each recognised utterance has its `said`, each of its gold phrases its `spoken`; written ones have neither."""

    def obeys(one: Standup) -> bool:
        is_recognised = one.source == "recognised"
        spoken = [len(gold.spoken) == (len(gold.phrases) if is_recognised else 0) for gold in one.gold]
        return len(one.said) == (len(one.transcript.utterances) if is_recognised else 0) and all(spoken)

    assert wrong(standups, obeys) == []


def test_there_are_people_enough(standups: dict[str, Standup]) -> None:
    """At least three people speak, one in a solo, 25 in the big one."""

    def obeys(one: Standup) -> bool:
        count = len({said.speaker for said in one.transcript.spoken})
        return count == 1 if one.style == "solo" else count >= (20 if one.style == "big" else 3)

    assert wrong(standups, obeys) == []


def test_gold_points_to_what_is_there(standups: dict[str, Standup]) -> None:
    """Evidence exists, persons take part, and a decision belongs to nobody."""

    def obeys(one: Standup) -> bool:
        known = {said.id for said in one.transcript.spoken}
        people = {person.id for person in one.transcript.participants} | {None}
        return all(
            gold.evidence
            and set(gold.evidence) <= known
            and gold.person in people
            and (gold.kind is not Kind.DECISION or gold.person is None)
            for gold in one.gold
        )

    assert wrong(standups, obeys) == []


def test_phrases_stand_in_the_evidence(standups: dict[str, Standup]) -> None:
    """One to three phrases each, letter for letter but for capitals."""

    def obeys(one: Standup) -> bool:
        texts = {said.id: said.text.lower() for said in one.transcript.spoken}
        return all(
            1 <= len(gold.phrases) <= 3
            and all(any(phrase.lower() in texts[at] for at in gold.evidence) for phrase in gold.phrases)
            for gold in one.gold
        )

    assert wrong(standups, obeys) == []


def test_a_second_day_continues_the_first(standups: dict[str, Standup]) -> None:
    """Whoever names a day before has relations to it, and only a second day does."""
    assert wrong(standups, lambda one: bool(one.previous) == (one.style == "day two")) == []
    assert wrong(standups, lambda one: bool(one.continuity) == bool(one.previous)) == []
    told = {relation.relation for one in standups.values() for relation in one.continuity}
    assert told == set(RELATIONS)


def test_gold_is_perfect_by_its_own_measure(standups: dict[str, Standup]) -> None:
    """Notes that say the gold in its own phrases score 1 and invent nothing, in every standup."""

    def obeys(one: Standup) -> bool:
        items = (
            Prediction(gold.kind, " ".join(gold.phrases), gold.evidence, gold.person) for gold in one.gold
        )
        found = score(one, Notes(tuple(items))).overall
        return (found.f1, found.attribution, found.invented) == (1, 1, 0)

    assert wrong(standups, obeys) == []


PLAIN: dict[str, Any] = {
    "style": "plain",
    "source": "written",
    "meeting": {"id": "s01"},
    "participants": [{"id": "p1", "name": "Ann"}],
    "utterances": [{"id": "u1", "speaker": "p1", "start_ms": 0, "end_ms": 9, "text": "I fixed it."}],
    "gold": [{"person": "p1", "kind": "done", "phrases": ["fixed it"], "evidence": ["u1"]}],
}


def test_a_second_day_knows_the_items_of_both_days() -> None:
    """Places in the gold lists become the items themselves."""
    relation = {"relation": "carried", "yesterday": 0, "today": None}
    second = PLAIN | {"previous": "01-plain", "continuity": [relation]}
    first_day, second_day = parse({"01-plain": json.dumps(PLAIN), "02-plain": json.dumps(second)})
    assert (second_day.continuity[0].yesterday, second_day.continuity[0].today) == (first_day.gold[0], None)


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("not JSON", id="no JSON"),
        pytest.param("[]", id="no object"),
        pytest.param(json.dumps(PLAIN | {"gold": [{"kind": "done"}]}), id="gold without phrases"),
        pytest.param(json.dumps(PLAIN | {"gold": [PLAIN["gold"][0] | {"kind": "idea"}]}), id="unknown kind"),
        pytest.param(json.dumps(PLAIN | {"utterances": None}), id="no transcript"),
        pytest.param(
            json.dumps(PLAIN | {"previous": "00-gone", "continuity": [{"relation": "carried"}]}),
            id="day lost",
        ),
        pytest.param(
            json.dumps(
                PLAIN
                | {"previous": "01-x", "continuity": [{"relation": "eaten", "yesterday": 0, "today": 0}]}
            ),
            id="unknown relation",
        ),
    ],
)
def test_what_is_not_in_the_form_is_refused(document: str) -> None:
    """The error names the file and not what it says."""
    with pytest.raises(InputRefused, match="01-x"):
        parse({"01-x": document})


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    """Without standups there is nothing to measure."""
    with pytest.raises(InputRefused, match="holds no standups"):
        load(tmp_path, "dev")
