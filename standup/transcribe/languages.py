"""Settle which language each speaker speaks, once per meeting.

A language guessed anew for every window flips on short replies. So it is pinned as soon as a guess is sure, and a
speaker who has said too little is read in the language most of the meeting is in. No I/O here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from standup.transcribe import LanguageGuess

_SURE = 0.5
_ENOUGH_MS = 3000


@dataclass(slots=True)
class Languages:
    """The languages of one meeting's speakers."""

    pinned: dict[str, str] = field(default_factory=dict)
    """Speaker -> two-letter code, for those whose language is sure."""
    _guessed: dict[str, str] = field(default_factory=dict)
    _spoken_ms: Counter[str] = field(default_factory=Counter)

    def hear(self, speaker: str, guess: LanguageGuess, speech_ms: int) -> None:
        """Take a guess made from *speech_ms* of a speaker's speech; a sure one stays for the meeting."""
        if speaker in self.pinned:
            return
        self._guessed[speaker] = guess.language
        if guess.probability >= _SURE and speech_ms >= _ENOUGH_MS:
            self.pinned[speaker] = guess.language
            self._spoken_ms[guess.language] += speech_ms

    def fix(self, speaker: str, language: str) -> None:
        """Pin a language that is known beforehand."""
        self.pinned.setdefault(speaker, language)

    def of(self, speaker: str) -> str:
        """Return the speaker's language: the sure one, else the meeting's, else the guess.

        Raises KeyError for a speaker never heard.
        """
        if speaker in self.pinned:
            return self.pinned[speaker]
        guess = self._guessed[speaker]
        if not self._spoken_ms:
            return guess
        return min(self._spoken_ms, key=lambda code: (-self._spoken_ms[code], code))

    def all(self) -> dict[str, str]:
        """Return every heard speaker's language."""
        return {speaker: self.of(speaker) for speaker in sorted({*self.pinned, *self._guessed})}
