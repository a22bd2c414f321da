"""Content words: what of a sentence must be right, whatever its grammar.

Pure. A number is a word of its own and is compared as it stands; other words are compared by their stems, and
nearly equal ones count as equal, because recognised speech and rewording bend endings and letters. English.

The product's own check (`standup.summarize.words`) is not used on purpose: what is measured must not be the measure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from rapidfuzz import fuzz

SIMILAR_PERCENT = 82.0
"""How alike two stems of four letters or more must be to count as one word."""

_PIECE = re.compile(r"\d+(?:[.,:]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_ENDING = re.compile(r"(?<=[^\W\d_]{3})(?:ings?|ions?|ed|es|s|e)$")
_CONTRACTION = re.compile(r"['’](?:s|m|d|ll|ve|re)$")
#: "one" is left out: it stands for a thing more often than for a number.
_NUMBERS = dict(
    zip(
        "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty hundred".split(),
        "2 3 4 5 6 7 8 9 10 11 12 20 30 40 50 100".split(),
        strict=True,
    )
)
_FUNCTION_WORDS = frozenset(
    "a an the this that these those it its i me my mine we us our ours you your yours he him his she her hers they "
    "them their theirs who whom which what when where why how there here some any all both each every no not nor none "
    "one other another such same own and or but if then so than too very just also only still yet already again as at "
    "by for from in into of off on onto out over to under up upon with without about after before during between "
    "through until while because since per via be am is are was were been being do does did done doing have has had "
    "having will would shall should can could may might must cannot can't won't don't doesn't didn't isn't aren't "
    "wasn't weren't haven't hasn't hadn't couldn't wouldn't shouldn't let go goes going gone went gonna get gets got "
    "getting um uh er erm hmm yeah yep yes okay ok well like really actually basically thing things stuff".split()
)
#: Words that only say again what kind an item is.
_KIND_WORDS = frozenset(
    "yesterday today tomorrow finish finished finishing complete completed start started starting continue continued "
    "continuing work worked working need needs plan plans planning blocked blocker stuck waiting wait next".split()
)


def words(text: str) -> frozenset[str]:
    """Return every word of *text*: numbers as digits, other words in lower case."""
    pieces = (_CONTRACTION.sub("", one) for one in _PIECE.findall(text.lower()))
    return frozenset(_NUMBERS.get(one, one.replace(",", "")) for one in pieces)


@lru_cache(maxsize=4096)
def content(text: str) -> frozenset[str]:
    """Return the words of *text* that say what it is about.

    Where it has only function words these are returned, so that it can still be compared.
    """
    every = words(text)
    return (every - _FUNCTION_WORDS - _KIND_WORDS) or (every - _FUNCTION_WORDS) or every


def numbers(among: Iterable[str]) -> frozenset[str]:
    """Return the numbers *among* these words."""
    return frozenset(one for one in among if one[0].isdigit())


def share(wanted: frozenset[str], there: frozenset[str]) -> float:
    """Return the share, 0 to 1, of the words *wanted* that are *there*; of no words all are."""
    if not wanted:
        return 1.0
    return sum(stands(one, there) for one in wanted) / len(wanted)


def stands(word: str, there: frozenset[str]) -> bool:
    """Return whether *word*, or one that counts as the same, is *there*."""
    return word in there or (not word[0].isdigit() and any(_is_same(word, one) for one in there))


@lru_cache(maxsize=65536)
def _is_same(first: str, second: str) -> bool:
    if second[0].isdigit():
        return False
    one, other = _stem(first), _stem(second)
    if one == other:
        return True
    return min(len(one), len(other)) >= 4 and fuzz.ratio(one, other) > SIMILAR_PERCENT


def _stem(word: str) -> str:
    return _ENDING.sub("", re.sub(r"ies$", "y", word))
