"""Decide what speech recognition may be believed: too short, too quiet, invented, echoed or looping text.

Whisper writes text for silence, breath and keyboards ("Thank you.", "I'm going to do that."), and in a context too
short it may repeat itself without end. The measured rules here drop that and keep an honest "yes". No I/O here;
words go in, a reason code or None comes out.

- bag of hallucinations: https://arxiv.org/abs/2501.11378
- thresholds of the reference decoder: https://github.com/openai/whisper (``transcribe.py``)
"""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Sequence

from standup.transcribe import Reading, Word

SHORTEST_MS = 200
"""Shorter than any word."""
FLOOR_DB = -60.0
"""Below this loudest moment (dBFS) there is only noise."""
SPEECH_MS = 100
"""Least speech a voice activity detector must find."""

TOO_SHORT = "too-short"
TOO_QUIET = "too-quiet"
NO_SPEECH = "no-speech"
NO_WORDS = "no-words"
REPETITION = "repetition"
PHRASE = "phrase"
ECHO = "prompt-echo"

_NO_SPEECH_PROB = 0.6
_DOUBTFUL_NO_SPEECH_PROB = 0.3
_SURELY_NO_SPEECH_PROB = 0.8
_LOGPROB = -1.0
_COMPRESSION = 2.4
_LONE_PHRASE_MS = 1000
_STARVED_MS = 1000
_STARVED_WORDS_PER_S = 0.5
_LOOP_WORDS, _ECHO_WORDS = range(3, 13), range(1, 13)
_STUTTER_COUNT = 6
_ECHOED_TERMS = 3
_FASTEST_LETTERS_PER_S = 25
_INVENTED = re.compile(
    r"(thank you|thanks)( so much| very much)? for (watching|listening)( .*)?"
    r"|(please |don't forget to )?(like and )?subscribe( .*)?|.*subscribe to (the|my|our) channel.*"
    r"|(sub|cap)(titles|titled|tioned|tions)? (by|provided by) .*|see you (in the )?next (video|time)"
    r"|transcri(bed|ption) by .*|you"
)
_POLITE = re.compile(r"(thank you ?)+")
"""Said in every meeting, and what Whisper hears in music: real ones left it no surer of silence than 0.74, music no
less than 0.86. On processors without VNNI notes of a fifth of a second come out less sure: then it counts that nobody
says that much so quickly."""


def silence_reason(duration_ms: int, levels_db: Sequence[float]) -> str | None:
    """Return why audio need not be read at all, or None.

    *levels_db*: loudness of its parts in dBFS; empty means nothing was captured.
    """
    if duration_ms < SHORTEST_MS:
        return TOO_SHORT
    if max(levels_db, default=-200.0) < FLOOR_DB:
        return TOO_QUIET
    return None


def is_suspicious(reading: Reading) -> bool:
    """Return whether *reading* must be made again with more context: it loops, was cut, or is a guess.

    An end said twice counts: a short reply is often read again, once more over the noise behind it.
    """
    if reading.is_cut or reading.avg_logprob < _LOGPROB:
        return True
    return is_looping(reading.words) or _tail_repeats(reading.words, times=2, sizes=_ECHO_WORDS)


def is_starved(words: Sequence[Word], duration_ms: int) -> bool:
    """Return whether *words* are too few for speech that long, so that some were missed.

    A reply at the end of a window is sometimes left out altogether: no word at all is too few at any length.
    """
    is_long = duration_ms >= _STARVED_MS
    return not words or (is_long and len(words) * 1000 < _STARVED_WORDS_PER_S * duration_ms)


def drop_reason(reading: Reading, words: Sequence[Word], duration_ms: int, prompt: str = "") -> str | None:
    """Return why *words*, one utterance's part of *reading*, are not believed, or None.

    The engine's own doubt counts only when both of its measures agree: either alone would drop real speech.
    *prompt*: what the engine was told beforehand; a list of it that is doubtful or too fast was not said.
    """
    said = _plain(words)
    if not said:
        return NO_WORDS
    if reading.no_speech_prob > _NO_SPEECH_PROB and reading.avg_logprob < _LOGPROB:
        return NO_SPEECH
    if is_looping(words):
        return REPETITION
    if is_echo(words, prompt) and _is_doubtful_list(reading, said, duration_ms):
        return ECHO
    is_doubtful = reading.no_speech_prob > _DOUBTFUL_NO_SPEECH_PROB or duration_ms < _LONE_PHRASE_MS
    if is_doubtful and _INVENTED.fullmatch(said):
        return PHRASE
    least_prob = _DOUBTFUL_NO_SPEECH_PROB if _is_too_fast(said, duration_ms) else _SURELY_NO_SPEECH_PROB
    return PHRASE if reading.no_speech_prob > least_prob and _POLITE.fullmatch(said) else None


def is_failure(reason: str, duration_ms: int) -> bool:
    """Return whether dropping words for *reason* leaves real speech unread: a loop or echo over a second of it."""
    return reason in (REPETITION, ECHO) and duration_ms >= _LONE_PHRASE_MS


def is_echo(words: Sequence[Word], prompt: str) -> bool:
    """Return whether *words* are nothing but three or more terms of *prompt* as they follow one another there."""
    terms = [_plain_text(term).split() for term in re.split(r"[,:.](?:\s|$)", prompt)]
    told = [(word, place) for place, term in enumerate(terms) for word in term]
    said = _plain(words).split()
    runs = (told[at : at + len(said)] for at in range(len(told) - len(said) + 1))
    return any(
        [word for word, _ in run] == said and len({place for _, place in run}) >= _ECHOED_TERMS
        for run in runs
    )


def _is_doubtful_list(reading: Reading, said: str, duration_ms: int) -> bool:
    """Return whether the engine doubts by either measure, or it was said faster than anybody can."""
    is_doubted = reading.no_speech_prob > _DOUBTFUL_NO_SPEECH_PROB or reading.avg_logprob < _LOGPROB
    return is_doubted or _is_too_fast(said, duration_ms)


def _is_too_fast(said: str, duration_ms: int) -> bool:
    """Return whether nobody could have said that much so quickly."""
    return len(said) * 1000 > _FASTEST_LETTERS_PER_S * duration_ms


def is_looping(words: Sequence[Word]) -> bool:
    """Return whether *words* repeat themselves beyond what people do."""
    if _compression("".join(word.text for word in words).strip()) > _COMPRESSION:
        return True
    plain = [_plain([word]) for word in words]
    stutter = plain[-_STUTTER_COUNT:]
    is_stuttering = len(stutter) == _STUTTER_COUNT and len(set(stutter)) == 1
    return is_stuttering or _tail_repeats(words, times=4)


def _compression(text: str) -> float:
    """Return how many times smaller *text* becomes, with one byte a character in every script.

    Measured on UTF-8, ordinary speech in a script of three bytes a letter passes for a loop. The rarest characters
    of a text with over 256 different ones share a byte.
    """
    ranks = {character: rank for rank, (character, _) in enumerate(Counter(text).most_common())}
    ranked = bytes(min(ranks[character], 255) for character in text)
    return len(ranked) / len(zlib.compress(ranked))


def _tail_repeats(words: Sequence[Word], times: int, sizes: range = _LOOP_WORDS) -> bool:
    """Return whether the words end with some words, as many as *sizes* allow, said *times* times in a row."""
    plain = [_plain([word]) for word in words]
    return any(
        len(plain) >= size * times and plain[-size:] * times == plain[-size * times :] for size in sizes
    )


def _plain(words: Sequence[Word]) -> str:
    """Return the words in small letters without punctuation, parted by single spaces."""
    return _plain_text("".join(word.text for word in words))


def _plain_text(text: str) -> str:
    return " ".join(re.sub(r"[^\w' ]", " ", text.lower()).split())
