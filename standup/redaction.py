"""What is left of a meeting when somebody is taken out of it. Pure.

Their own words go, and every item and relation that is theirs or stands on their words. In what others said their name
becomes ``[…]``: the display name as a whole, and each word of it that no other participant bears, where it is written
as displayed or begins with a capital, so that a Will does not take every "will" with him.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from unicodedata import category, normalize

from standup.continuity import Relation
from standup.summary import Item, Summary
from standup.transcript import Transcript, Utterance

BLANK = "[…]"
LEAST_LETTERS = 2
"""Shorter words of a name stay: an initial is everybody's."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What is left of a meeting, and what that took."""

    utterances: tuple[Utterance, ...]
    """Those of the others whose words change."""
    removed: int
    """How many utterances were theirs."""
    summary: Summary | None
    """The notes that are left; None without any."""
    lost_texts: frozenset[str]
    """Texts of items that are in these notes no more; later notes must not quote them either."""


def cut(transcript: Transcript, summary: Summary | None, person: str, names: Iterable[str]) -> Cut:
    """Take *person*, a participant id known under *names*, out of a meeting.

    Doing it twice changes nothing more.
    """
    others = [one.name for one in transcript.participants if one.id != person]
    hidden = Names(names, others)
    theirs = frozenset(one.id for one in transcript.utterances if one.speaker == person)
    spoken = [one for one in transcript.spoken if one.speaker != person]
    changed = tuple(replace(one, text=hidden.out_of(one.text)) for one in spoken if hidden.is_in(one.text))
    if summary is None:
        return Cut(changed, len(theirs), None, frozenset())
    left = notes(summary, person, theirs, hidden)
    lost = {one.text for one in summary.items} - {one.text for one in left.items}
    return Cut(changed, len(theirs), left, frozenset(lost))


class Names:
    """Finds and blanks out the names of one person."""

    def __init__(self, names: Iterable[str], others: Iterable[str]) -> None:
        """*names* are the person's display names, *others* those of the people beside them."""
        shared = {word.casefold() for name in others for word in _forms(name)}
        wanted = {word for name in names for word in _forms(name)}
        kept = [one for one in wanted if len(one) >= LEAST_LETTERS and one.casefold() not in shared]
        self._exact = frozenset(kept)
        # The longest first: a whole name goes before a word of it.
        ordered = sorted(kept, key=lambda one: (-len(one), one))
        self._pattern = re.compile("|".join(map(_bounded, ordered)), re.IGNORECASE) if kept else None

    def is_in(self, text: str) -> bool:
        """Return whether *text* names the person."""
        return self.out_of(text) != text

    def out_of(self, text: str) -> str:
        """Return *text* without the person's names."""
        if self._pattern is None:
            return text
        composed = normalize("NFC", text)
        left = self._pattern.sub(self._blank, composed)
        return text if left == composed else left

    def _blank(self, found: re.Match[str]) -> str:
        word = found[0]
        may_be_another = word.islower() and word.isalpha() and word not in self._exact
        return word if may_be_another else BLANK


def _forms(name: str) -> list[str]:
    """Return a display name and its words, as displayed and in the plain letters in which speech is written."""
    shown = [normalize("NFC", name.strip()), normalize("NFKC", name.strip())]
    return [form for one in shown for form in (one, *_words(one))]


def _words(name: str) -> list[str]:
    # Vowels of many scripts are marks, and stand within the word.
    return "".join(one if one.isalnum() or category(one)[0] == "M" else " " for one in name).split()


def _bounded(word: str) -> str:
    """Return a pattern for *word*, asked for its edges in scripts that have cases.

    Of the others many write words without blanks, or particles on to them.
    """
    escaped = re.escape(word)
    has_case = all(one.lower() != one.upper() for one in word if one.isalpha())
    return rf"(?<!\w){escaped}(?!\w)" if has_case else escaped


def notes(summary: Summary, person: str, theirs: frozenset[str], hidden: Names) -> Summary:
    """Return *summary* without the items and relations of *person* or on *theirs*, their utterances."""

    def is_kept(one: Item | Relation) -> bool:
        return one.person != person and not theirs.intersection(one.evidence)

    return replace(
        summary,
        items=tuple(_item(one, hidden) for one in summary.items if is_kept(one)),
        continuity=tuple(_relation(one, hidden) for one in summary.continuity if is_kept(one)),
    )


def _item(one: Item, hidden: Names) -> Item:
    return replace(one, text=hidden.out_of(one.text), due=hidden.out_of(one.due) if one.due else one.due)


def _relation(one: Relation, hidden: Names) -> Relation:
    today = hidden.out_of(one.today) if one.today else one.today
    return replace(one, yesterday=hidden.out_of(one.yesterday), today=today)
