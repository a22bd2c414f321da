"""What was said today of a matter of yesterday: that it is gone, that it stays, that it was given up. Pure, English.

A sentence speaks of a matter when enough of its words are in it. The verdict stands in that sentence, in the one after
it, or, after a question, in the answer. Rather no verdict than a wrong one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from standup.continuity import Became
from standup.summarize.likeness import Matter, matter, share, shared
from standup.transcript import Transcript, Utterance

OWNERS_SHARE = 0.5
"""How much of a matter must be in a sentence of whoever it belongs to."""
OTHERS_SHARE = 0.6
"""How much of it must be in a sentence of somebody else."""
WORDS = 2.0
"""What is enough of a long matter, in words, where it is `WORDS_SHARE` of it."""
WORDS_SHARE = 0.25
MENTION_SHARE = 0.34
"""How much of it in an utterance of somebody else shows that it was spoken of; of the owner's, one word does."""

_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_SOLVED = re.compile(
    r"\b(?:sent|came|come|arrived|got|has|have|works|working|worked|fixed|solved|resolved|sorted|cleared|unblocked|"
    r"merged|answered|replied|approved|granted|signed|delivered|gave|given|let me in|is (?:back|up|in|here|through)|"
    r"(?:are|'s|'re) (?:back|up|here|through)|gone|went (?:through|away)|done|finally|again|up and running|"
    r"can now|now can|out of (?:my|the|our) way|no longer|any ?more)\b",
    re.IGNORECASE,
)
_STUCK = re.compile(
    r"\b(?:still|not|never|nothing|nobody|cannot|no (?!longer|problem|trouble|more)\w+|waiting|wait|blocked|stuck|"
    r"locked|down|broken|failing|fails|without|until|promised?|says?|should|will|would|tomorrow|yet|same|need|needs|once|"
    r"if|when)\b|n't\b",
    re.IGNORECASE,
)
_OVER = re.compile(
    r"\b(?:no longer|not (?=\w+ (?:any ?more|any longer)))|\bn't (?=.*\bany ?more)", re.IGNORECASE
)
_YES = re.compile(
    r"\W*(?:yes|yeah|yep|yup|i did|it is|they did|it does|it has|all good|sure is)\b", re.IGNORECASE
)
_GIVEN_UP = re.compile(
    r"(?:\bnot|n't|\bnever|\bno longer) (?:going to|gonna|(?:be )?doing|do|planning|needed|need|happening|bother)\b|"
    r"\b(?:dropp(?:ed|ing)|drop|cancel\w*|scrapp\w*|skipp(?:ed|ing)|abandon\w*|giv(?:e|en|ing) up|gave up|"
    r"off the (?:table|list)|decided against|obsolete|no point|called off|won't)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Passage:
    """One sentence, what follows it, and where it was said."""

    speaker: str
    sentence: str
    sequel: str
    """The rest of the utterance, or the answer to a question."""
    evidence: tuple[str, ...]


class Tidings:
    """What was said in one meeting."""

    def __init__(self, transcript: Transcript) -> None:
        """Cut *transcript* into passages."""
        self._spoken = {one.id: one for one in transcript.spoken}
        self._passages = tuple(_passages(transcript.spoken))
        self._present = frozenset(one.speaker for one in transcript.spoken)

    def context(self, evidence: Sequence[str]) -> Matter:
        """Return what the utterances *evidence* are about."""
        return matter(" ".join(self._spoken[one].text for one in evidence if one in self._spoken))

    def is_present(self, person: str | None) -> bool:
        """Return whether *person* spoke; the group always does."""
        return person is None or person in self._present

    def mentions(self, wanted: Matter, owner: str | None) -> bool:
        """Return whether anybody may have spoken of *wanted*; a word of it is enough from its owner."""
        return any(
            share(wanted, matter(one.text)) >= (MENTION_SHARE if one.speaker != owner else 0.01)
            for one in self._spoken.values()
        )

    def goes_on(self, wanted: Matter, evidence: Sequence[str]) -> bool:
        """Return whether the utterances *evidence* say that the blocker *wanted* is there still."""
        return any(
            _verdict(one) is Became.STILL_BLOCKED
            for one in self._passages
            if not set(one.evidence).isdisjoint(evidence) and shared(wanted, matter(one.sentence))
        )

    def of_blocker(self, wanted: Matter, owner: str | None) -> tuple[Became, tuple[str, ...]] | None:
        """Return whether the blocker *wanted* is gone or stays, and where that was said; None where nobody says."""
        for one in self._about(wanted, owner):
            became = _verdict(one)
            if became is not None:
                return became, one.evidence
        return None

    def given_up(self, wanted: Matter, owner: str | None) -> tuple[str, ...]:
        """Return where it was said that the plan *wanted* is given up; empty where nobody says so."""
        found = (one.evidence for one in self._about(wanted, owner) if _GIVEN_UP.search(one.sentence))
        return next(found, ())

    def _about(self, wanted: Matter, owner: str | None) -> Iterator[Passage]:
        for one in self._passages:
            there = matter(one.sentence)
            part, is_own = share(wanted, there), one.speaker == owner
            is_long = is_own and part >= WORDS_SHARE and shared(wanted, there) >= WORDS
            if is_long or part >= (OWNERS_SHARE if is_own else OTHERS_SHARE):
                yield one


def _passages(spoken: Sequence[Utterance]) -> Iterator[Passage]:
    for place, one in enumerate(spoken):
        sentences = _SENTENCE.split(one.text)
        for number, sentence in enumerate(sentences):
            rest = " ".join(sentences[number + 1 :])
            following = spoken[place + 1] if place + 1 < len(spoken) else None
            if not rest and sentence.endswith("?") and following is not None:
                yield Passage(one.speaker, sentence, following.text, (one.id, following.id))
            else:
                yield Passage(one.speaker, sentence, rest, (one.id,))


def _verdict(passage: Passage) -> Became | None:
    if not passage.sentence.endswith("?"):
        return _reading(passage.sentence) or _reading(_first(passage.sequel))
    if _YES.match(passage.sequel):
        return Became.UNBLOCKED
    return _reading(_first(passage.sequel))


def _first(text: str) -> str:
    return _SENTENCE.split(text)[0]


def _reading(sentence: str) -> Became | None:
    """Return what *sentence* says of a blocker."""
    straight = _OVER.sub(" ", sentence.replace("\u2019", "'"))
    if _STUCK.search(straight):
        return Became.STILL_BLOCKED
    return Became.UNBLOCKED if _SOLVED.search(sentence) else None
