"""Words made comparable, so that a shortened or inflected form is found again in what was said. Pure.

Strategy: case and endings go, words that carry no matter of their own go, figures and identifiers stay letter for
letter. English endings and filler words; in other languages more words count, and scripts without spaces are
compared letter by letter.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_UNSPACED = r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]"
_WORD = re.compile(rf"{_UNSPACED}|[^\W\d_]+(?:'[^\W\d_]+)*")
_FIGURE = re.compile(r"\w+(?:[-.:']\w+)*")
_ENDING = re.compile(r"(?<=\w{3})(?:ing|ed|es|s|e|ly)$")
_DOUBLE = re.compile(r"(.)\1$")

#: Verb forms that no ending explains.
_IRREGULAR = dict(
    pair.split("=")
    for pair in (
        "wrote=write written=write made=make built=build ran=run sent=send got=get gotten=get found=find met=meet "
        "took=take taken=take gave=give given=give broke=break broken=break began=begin spoke=speak spoken=speak "
        "held=hold led=lead bought=buy brought=bring thought=think taught=teach drew=draw drawn=draw"
    ).split()
)
#: Words without a matter of their own: grammar, courtesy, and the verbs that the kind of an item says already.
FILLERS = frozenset(
    (
        "a an the this that these those there here it its i i'm i've i'll i'd me my mine we we're we've we'll "
        "our us you you're your he she they them his her their who what which when where how and or but so if "
        "then than as at by for from in into of off on onto out over to up with about after before until till "
        "while because since be am is are was were been being isn't aren't wasn't weren't it's that's there's "
        "do does did done doing don't doesn't didn't have has had having haven't hasn't hadn't will would "
        "shall should can could may might must won't wouldn't can't cannot couldn't not no never just also "
        "still already now today yesterday tomorrow yet really quite fully actually able get got getting gets "
        "let lets let's need needs needed want wants wanted going gonna plan plans planning planned work "
        "works worked working start starts started starting continue continues continued continuing finish "
        "finished finishing finishes complete completed completing completes manage managed stuck block "
        "blocked blocking blocks blocker blockers wait waiting waits waited please ok okay yes yeah well some "
        "any all both more one very too somebody someone everybody everyone team"
    ).split()
)
#: Numbers in words are figures too; "one" is mostly none.
_COUNTS = frozenset(
    (
        "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
        "seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred thousand "
        "million billion dozen half twice"
    ).split()
)


@dataclass(frozen=True, slots=True)
class Words:
    """What a text says, made comparable."""

    stems: frozenset[str]
    """Of the words with a matter of their own, or of all words where there is none."""
    every: frozenset[str]
    """Stems of all words."""
    figures: frozenset[str]
    """Numbers and identifiers with a digit in them, and numbers in words; small letters."""


def words(text: str) -> Words:
    """Return the comparable words of *text*; all of them are empty for a text without letters and digits."""
    spoken = listed(text)
    stems = frozenset(map(stem, spoken))
    own = frozenset(stem(one) for one in spoken if one not in FILLERS)
    figures = {one for one in _FIGURE.findall(_plain(text)) if any(map(str.isdigit, one))}
    return Words(own or stems, stems, frozenset(figures | (_COUNTS & set(spoken))))


def listed(text: str) -> list[str]:
    """Return the words of *text* in their order, in small letters; figures are none."""
    return _WORD.findall(_plain(text))


def stem(word: str) -> str:
    """Return *word* (small letters) without its English ending: ``merging``, ``merged`` and ``merges`` are one."""
    base = _ENDING.sub("", _IRREGULAR.get(word, word.removesuffix("'s")))
    return _DOUBLE.sub(r"\1", base)


def _plain(text: str) -> str:
    return re.sub("[\u2018\u2019\u02bc]", "'", text).casefold()
