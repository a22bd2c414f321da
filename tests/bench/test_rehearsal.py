"""Rehearsals of synthetic voices."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from standup.bench.rehearsal import SENTENCES, VOICES, rehearse, spoken_sentences
from standup.errors import ServiceMissing

MARKED = """\
== one
people: Ann, Bo
Ann: {done: Yesterday I finished the login page}. No blockers.
Bo: Too short, this.
Ann: this one does not begin with a capital.
Bo: This one does not end
Ann: We sold 20 of them on Monday.
Bo: The café is closed this week.
Ann: Who can look at the build with me?
"""


def test_sentences_are_those_that_can_be_spoken(tmp_path: Path) -> None:
    """Marked standups give whole sentences without marks, digits, symbols and foreign letters."""
    (tmp_path / "a.txt").write_text(MARKED, encoding="utf-8")

    assert set(spoken_sentences(tmp_path)) == {
        "Yesterday I finished the login page. No blockers.",
        "Who can look at the build with me?",
    }


def test_sentences_come_in_one_order(tmp_path: Path) -> None:
    """Shuffled, and the same each time, so that two runs measure the same meeting."""
    lines = [f"Ann: We begin with the letter {letter} today." for letter in "abcdefghij"]
    (tmp_path / "a.txt").write_text("\n".join(["== one", "people: Ann", *lines]), encoding="utf-8")
    found = spoken_sentences(tmp_path)

    assert found == spoken_sentences(tmp_path)
    assert found != tuple(sorted(found))


def test_without_marked_standups_there_are_sentences(tmp_path: Path) -> None:
    """An installation without a checkout has some of its own."""
    assert spoken_sentences(tmp_path / "missing") == SENTENCES


def test_a_missing_program_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without flite there is no benchmark, and the message says what to run."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServiceMissing, match=r"flite is not installed or failed; run `\./setup\.sh`"):
        rehearse(tmp_path, 0.01, ["This sentence is said in no other test."])


@pytest.mark.integration
def test_a_rehearsal_has_a_track_per_voice_and_takes_turns(tmp_path: Path) -> None:
    """Utterances follow one another on the meeting clock, and every voice has its own file."""
    rehearsal = rehearse(tmp_path, 0.2, ["Yes.", "No blockers."])
    times = [(one.start_ms, one.end_ms) for one in rehearsal.utterances]

    assert sorted(rehearsal.tracks) == sorted(rehearsal.words) == sorted(VOICES)
    assert all(path.read_bytes().startswith(b"OggS") for path in rehearsal.tracks.values())
    assert all(end < start for (_, end), (start, _) in pairwise(times))


@pytest.mark.integration
def test_rehearsals_of_one_stream_say_one_thing_after_another(tmp_path: Path) -> None:
    """What is left of the sentences is for the next meeting."""
    told = iter(["Yes.", "No.", "Okay.", "Thank you."])
    first = rehearse(tmp_path, 0.01, told)

    assert [one.text for one in first.utterances] == ["Yes."]
    assert next(told) == "No."
