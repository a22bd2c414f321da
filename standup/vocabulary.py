"""What a server's people say that a recognizer does not expect: project words, their language, ids of tickets. Pure.

The words are private like names: the errors here count them and never quote them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from standup.errors import InputRefused

MOST_WORDS = 40
"""More would not fit into what a recognizer is told beforehand."""
LONGEST_WORD = 32
"""In characters."""
MOST_KEYS = 5
NONE = "none"
"""Takes a choice back."""
AUTO = "auto"

#: The codes of Whisper's languages.
LANGUAGES = frozenset(
    "af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu ha haw he hi hr ht hu hy id "
    "is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd "
    "si sk sl sn so sq sr su sv sw ta te tg th tk tl tr tt uk ur uz vi yi yo yue zh".split()
)
NUMBER_SIGN = "#"
_KEY = re.compile(r"[A-Z][A-Z0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What one server chose; without a choice nothing is expected and nothing rewritten."""

    words: tuple[str, ...] = ()
    """Project words and names as they are written, the most important first; private."""
    language: str = ""
    """A code of ``LANGUAGES``, or ``auto``; empty: as the operator set it."""
    tickets: tuple[str, ...] = ()
    """How ids are written: ``#`` as in ``#205``, a project's key such as ``OPS`` as in ``OPS-205``."""


def parse_words(text: str) -> tuple[str, ...]:
    """Return the words of a list parted by commas, each once however it is capitalised; ``none`` is the empty list.

    Raises InputRefused for more than ``MOST_WORDS``, for one longer than ``LONGEST_WORD``, without a letter or
    digit, or with characters that cannot be seen.
    """
    listed = _listed(text)
    if len(listed) > MOST_WORDS:
        raise InputRefused(
            f"A server keeps at most {MOST_WORDS} project words, these are {len(listed)}; leave out some."
        )
    for place, word in enumerate(listed, start=1):
        if not word.isprintable():
            raise InputRefused(f"Project word {place} has characters that cannot be seen; type it anew.")
        if len(word) > LONGEST_WORD:
            raise InputRefused(
                f"Project word {place} is longer than {LONGEST_WORD} characters; part words by commas."
            )
        if not any(map(str.isalnum, word)):
            raise InputRefused(f"Project word {place} has neither letter nor digit; leave it out.")
    return listed


def parse_language(text: str) -> str:
    """Return the code of a language, ``auto``, or empty for ``none``; raise InputRefused for what Whisper has not."""
    code = text.strip().lower()
    if code == NONE:
        return ""
    if code != AUTO and code not in LANGUAGES:
        raise InputRefused(
            f"That is no language I know; give a code such as en or de, {AUTO} to have it recognised, or {NONE}."
        )
    return code


def parse_tickets(text: str) -> tuple[str, ...]:
    """Return the ways ids are written, from a list parted by commas; ``none`` is the empty list.

    Raises InputRefused for one that is neither ``#`` nor a key of two to ten letters and digits, or for more
    than ``MOST_KEYS``.
    """
    listed = tuple(one.upper() for one in _listed(text))
    if len(listed) > MOST_KEYS:
        raise InputRefused(f"A server keeps at most {MOST_KEYS} ways to write ids, these are {len(listed)}.")
    if any(one != NUMBER_SIGN and not _KEY.fullmatch(one) for one in listed):
        raise InputRefused(
            f"Ids are written with {NUMBER_SIGN} as in {NUMBER_SIGN}205, or with a project's key such as OPS as in "
            "OPS-205; give one of these, or several parted by commas."
        )
    return listed


def _listed(text: str) -> tuple[str, ...]:
    """Return the parts between commas, without blanks around them, empty ones and repetitions."""
    parts = [re.sub(r" +", " ", part).strip(" ") for part in text.split(",")]
    found: dict[str, str] = {}
    for part in filter(None, parts):
        found.setdefault(part.casefold(), part)
    return () if set(found) == {NONE} else tuple(found.values())
