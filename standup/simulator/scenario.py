"""A standup to perform: who says what and when, and what the notes should hold afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .participant import FRAME_S, Participant
from .speech import VOICES, synthesize

SYNTHESIZED_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Line:
    """What one person says in one breath."""

    speaker: str
    text: str
    pause_ms: int = 500
    """Silence after the line before; only without *at_ms*."""
    at_ms: int | None = None
    """Start on the scenario's clock, over whatever is being said; None waits for the line before."""

    def __post_init__(self) -> None:
        if not self.text.strip():
            raise ValueError("A line has words.")
        if self.pause_ms < 0 or (self.at_ms or 0) < 0:
            raise ValueError("A line starts after the scenario does.")


@dataclass(frozen=True, slots=True)
class Expected:
    """One item that the notes should hold."""

    person: str | None
    """The speaker it stands under, or an action's owner; None for a decision of everybody."""
    kind: str
    """done, next, blocker, decision or action."""
    words: tuple[str, ...]
    """Words of the item that survive speech recognition, in lower case."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Some people and their lines.

    Raises ValueError when a line's speaker has no voice or a voice is unknown.
    """

    voices: Mapping[str, str]
    """Each person's name, and their voice in VOICES."""
    lines: tuple[Line, ...]
    expected: tuple[Expected, ...] = ()

    def __post_init__(self) -> None:
        for line in self.lines:
            if line.speaker not in self.voices:
                raise ValueError("A line's speaker has no voice in this scenario.")
        for voice in self.voices.values():
            if voice not in VOICES:
                raise ValueError(f"There is no voice {voice}; choose one of {', '.join(VOICES)}.")


def _standup_lines() -> tuple[Line, ...]:
    said = (
        ("Alice", "Good morning everyone. Let us start the standup."),
        ("Alice", "Yesterday I finished the login page and fixed two bugs in the search form."),
        ("Alice", "Today I will connect the payment service to the website."),
        ("Alice", "I am blocked because I am still waiting for access to the production server."),
        ("Bob", "Yesterday I completed the database migration."),
        ("Bob", "Today I am going to update the user guide."),
        ("Bob", "My blocker is that the test machine is broken."),
        ("Emma", "Yesterday I released the new version of the mobile app."),
        ("Emma", "Today I will work on the customer report."),
        ("Emma", "I am blocked by a missing password for the mail server."),
        ("David", "Yesterday I reviewed the security settings."),
        ("David", "Today I plan to clean up the log files."),
        ("David", "I am blocked by the slow network in the office."),
        ("Alice", "We decided to move the release to Monday."),
        ("Bob", "Action item. Emma will call the customer by Friday."),
        ("Alice", "Thank you everyone. Have a good day."),
    )
    return tuple(Line(speaker, text) for speaker, text in said)


def _standup_items() -> tuple[Expected, ...]:
    return (
        Expected("Alice", "done", ("login", "page")),
        Expected("Alice", "next", ("payment", "service")),
        Expected("Alice", "blocker", ("production", "server")),
        Expected("Bob", "done", ("database", "migration")),
        Expected("Bob", "next", ("user", "guide")),
        Expected("Bob", "blocker", ("test", "machine")),
        Expected("Emma", "done", ("mobile",)),
        Expected("Emma", "next", ("customer", "report")),
        Expected("Emma", "blocker", ("password",)),
        Expected("David", "done", ("security", "settings")),
        Expected("David", "next", ("log", "files")),
        Expected("David", "blocker", ("network",)),
        Expected(None, "decision", ("release", "monday")),
        Expected("Emma", "action", ("call", "customer")),
    )


def standup() -> Scenario:
    """Make the demo's standup: four people, about a minute.

    Everybody says done, next and blocker; there is one decision and one action item with an owner.
    """
    voices = {"Alice": "slt", "Bob": "rms", "Emma": "slt-high", "David": "awb"}
    return Scenario(voices, _standup_lines(), _standup_items())


async def prepare(scenario: Scenario) -> list[list[bytes]]:
    """Synthesize every line: one list of Opus frames per line.

    Raises SpeechUnavailable when nothing here can speak.
    """
    return list(await asyncio.gather(*_synthesizing(scenario)))


async def perform(
    people: Mapping[str, Participant],
    scenario: Scenario,
    told: Callable[[Line], None] | None = None,
    *,
    spoken: Sequence[Sequence[bytes]] | None = None,
) -> None:
    """Have *people*, who are already in voice, say the lines in real time; returns after the last word.

    *people* maps every speaker to a participant and *told* is called with each line as it begins. *spoken* comes from
    ``prepare``; without it the lines are synthesized while the ones before them are said.
    Raises SpeechUnavailable when nothing here can speak.
    """
    synthesizing = _synthesizing(scenario) if spoken is None else [_given(frames) for frames in spoken]
    begin_s = asyncio.get_running_loop().time()
    overlapping: list[asyncio.Task[int]] = []
    try:
        for line, frames in zip(scenario.lines, synthesizing, strict=True):
            await _wait_for_turn(line, begin_s)
            speech = asyncio.create_task(_say(people[line.speaker], line, frames, told))
            if line.at_ms is None:
                await speech
            else:
                overlapping.append(speech)
        await asyncio.gather(*overlapping)
    finally:
        for task in (*synthesizing, *overlapping):
            task.cancel()


def spoken_seconds(spoken: Sequence[Sequence[bytes]]) -> float:
    """Sum up how long the lines are, without the pauses between them."""
    return sum(len(frames) for frames in spoken) * FRAME_S


def _synthesizing(scenario: Scenario) -> list[asyncio.Task[list[bytes]]]:
    limit = asyncio.Semaphore(SYNTHESIZED_AT_ONCE)

    async def speak(line: Line) -> list[bytes]:
        async with limit:
            return await asyncio.to_thread(synthesize, line.text, scenario.voices[line.speaker])

    return [asyncio.create_task(speak(line)) for line in scenario.lines]


def _given(frames: Sequence[bytes]) -> asyncio.Task[list[bytes]]:
    async def give() -> list[bytes]:
        return list(frames)

    return asyncio.create_task(give())


async def _say(
    person: Participant, line: Line, frames: asyncio.Task[list[bytes]], told: Callable[[Line], None] | None
) -> int:
    ready = await frames
    if told:
        told(line)
    return await person.speak(ready)


async def _wait_for_turn(line: Line, begin_s: float) -> None:
    if line.at_ms is None:
        await asyncio.sleep(line.pause_ms / 1000)
    else:
        due_s = begin_s + line.at_ms / 1000
        await asyncio.sleep(max(0.0, due_s - asyncio.get_running_loop().time()))
