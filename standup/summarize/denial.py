"""Statements that say the opposite: no blocker, one that is solved, work that was not done. Pure, English.

Independent of how the rules read a standup, so that a mistake of theirs is not made twice. Rather blind than wrong:
what is not clearly denied stands.
"""

from __future__ import annotations

import re

from standup.summarize.words import FILLERS, listed, stem, words

_NEGATION = re.compile(r".*n't|not|never|cannot")
#: Where a statement may end; in text without punctuation, at the words with which people go on.
_BORDER = re.compile(
    r"(?<=[.!?;:,])\s+|\s+(?=(?:but|so|and|then|also|plus|today|yesterday|except)\b)"
    r"|\s+(?=(?:i|we)(?:'m|'ve|'ll|'re|'d)?\s)",
    re.IGNORECASE,
)
_WALLS = frozenset("but so and because since then".split())

#: Nothing at all is in the way.
_NONE = re.compile(
    r"\b(?:no|zero|any|without)\s+(?:(?:real|new|major|big|other|current|more|further|actual|immediate)\s+)*"
    r"(?:blockers?|impediments?|obstacles?|roadblocks?)\b|\b(?:blockers?|impediments?)\W+(?:none|no|nope|nothing|nil)\b"
    r"|\b(?:nothing|no ?(?:one|body))(?:'s|\s+is)?\s+(?:\w+\s+)?(?:blocking|blocked|stuck|in (?:my|our|the) way|"
    r"holding (?:me|us))\b|^\W*(?:none|nothing|nope|no|n/?a)\W*$",
    re.IGNORECASE,
)
_EXCEPTION = re.compile(r"\b(?:except|but|other than|apart from|besides|aside from)\b", re.IGNORECASE)
#: This very thing is not in the way.
_NOT_IT = re.compile(
    r"(?:\bnot|n't|\bnever|\bno longer)\s+(?:(?:really|currently|actually|being|been|be|have|see|that|any|an?|real|"
    r"big|so|anymore)\s+)*(?:blocked|stuck|blocking|waiting|held up|holding (?:me|us)|in (?:my|our) way|blockers?|"
    r"problems?|issues?|impediments?)\b"
    r"|\bno (?:\w+ )?(?:blockers?|issues?|problems?|trouble)\s+(?:with|on|from|because of|around)\b",
    re.IGNORECASE,
)
_SOLVED = re.compile(
    r"(?:\b(?:is|are|was|were|be|been|got|has|have|all|now)|'s)\s+(?:\w+\s+){0,2}?(?:resolved|fixed|solved|sorted|"
    r"unblocked|cleared)\b|\b(?:fixed|resolved|solved|sorted|figured)\s+(?:it|that|this|them)\b|\bunblocked\b|"
    r"\bwork(?:s|ing) (?:again|now|fine)\b|\bback (?:up|online|again|to normal)\b|"
    r"\b(?:fine|good|okay|ok|gone|done) (?:now|again)\b|\bgot (?:access|it working)\b|\bwent away\b",
    re.IGNORECASE,
)
_NOT_YET = re.compile(
    r"\b(?:until|till|unless|once|when|if|before|to be|to get|to have|not|needs?|will|should|hope\w*|wait\w*|who|"
    r"nobody|no one|half|almost|partly|supposed|still)\b|n't\b",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"\W*(?:(?:but|and|so|now|then)\s+)*(?:it|it's|its|that|that's|this|which|they|everything|now)\b",
    re.IGNORECASE,
)
_JOKE = re.compile(r"\W*(?:(?:i'm|i am|just|only)\s+)*(?:kidding|joking)\b", re.IGNORECASE)
_NO = re.compile(r"\W*(?:no|nope|not|nah)\b(?! problem)", re.IGNORECASE)


def statements(text: str) -> list[str]:
    """Return *text* cut where a statement may end, apostrophes straight."""
    straight = re.sub("[\u2018\u2019\u02bc]", "'", " ".join(text.split()))
    return [one for one in _BORDER.split(straight) if one]


def denies_all(text: str) -> bool:
    """Return whether *text* says that nothing is in the way, and excepts nothing."""
    return _NONE.search(text) is not None and _EXCEPTION.search(text) is None


def denies(statement: str, stems: frozenset[str]) -> bool:
    """Return whether *statement* says of what has the words *stems* that it is no blocker, or no longer one."""
    if _NOT_IT.search(statement):
        return True
    solved = _solution(statement)
    return solved is not None and bool(stems & words(statement[: solved.end()]).every)


def takes_back(statement: str) -> bool:
    """Return whether *statement* says of the one before it that it is solved or harmless: "but it's fine now"."""
    is_gone = _solution(statement) is not None or _NOT_IT.search(statement) is not None
    return is_gone and _BACK.match(statement) is not None


def calls_a_joke(statement: str) -> bool:
    """Return whether *statement* says that what stands before it was not meant: "just kidding"."""
    return _JOKE.match(statement) is not None


def refuses(answer: str) -> bool:
    """Return whether *answer* says no."""
    return _NO.match(answer) is not None


def is_undone(statement: str, stems: frozenset[str]) -> bool:
    """Return whether the words *stems* stand under a "not" in *statement*: "I didn't finish the login page"."""
    spoken = listed(statement)
    place = next((number for number, one in enumerate(spoken) if stem(one) in stems), 0)
    for word in reversed(spoken[:place]):
        if _NEGATION.fullmatch(word):
            return True
        if word in _WALLS or word not in FILLERS:
            return False
    return False


def is_negative(text: str) -> bool:
    """Return whether *text* has a "not" of its own."""
    return any(_NEGATION.fullmatch(one) or one in ("no", "without", "nothing") for one in listed(text))


def _solution(statement: str) -> re.Match[str] | None:
    """Return where *statement* says that something is gone; "until it is fixed" says no such thing."""
    found = _SOLVED.search(statement)
    return None if found is None or _NOT_YET.search(statement[: found.end()]) else found
