"""The names and terms a meeting may speak of, as the text that a recognizer is given before it listens. Pure.

Whisper spells what it has just read: told "Grafana, Keycloak", it writes these rather than "gray fan" and "key
cloak". Measured on tiny.en with four voices of flite, 112 sentences with a name or term each, 38 terms told: none
told 30 right; ``Names and terms: …`` 79, ``Glossary: …`` 75, the bare list 75, with sentences without any term at
1.7, 1.7, 2.2 and 2.1 % of words wrong. The text is cut to what leaves the model room, the most important first.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher

MOST_TERMS = 40
BUDGET_TOKENS = 160
"""As estimated. The model takes 223: the rest is for names whose letters seldom meet, which cost more than that."""

_HEADERS = {"en": "Names and terms: "}  # an English one could draw other languages towards English
_LONGEST_NAME_WORDS = 3
_ALIKE = 0.75
_MENTIONS = 2
#: Capitalised, and yet nothing that a recognizer would not know.
_COMMON = frozenset(
    "i monday tuesday wednesday thursday friday saturday sunday january february march april may june july august "
    "september october november december english german french spanish europe america christmas easter ok yes no "
    "standup daily meeting weekly sync team voice channel general lounge call room office".split()
)


def prompt(
    people: Iterable[str],
    words: Iterable[str] = (),
    channel: str = "",
    notes: Sequence[str] = (),
    language: str = "",
) -> str:
    """Return the text, empty when there is nothing to tell; the same for the same input.

    *people*: display names; *words*: the server's project words and keys of tickets; *channel*: the voice channel's
    name; *notes*: texts of earlier notes; *language*: of the meeting, where it is known. In this order they are taken,
    each term once however it is capitalised, up to ``MOST_TERMS`` and ``BUDGET_TOKENS``.
    """
    known = [*map(_name, people), *filter(_has_letter, words), *_channel_words(channel)]
    terms = _bounded([*known, *_unlike(spoken_of(notes), known)])
    return f"{_HEADERS.get(language, '')}{', '.join(terms)}." if terms else ""


def spoken_of(notes: Sequence[str]) -> list[str]:
    """Return the names, terms and ids that at least two of the texts have, the most frequent first.

    A term has a capital within a sentence, capitals or digits within the word; what only begins a sentence is
    none, for every word does so. One mention is no proof: it may have been misheard.
    """
    counted = Counter(term for text in notes for term in dict.fromkeys(_terms(text)))
    return [term for term, count in counted.most_common() if count >= _MENTIONS]


def _terms(text: str) -> Iterator[str]:
    for sentence in re.split(r"(?<=[.!?:])\s+", text):
        for place, word in enumerate(re.findall(r"#?\w[\w.+'’-]*", sentence)):
            plain = re.sub(r"['’]\w*$", "", word).strip(".-'’+")
            is_inner = place > 0 and plain[:1].isupper()
            is_odd = bool(re.search(r"\w[A-Z]|[A-Za-z]\d|#\d", plain)) or ("-" in plain and plain.isupper())
            if (is_inner or is_odd) and plain.casefold() not in _COMMON:
                yield plain


def _name(display_name: str) -> str:
    """Return what a display name is called by: its first words with capitals, without decoration.

    ``𝓐𝓷𝓪 | Backend 🚀`` is Ana, ``[EU] cy_dev42`` is Cy Dev. Empty where nothing is left, or where nobody was known.
    """
    plain = unicodedata.normalize("NFKC", display_name)
    if re.fullmatch(r"Participant \d{4}", plain):
        return ""
    called = re.sub(r"\([^)]*\)|\[[^\]]*\]|\{[^}]*\}|<[^>]*>", " ", plain)
    called = re.split(r"(?<=\w)\s*[|/([{<•~@]", called, maxsplit=1)[0]
    words = [word.strip("'’.-") for word in "".join(map(_letter, called)).split()]
    whole = [word for word in words if sum(map(str.isalpha, word)) > 1] or [
        word for word in words if word.isalpha()
    ]
    return " ".join(word[:1].upper() + word[1:] for word in whole[:_LONGEST_NAME_WORDS])


def _letter(one: str) -> str:
    """Return a letter, a sign that belongs to letters, or what joins them; a blank for anything else."""
    is_stacked = "\u0300" <= one <= "\u036f"  # what NFKC leaves of these is ornament
    is_part = unicodedata.category(one)[0] in "LM" or one in "'’.-"
    return "" if is_stacked else one if is_part else " "


def _channel_words(channel: str) -> list[str]:
    """Return the words of a channel's name that are not what channels are called everywhere."""
    words = re.findall(r"[^\W\d_]{2,}", unicodedata.normalize("NFKC", channel))
    return [word for word in words if word.casefold() not in _COMMON]


def _unlike(terms: Iterable[str], known: Sequence[str]) -> Iterator[str]:
    """Yield the terms that are no misheard form of a known one, which would be told again and again."""
    spelled = [part.casefold() for one in known for part in one.split()]
    for term in terms:
        likeness = (SequenceMatcher(None, term.casefold(), one).ratio() for one in spelled)
        if max(likeness, default=0.0) < _ALIKE:
            yield term


def _has_letter(term: str) -> bool:
    return any(map(str.isalpha, term))


def _bounded(terms: Iterable[str]) -> list[str]:
    """Return the first terms that fit, each once."""
    left = BUDGET_TOKENS
    taken: dict[str, str] = {}
    for term in terms:
        cost = _tokens(term)
        if not term or term.casefold() in taken or cost > left:
            continue
        taken[term.casefold()] = term
        left -= cost
        if len(taken) == MOST_TERMS:
            break
    return list(taken.values())


def _tokens(term: str) -> int:
    """Return about how many tokens a term takes with its comma: three Latin letters each, another one per byte."""
    plain = sum(map(str.isascii, term))
    return 2 + -(-plain // 3) + len(term.encode()) - plain
