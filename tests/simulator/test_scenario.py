"""The standup that is performed."""

from __future__ import annotations

import asyncio
import shutil
from typing import Any, cast

import pytest

from standup.simulator.participant import Participant
from standup.simulator.scenario import Line, Scenario, perform, prepare, spoken_seconds, standup


class Speaker:
    """Somebody who notes what they are to say."""

    def __init__(self, name: str, diary: list[tuple[str, list[bytes]]]) -> None:
        self.name = name
        self.diary = diary

    async def speak(self, frames: list[bytes]) -> int:
        """Note the frames."""
        self.diary.append((self.name, frames))
        await asyncio.sleep(0)
        return len(frames)


def people(diary: list[tuple[str, list[bytes]]]) -> dict[str, Participant]:
    """Make Ana and Ben."""
    return {name: cast(Participant, Speaker(name, diary)) for name in ("Ana", "Ben")}


def test_demo_is_complete() -> None:
    """In the demo everybody has done, next and blocker, and there are a decision and an owned action."""
    scenario = standup()
    kinds = {(item.person, item.kind) for item in scenario.expected}

    assert {(name, kind) for name in scenario.voices for kind in ("done", "next", "blocker")} <= kinds
    assert (None, "decision") in kinds
    assert ("Emma", "action") in kinds


def test_expected_words_are_said() -> None:
    """Every word that is expected in the notes is said in one line of the demo."""
    scenario = standup()
    lines = [line.text.lower() for line in scenario.lines]

    missing = [
        item for item in scenario.expected if not any(all(w in line for w in item.words) for line in lines)
    ]
    assert missing == []


def test_voices_differ() -> None:
    """No two people of the demo share a voice."""
    voices = list(standup().voices.values())

    assert len(set(voices)) == len(voices) >= 3


async def test_lines_in_order() -> None:
    """Lines are said in their order, each told before it begins."""
    diary: list[tuple[str, list[bytes]]] = []
    told: list[Line] = []
    lines = (Line("Ana", "one", 0), Line("Ben", "two", 0), Line("Ana", "three", 0))
    scenario = Scenario({"Ana": "slt", "Ben": "rms"}, lines)

    await perform(people(diary), scenario, told.append, spoken=[[b"1"], [b"2"], [b"3"]])

    assert diary == [("Ana", [b"1"]), ("Ben", [b"2"]), ("Ana", [b"3"])]
    assert told == list(lines)


async def test_overlapping_lines() -> None:
    """A line with a time of its own does not wait for the one before."""
    diary: list[tuple[str, list[bytes]]] = []
    lines = (Line("Ana", "one", at_ms=20), Line("Ben", "two", 0))
    scenario = Scenario({"Ana": "slt", "Ben": "rms"}, lines)

    await perform(people(diary), scenario, spoken=[[b"1"], [b"2"]])

    assert sorted(name for name, _ in diary) == ["Ana", "Ben"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        pytest.param({"text": " "}, "has words", id="no words"),
        pytest.param({"text": "a", "pause_ms": -1}, "after the scenario", id="negative pause"),
        pytest.param({"text": "a", "at_ms": -1}, "after the scenario", id="negative start"),
    ],
)
def test_refused_lines(arguments: dict[str, Any], sentence: str) -> None:
    """A line has words and a time."""
    with pytest.raises(ValueError, match=sentence):
        Line("Ana", **arguments)


@pytest.mark.parametrize(
    ("voices", "sentence"),
    [
        pytest.param({}, "has no voice", id="no voice"),
        pytest.param({"Ana": "x"}, "no voice x", id="unknown voice"),
    ],
)
def test_refused_scenarios(voices: dict[str, str], sentence: str) -> None:
    """Every speaker has a voice that exists."""
    with pytest.raises(ValueError, match=sentence):
        Scenario(voices, (Line("Ana", "hello"),))


@pytest.mark.integration
@pytest.mark.skipif(shutil.which("flite") is None, reason="flite is not installed")
async def test_lines_are_synthesized_on_the_way() -> None:
    """Without prepared frames each line is spoken by its speaker's voice."""
    diary: list[tuple[str, list[bytes]]] = []
    scenario = Scenario({"Ana": "slt", "Ben": "rms"}, (Line("Ana", "hello", 0), Line("Ben", "goodbye", 0)))

    await perform(people(diary), scenario)

    assert [frames for _, frames in diary] == await prepare(scenario)


def test_length() -> None:
    """Fifty frames are one second."""
    assert spoken_seconds([[b""] * 20, [b""] * 30]) == pytest.approx(1.0)
