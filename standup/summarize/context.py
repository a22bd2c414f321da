"""What an item speaks of where its own words do not say: the sentence before it. Pure.

"Can you take it?" is no note; "The ministry wants the accessibility statement online: take it" is one. The words are
still those that were said, and the utterance they come from is evidence too.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from standup.summarize.turns import Turn
from standup.summarize.wording import clean, strip_end, strip_lead
from standup.summarize.words import FILLERS

LOOKS_BACK = 3
"""How many turns before its own may say what an item is about."""
LONGEST_CHARACTERS = 140
EARLY_WORDS = 4
"""A pointer among so many words stands for the matter itself: "mail it to the bank by noon"."""
ENOUGH, ENOUGH_AFTER_EARLY = 3, 6
"""So many words of its own make a text clear in spite of a pointer."""
LEAST_OWN = 2
"""So many words of its own must a sentence have to say what another is about."""

# A question of few words without a verb's subject names what the other is to speak of: "And the video?"
_PROMPT = re.compile(r"(?!.*\b(?:i|we|you|he|she|they|it)\b)\W*\w+(?:\W+\w+){0,2}\W*", re.IGNORECASE)
# "They were sent to me" says as little as "I'll forward them".
_OF_OTHERS = re.compile(r"(?:they|he|she)\b", re.IGNORECASE)
_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_WORD = re.compile(r"\w+(?:'\w+)*")
# "It's supplier calls until lunch" points at nothing, and "these settings" at the settings.
_POINTER = re.compile(
    r"\b(?:it(?!'s)|that(?!'s|\s+means)|them|there(?!'s|\s+(?:is|are|was|were)\b)|same|ones?|"
    r"(?:this|those|these)(?=\W*$|\W*[,.;:]|\s+(?:of|on|to|for|from|with|in|at|"
    r"by|and|or|then|now|today|tomorrow|tonight|again|out|up|off|over|is|was|are|were|will|should|myself|yourself)\b))\b",
    re.IGNORECASE,
)
#: Words that say how and not what.
_FAINT = FILLERS | frozenset(
    (
        "then quickly later after before soon maybe anyway myself yourself send give tell ask take look check pick "
        "read write put see know think good better fine nice thing things bit lot first last next time day days "
        "morning afternoon evening tonight week monday tuesday wednesday thursday friday everything nothing answer "
        "bring show say said told try keep come go went gone run make made use once twice again today's okay sorry"
    ).split()
)


def is_poor(text: str, names: Collection[str]) -> bool:
    """Return whether *text* leaves open what it is about: it points elsewhere, or has hardly a word of its own.

    *names*, in lower case, are those of the people there; they say who and not what.
    """
    own = _own(text, names)
    pointer = _POINTER.search(text)
    if pointer is None:
        return own < 1
    is_early = len(text[: pointer.start()].split()) < EARLY_WORDS
    return own < (ENOUGH_AFTER_EARLY if is_early else ENOUGH)


def before(
    turns: Sequence[Turn], place: int, start: int, names: Collection[str]
) -> tuple[str, tuple[str, ...]]:
    """Return the nearest sentence before character *start* of turn *place* that says what it is about.

    One that begins with "they", "he" or "she" only where no other does. With the ids of its utterances; an empty text
    and none where no sentence near says anything.
    """
    nearest: tuple[str, tuple[str, ...]] = ("", ())
    for turn, sentence_start, sentence in _sentences(turns, place, start):
        text = strip_end(strip_lead(clean(sentence)))
        is_asked = turn.speaker != turns[place].speaker and "?" in sentence
        is_prompt = is_asked and _PROMPT.fullmatch(text) is not None
        if _own(text, names) >= (1 if is_prompt else LEAST_OWN):
            found = _shortened(text), turn.evidence(sentence_start, sentence_start + len(sentence))
            if not _OF_OTHERS.match(text):
                return found
            nearest = nearest if nearest[0] else found
    return nearest


def _sentences(turns: Sequence[Turn], place: int, start: int) -> Iterator[tuple[Turn, int, str]]:
    """Return the sentences before a place, the nearest first."""
    for number in range(place, max(-1, place - LOOKS_BACK - 1), -1):
        text = turns[number].text[:start] if number == place else turns[number].text
        for found in reversed(list(_SENTENCE.finditer(text))):
            yield turns[number], found.start(), found[0]


def _own(text: str, names: Collection[str]) -> int:
    """Return how many words of *text* say something of their own."""
    return len({word for word in _WORD.findall(text.lower())} - _FAINT - set(names))


def _shortened(text: str) -> str:
    """Return *text*, or its end from a word on; the end is nearer to what follows."""
    if len(text) <= LONGEST_CHARACTERS:
        return text
    return "… " + text[-LONGEST_CHARACTERS:].split(" ", 1)[-1]
