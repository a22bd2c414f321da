"""The rules summarizer: no language model, no network, the same answer every time.

A small network marks which words of the talk say an item and of which kind (`tagger`); everything else is rules:
whose an item is, when it is due, which utterances show it, what "it" stands for (`reading`, `context`), and how the
words become a line of the notes (`wording`). Nothing is reworded: an item is the speaker's own stretch of talk without
its lead-in. English.
"""

from __future__ import annotations

from standup.summarize import tagger
from standup.summarize.names import Roster
from standup.summarize.reading import items
from standup.summarize.turns import turns
from standup.summary import RULES, Summary
from standup.transcript import Transcript


class RulesSummarizer:
    """Reads a standup by its words. Loads its weights at the first call; `Tagger` says what is remembered."""

    @property
    def name(self) -> str:
        """What the notes call it."""
        return RULES

    def summarize(self, transcript: Transcript) -> Summary:
        """Return the items in the order in which they were said; an empty transcript gives none."""
        said = turns(transcript)
        if not said:
            return Summary((), self.name)
        marks = tagger.load().mark(said, _names(transcript))
        return Summary(items(marks, said, Roster(transcript.participants)), self.name)


def skim(transcript: Transcript) -> None:
    """Read the beginning of a meeting that goes on: to write its notes, this process then reads only what is new."""
    tagger.load().skim(turns(transcript), _names(transcript))


def _names(transcript: Transcript) -> dict[str, str]:
    return {one.id: one.name for one in transcript.participants}
