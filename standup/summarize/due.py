"""Finding when something is due, in the words that were said. Pure."""

from __future__ import annotations

import re

_DAY = r"(?:mon|tues|wednes|thurs|fri|satur|sun)day"
_MONTH = r"(?:january|february|march|april|may|june|july|august|september|october|november|december)"
_PART = r"(?:\s+(?:morning|afternoon|evening|night|noon))?"
_NUMBER = r"(?:an?|one|two|three|four|five|six|seven|ten|\d+|a couple of|a few)"
_HOUR = r"(?:\d{1,2}(?::\d{2})?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)(?:\s+thirty)?"
_POINT = (
    rf"(?:(?:the\s+)?end of (?:the |this |next )?(?:day|week|month|sprint|quarter|year|today)|eod|eow|cob|"
    rf"noon|midday|(?:today|tomorrow|tonight|(?:(?:next|this|coming)\s+)?{_DAY}){_PART}|(?:next|"
    rf"this) (?:week|month|sprint|quarter)|{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?|(?:the\s+)?\d{{1,2}}(?:st|"
    rf"nd|rd|th)?(?:\s+of)?\s+{_MONTH}|\d{{4}}-\d{{2}}-\d{{2}}|(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)|"
    rf"{_HOUR}\s?(?:am|pm|a\.m\.|p\.m\.|o'clock)|"
    r"\d{1,2}:\d{2}|(?:the\s+|our\s+)?(?:next\s+)?(?:release|launch|demo|sprint review|review meeting|"
    r"retro|stand-?up|code freeze|deadline))"
)
_DEADLINE = rf"(?:by|before|until|till|no later than|not later than|due(?:\s+(?:by|on))?)\s+{_POINT}"
_LOOSE = (
    rf"(?:on\s+)?(?:(?:next|this)\s+)?{_DAY}{_PART}|tomorrow{_PART}|tonight|this (?:afternoon|evening|"
    rf"week)|next (?:week|month|sprint)|(?:at |by )?(?:the )?end of (?:the |this )?(?:day|week|month|"
    rf"sprint)|(?:with)?in {_NUMBER} (?:minutes?|hours?|days?|weeks?)|first thing tomorrow|today|asap|"
    rf"as soon as possible|right away"
)
_DEADLINE_RE = re.compile(rf"\b(?:{_DEADLINE})\b", re.IGNORECASE)
_DUE_RE = re.compile(rf"\b(?:{_DEADLINE}|{_LOOSE})\b", re.IGNORECASE)


def find_due(text: str, *, deadline_only: bool = False) -> str | None:
    """Return the last phrase of *text* that says when, or None.

    With *deadline_only* it must be a deadline (``by Friday``); ``tomorrow`` or ``on Friday`` will not do.
    """
    found = [match[0] for match in (_DEADLINE_RE if deadline_only else _DUE_RE).finditer(text)]
    return found[-1] if found else None


def without_due(text: str, due: str | None) -> str:
    """Return *text* without *due* where that stands at its start or end; inside it stays."""
    if due is None:
        return text
    words = text.strip(" ,.;:!?")
    lowered, phrase = words.lower(), due.lower()
    if lowered.endswith(phrase):
        return words[: -len(due)].rstrip(" ,")
    return words[len(due) :].lstrip(" ,") if lowered.startswith(phrase) else words
