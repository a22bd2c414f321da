"""Finding a participant in a spoken name, which speech recognition spells as it hears it. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from standup.meeting import Participant

#: Words that stand where a name could, and are none.
NOT_NAMES = frozenset(
    "i we you he she it they this that these those who what which there here then so and but or if when the a an my "
    "our your his her their its one someone somebody everyone everybody anyone nobody nothing something today "
    "tomorrow yesterday please can could would will should may might must let's ok okay yes yeah no now next also "
    "just still maybe sure thanks hey hi all well not to is are was in on for with by from action item".split()
)


class Roster:
    """The people of one meeting, by the names they may be called."""

    def __init__(self, participants: Sequence[Participant]) -> None:
        self._called: dict[str, set[str]] = {}
        for person in participants:
            for part in _parts(person.name):
                self._called.setdefault(part, set()).add(person.id)

    @property
    def names(self) -> Collection[str]:
        """Every part of a name, in lower case."""
        return self._called.keys()

    def find(self, word: str) -> str | None:
        """Return the id of the one participant that *word* names.

        An exact part of a display name wins; otherwise one small slip of the recognizer is forgiven. A word that
        could be two people is nobody's.
        """
        spoken = re.sub(r"'s?$", "", word.strip(" ,.:;!?").casefold())
        if not spoken or spoken in NOT_NAMES:
            return None
        people = self._called.get(spoken)
        if people is None:
            alike = [ids for part, ids in self._called.items() if _sounds_like(spoken, part)]
            people = set().union(*alike)
        return next(iter(people)) if len(people) == 1 else None

    def mentioned(self, text: str) -> str | None:
        """Return the first participant named in *text*: with a capital, or, in text without any, exactly."""
        for word in re.findall(r"[\w'-]+", text):
            is_exact = re.sub(r"'s?$", "", word) in self._called
            found = self.find(word) if word[0].isupper() or (is_exact and text.islower()) else None
            if found is not None:
                return found
        return None


def _parts(name: str) -> list[str]:
    """Return the words of a display name, and the whole of it; ``cy_dev42`` is called ``cy``."""
    words = re.findall(r"[^\W\d_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name))
    return [word.casefold() for word in words if len(word) > 1 or len(words) == 1]


def _sounds_like(spoken: str, name: str) -> bool:
    """Return whether *spoken* is *name* but for doubled letters, like-sounding letters, or one letter in five."""
    if _sound(spoken) == _sound(name):
        return True
    return (
        min(len(spoken), len(name)) >= 5
        and spoken[0] == name[0]
        and _distance(spoken, name) <= 1 + (len(name) > 8)
    )


def _sound(word: str) -> str:
    """Return *word* with letters that sound alike made equal and doubles made single."""
    alike = word.replace("ph", "f").replace("ck", "k").replace("th", "t").replace("ie", "y")
    alike = re.sub(r"c(?=[eiy])", "s", alike).translate(str.maketrans("cqziv", "kksyf"))
    alike = re.sub(r"h(?![aeiouy])", "", alike)
    return re.sub(r"(.)\1+", r"\1", alike)


def _distance(one: str, other: str) -> int:
    """Return the Levenshtein distance."""
    row = list(range(len(other) + 1))
    for place, letter in enumerate(one, start=1):
        before, row[0] = row[0], place
        for column, against in enumerate(other, start=1):
            before, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, before + (letter != against)),
            )
    return row[-1]
