"""A transcript as the numbered lines that a language model reads, and those cut into parts that fit its context.

Nothing is left out: every word of every utterance is in exactly one part, and what goes before a part is shown with
it as context only. People and utterances have short names here (``p1``, line 7): ids of an account stay at home, cost
nothing, and cannot be mistyped. No clock and no I/O.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from standup.transcript import Transcript, plain

CONTEXT_LINES = 3
LINE_TOKENS = 8
"""What the number and the speaker of a line take."""
LEAST_TOKENS = 100
"""A smaller part would hold no sentence."""
NAME_CHARACTERS = 60
#: Characters with which chat templates and our own fence mark where somebody else begins to speak.
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "[": "(", "]": ")"})


@dataclass(frozen=True, slots=True)
class Line:
    """One utterance, or a piece of a very long one."""

    number: int
    """That of the utterance in the script, from 1."""
    speaker: str
    """Short name."""
    text: str

    @property
    def tokens(self) -> int:
        """About what the line takes."""
        return tokens(self.text) + LINE_TOKENS


@dataclass(frozen=True, slots=True)
class Part:
    """What is asked about at once."""

    context: tuple[Line, ...]
    """The lines just before, to be understood and not to be summarized."""
    lines: tuple[Line, ...]

    @property
    def numbers(self) -> frozenset[int]:
        """The utterances it is about."""
        return frozenset(one.number for one in self.lines)

    @property
    def numbers_before(self) -> frozenset[int]:
        """The utterances that it shows as context only."""
        return frozenset(one.number for one in self.context) - self.numbers

    @property
    def tokens(self) -> int:
        """About what the lines take, without the context."""
        return sum(one.tokens for one in self.lines)


@dataclass(frozen=True, slots=True)
class Script:
    """The short names of one transcript."""

    people: tuple[tuple[str, str, str], ...]
    """Short name, display name made harmless, participant id."""
    utterances: tuple[str, ...]
    """Utterance ids, by number from 1."""

    @classmethod
    def of(cls, transcript: Transcript) -> Script:
        """Number the people and the utterances with words of *transcript*."""
        people = tuple(
            (f"p{number}", harmless(one.name)[:NAME_CHARACTERS], one.id)
            for number, one in enumerate(transcript.participants, 1)
        )
        return cls(people, tuple(one.id for one in transcript.spoken))

    def person(self, called: str) -> str | None:
        """Return the participant whose short name, id or unshared display name is *called*, or None."""
        wanted = called.strip().casefold()
        short = {ident for name, _, ident in self.people if wanted == name}
        found = short or {ident for _, name, ident in self.people if wanted in (name.casefold(), ident)}
        return found.pop() if len(found) == 1 else None


def harmless(text: str) -> str:
    """Return *text* on one line, unable to open or close anything of a prompt."""
    return plain(text).translate(_HARMLESS)


def tokens(text: str) -> int:
    """Return about how many tokens *text* takes, rather too many: 3 letters of ASCII each, and every other letter."""
    ascii_letters = len(text.encode("ascii", "ignore"))
    return -(-ascii_letters // 3) + len(text) - ascii_letters


def parts(transcript: Transcript, budget_tokens: int) -> tuple[Part, ...]:
    """Return *transcript* cut at utterance borders into parts of at most *budget_tokens*, about equally long.

    A single utterance that is longer is cut between words. No words give no parts. Raises ValueError for a budget
    under `LEAST_TOKENS`.
    """
    if budget_tokens < LEAST_TOKENS:
        raise ValueError(f"a part has at least {LEAST_TOKENS} tokens")
    script = Script.of(transcript)
    short = {ident: name for name, _, ident in script.people}
    lines = [
        Line(number, short[one.speaker], piece)
        for number, one in enumerate(transcript.spoken, 1)
        for piece in _pieces(harmless(one.text), budget_tokens - LINE_TOKENS)
    ]
    total = sum(one.tokens for one in lines)
    wanted_tokens = -(-total // max(1, -(-total // budget_tokens)))
    return tuple(_gathered(lines, wanted_tokens, budget_tokens))


def halves(part: Part) -> tuple[Part, Part] | None:
    """Return *part* as two parts at the border nearest to its middle; None when it is one line."""
    if len(part.lines) < 2:
        return None
    middle, before = part.tokens / 2, 0
    places: list[tuple[float, int]] = []
    for place, one in enumerate(part.lines[:-1], 1):
        before += one.tokens
        places.append((abs(before - middle), place))
    place = min(places)[1]
    first, second = part.lines[:place], part.lines[place:]
    return Part(part.context, first), Part((*part.context, *first)[-CONTEXT_LINES:], second)


def _gathered(lines: Sequence[Line], wanted_tokens: int, most_tokens: int) -> Iterator[Part]:
    start, held = 0, 0
    for place, one in enumerate(lines):
        if held and (held + one.tokens > most_tokens or held >= wanted_tokens):
            yield Part(tuple(lines[max(0, start - CONTEXT_LINES) : start]), tuple(lines[start:place]))
            start, held = place, 0
        held += one.tokens
    if held:
        yield Part(tuple(lines[max(0, start - CONTEXT_LINES) : start]), tuple(lines[start:]))


def _pieces(text: str, most_tokens: int) -> Iterator[str]:
    """Yield *text* in pieces of at most *most_tokens*, cut between words where there are any."""
    while tokens(text) > most_tokens:
        # A token is a letter at least, so so many letters always fit.
        cut = text.rfind(" ", 1, most_tokens)
        cut = cut if cut > 0 else most_tokens
        yield text[:cut]
        text = text[cut:].lstrip()
    if text:
        yield text
