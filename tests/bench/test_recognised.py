"""The tool that turns written standups into recognised speech."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from standup.bench.recognised import counterpart, is_chosen, main, relate, retell, schedule
from standup.bench.standups import load
from standup.transcript import Utterance


@pytest.mark.parametrize(
    ("phrase", "said", "heard", "expected"),
    [
        pytest.param("login page", "the login page is up", "The login page is up.", "login page", id="same"),
        pytest.param("Login Page", "the login page is up", "the login page", "login page", id="capitals"),
        pytest.param(
            "load capacitors",
            "I swapped the load capacitors.",
            "I swapped the load to pass iters.",
            "load to pass iters",
            id="misheard as more words",
        ),
        pytest.param(
            "ENG-1042", "see ENG-1042 now", "see eng 10 42 now", "eng 10 42", id="a number in pieces"
        ),
        pytest.param(
            "two hundred", "it has two hundred rows", "it has 200 rows", "200", id="a number in digits"
        ),
        pytest.param("290", "it has 290 rows", "it has 1,290 rows", "1,290", id="never a piece of a number"),
        pytest.param("4502", "4502 is mine", "4,500 2 is mine", "4,500 2", id="a number misheard"),
        pytest.param("seed data", "the seed data is in", "the is in", "", id="not heard"),
        pytest.param("wiki", "the docs are out", "the docs are out", "", id="not said"),
        pytest.param("docs", "the docs are out", "", "", id="nothing heard"),
        pytest.param("...", "well ... yes", "well yes", "", id="no word"),
    ],
)
def test_a_phrase_finds_its_counterpart(phrase: str, said: str, heard: str, expected: str) -> None:
    """It is what stands in its place, letter for letter."""
    assert counterpart(phrase, said, heard) == expected


def utterance(name: str, speaker: str, start_ms: int, end_ms: int, text: str = "words") -> dict[str, Any]:
    return {"id": name, "speaker": speaker, "start_ms": start_ms, "end_ms": end_ms, "text": text}


def test_pauses_and_overlaps_stay() -> None:
    """Every utterance begins as long after, or before, the end of the one before it as was written."""
    written = [
        utterance("u1", "a", 0, 1000),
        utterance("u2", "b", 1400, 2000),
        utterance("u3", "a", 1900, 3000),
    ]
    placed = schedule(written, {"u1": 2000, "u2": 1000, "u3": 500})
    assert [(one.start_ms, one.end_ms) for one in placed] == [(0, 2000), (2400, 3400), (3300, 3800)]


def test_nobody_talks_over_themselves() -> None:
    """Speech that sounds longer than was written moves the speaker's next utterance on."""
    written = [utterance("u1", "a", 0, 500), utterance("u2", "b", 100, 300), utterance("u3", "a", 550, 900)]
    placed = schedule(written, {"u1": 5000, "u2": 200, "u3": 300})
    assert placed[2].start_ms >= placed[0].end_ms


def test_starts_fall_on_frames() -> None:
    """Opus frames last 20 ms."""
    assert schedule([utterance("u1", "a", 133, 500)], {"u1": 40})[0].start_ms == 140


GOLD = {"person": "a", "kind": "done"}
WRITTEN: dict[str, Any] = {
    "source": "written",
    "utterances": [
        utterance("u1", "a", 0, 900, "I fixed the login page."),
        utterance("u2", "a", 1000, 1500, "And the footer."),
    ],
    "gold": [
        GOLD | {"phrases": ["footer"], "evidence": ["u2"]},
        GOLD | {"phrases": ["login page", "footer"], "evidence": ["u1", "u2"]},
    ],
}
HEARD = Utterance("u1", "a", 40, 960).heard("I fixed the log in page.")


def test_what_was_heard_takes_the_place_of_what_was_written() -> None:
    """Text, times and phrases are those of the recognised speech; what was said stays beside them."""
    made = retell(WRITTEN, {"u1": HEARD, "u2": Utterance("u2", "a", 1000, 1400).heard("And the foot.")})
    assert made.document["source"] == "recognised"
    assert made.document["utterances"][0] == {
        "id": "u1",
        "speaker": "a",
        "start_ms": 40,
        "end_ms": 960,
        "text": "I fixed the log in page.",
        "said": "I fixed the login page.",
    }
    gold = made.document["gold"][1]
    assert (gold["phrases"], gold["spoken"]) == (["log in page", "foot"], ["login page", "footer"])
    assert made.kept == {0: 0, 1: 1}


def test_what_was_not_heard_is_gone() -> None:
    """An utterance without words goes, with its evidence, and with gold that has none left."""
    made = retell(WRITTEN, {"u1": HEARD, "u2": Utterance("u2", "a", 1000, 1400).silent("no-speech")})
    assert [one["id"] for one in made.document["utterances"]] == ["u1"]
    assert [(one["phrases"], one["evidence"]) for one in made.document["gold"]] == [(["log in page"], ["u1"])]
    assert made.kept == {1: 0}


def test_relations_follow_the_gold_that_moved() -> None:
    """Places are those of the items that are left; a relation of a lost item goes."""
    document = {
        "continuity": [
            {"relation": "carried", "yesterday": 0, "today": 1},
            {"relation": "finished", "yesterday": 1, "today": 2},
            {"relation": "dropped", "yesterday": 2, "today": None},
        ]
    }
    relate(document, today={1: 0}, yesterday={0: 0, 2: 1})
    assert document["continuity"] == [
        {"relation": "carried", "yesterday": 0, "today": 0},
        {"relation": "dropped", "yesterday": 1, "today": None},
    ]


@pytest.mark.parametrize(("name", "expected"), [("02-implicit", True), ("33-messy", False), ("10-big", True)])
def test_every_even_one_is_chosen(name: str, expected: bool) -> None:
    """The choice is by the number in the name; what is unpunctuated stays so."""
    assert is_chosen(name) is expected


@pytest.mark.integration
def test_a_standup_is_spoken_and_recognised(tmp_path: Path) -> None:
    """Real speech and the real engine keep its gold; a second run changes nothing."""
    said = "Yesterday I finished the login page and fixed two bugs in the payment service."
    document = {
        "style": "plain",
        "source": "written",
        "meeting": {"id": "s02"},
        "participants": [{"id": "a", "name": "Ann"}],
        "utterances": [utterance("u1", "a", 300, 5000, said)],
        "gold": [GOLD | {"phrases": ["login page"], "evidence": ["u1"]}],
    }
    folder = tmp_path / "dev"
    folder.mkdir()
    for name in ("01-plain", "02-plain"):
        (folder / f"{name}.json").write_text(json.dumps(document))
    assert main([str(folder)]) == 0
    written, recognised = load(tmp_path, "dev")
    assert (written.source, recognised.source) == ("written", "recognised")
    assert recognised.said == {"u1": said}
    assert [one.spoken for one in recognised.gold] == [("login page",)]
    before = (folder / "02-plain.json").read_bytes()
    main([str(folder)])
    assert (folder / "02-plain.json").read_bytes() == before
