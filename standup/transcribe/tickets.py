"""Write the ids of tickets that were spoken: "ticket two oh five" is #205, "ops one two three" is OPS-123. Pure.

Only after what announces an id, and only where the words can be nothing else: digits one by one, tens and hundreds.
A lone small number after "issue" counts issues as often as it names one, so it stays; so does whatever counts people
or days. The number words are English. Libraries that read them (text2num 3.1) make "2 05" of "two zero five".
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from standup.vocabulary import NUMBER_SIGN

_DIGITS = {
    word: str(value) for value, word in enumerate("zero one two three four five six seven eight nine".split())
} | {"oh": "0", "o": "0"}
_TEENS = {
    word: str(value)
    for value, word in enumerate(
        "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(), start=10
    )
}
_TENS = {
    word: str(value)
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)
}
_OTHERS = ("hundred", "thousand", "million", "point", "half")
_NUMBER_WORD = "|".join((*_DIGITS, *_TEENS, *_TENS, *_OTHERS))
_TOKEN = rf"(?:\d{{1,3}}(?:,\d{{3}})+|\d+|{_NUMBER_WORD})\b"
_RUN = rf"{_TOKEN}(?:(?:[ -]|(?<=hundred) and ){_TOKEN})*"
_ANNOUNCED = r"ticket|issue|bug|pull request"
_MARKED = r"(?: number| no\.| dash| hyphen)"
#: What may not stand behind an id: a fraction, a percentage, a longer word, or what is being counted.
_COUNTS = re.compile(
    r"[%\w]|[.,:/] ?\d|-\w| (?:of|percent|people|person|user|customer|time|second|minute|hour|day|week|month|year)s?\b",
    re.IGNORECASE,
)
#: Digits that are one number: written as one, said one by one, or in pairs.
_PARTS = re.compile(r"[\d,]+|\d(?: \d)+|\d{1,2} \d\d")
_LONGEST = 7


def write_ids(text: str, tickets: Iterable[str]) -> str:
    """Return *text* with spoken ids as they are written; doing it again changes nothing.

    *tickets*: ``#``, or keys of projects such as ``OPS``. Without one the text comes back as it is.
    """
    for one in tickets:
        pattern = _pattern(one)
        text = pattern.sub(lambda found, one=one: _written(found, one), text)  # type: ignore[misc]
    return text


def _pattern(ticket: str) -> re.Pattern[str]:
    """Return what a spoken id of this kind looks like; a key may have been spelled letter by letter."""
    spelled = _ANNOUNCED if ticket == NUMBER_SIGN else "[. ]?".join(map(re.escape, ticket)) + r"\.?"
    return re.compile(
        rf"(?<![\w#-])(?:{spelled})(?P<mark>{_MARKED}?)(?P<gap>[ -])(?P<run>{_RUN})", re.IGNORECASE
    )


def _written(found: re.Match[str], ticket: str) -> str:
    run = found["run"]
    if found["gap"] == "-" and " " in run:  # written already; what follows is another number
        return found[0]
    number = _number(run)
    is_sure = bool(found["mark"]) or not run.isalpha()
    if number is None or not is_sure or _COUNTS.match(found.string, found.end()):
        return found[0]
    return f"#{number}" if ticket == NUMBER_SIGN else f"{ticket}-{number}"


def _number(run: str) -> str | None:
    """Return the digits of an id, None where they might be others."""
    tokens = [token for token in re.split("[ -]", run.lower()) if token != "and"]
    if all(token[0].isdigit() for token in tokens):
        digits = "".join(tokens).replace(",", "") if _PARTS.fullmatch(" ".join(tokens)) else ""
    else:
        digits = _one_by_one(tokens) or _hundreds(tokens) or _pairs(tokens) or ""
    return digits if 0 < len(digits) <= _LONGEST else None


def _one_by_one(tokens: list[str]) -> str | None:
    return "".join(_DIGITS[one] for one in tokens) if all(one in _DIGITS for one in tokens) else None


def _hundreds(tokens: list[str]) -> str | None:
    """Return ``205`` for "two hundred five"."""
    if len(tokens) < 2 or tokens[1] != "hundred" or tokens[0] not in _DIGITS or _DIGITS[tokens[0]] == "0":
        return None
    rest = tokens[2:]
    if len(rest) == 1 and rest[0] in _DIGITS:
        return _DIGITS[tokens[0]] + "0" + _DIGITS[rest[0]]
    below = _pair(rest) if rest else "00"
    return _DIGITS[tokens[0]] + below if below else None


def _pairs(tokens: list[str]) -> str | None:
    """Return ``42``, ``142`` for "one forty two", ``1205`` for "twelve oh five"."""
    for at in range(min(3, len(tokens))):
        first = "" if at == 0 else _pair(tokens[:at]) or (_DIGITS.get(tokens[0]) if at == 1 else None)
        last = _pair(tokens[at:], is_last=at > 0)
        if first is not None and last is not None:
            return first + last
    return None


def _pair(tokens: list[str], *, is_last: bool = False) -> str | None:
    """Return the two digits of "twelve", "forty", "forty two", and behind others of "oh five"."""
    if len(tokens) == 1:
        return _TEENS.get(tokens[0]) or (_TENS[tokens[0]] + "0" if tokens[0] in _TENS else None)
    if len(tokens) != 2 or tokens[1] not in _DIGITS:
        return None
    unit = _DIGITS[tokens[1]]
    if tokens[0] in _TENS and unit != "0":
        return _TENS[tokens[0]] + unit
    return "0" + unit if is_last and tokens[0] in ("oh", "o", "zero") else None
