"""How much of a window Whisper hears, and how much it may say to it.

Its frames are hundredths of a second. It was trained on 30 s; CTranslate2 takes less, which is cheaper, as long as
enough silence is left behind the speech.
"""

from __future__ import annotations

from standup.transcribe import SAMPLE_RATE_HZ, Hints

FRAMES_PER_S = 100
_FULL_FRAMES = 30 * FRAMES_PER_S
_TAIL_FRAMES = 3 * FRAMES_PER_S  # less makes real voices loop
_MAX_TOKENS = 224
_TOKENS_PER_S = {"en": 6}  # generous for English; other scripts need up to three times as many


def frames(samples: int) -> int:
    """Return how many whole frames that many samples are."""
    return samples * FRAMES_PER_S // SAMPLE_RATE_HZ


def context_frames(longest_frames: int, hints: Hints) -> int:
    """Return how much the encoder hears of a batch: its longest speech and silence behind that, or all that it can."""
    return _FULL_FRAMES if hints.is_careful else min(_FULL_FRAMES, longest_frames + _TAIL_FRAMES)


def token_limit(longest_frames: int, hints: Hints) -> int:
    """Return how many tokens a window may have; a careful reading has the model's own limit."""
    per_s = _TOKENS_PER_S.get(hints.language)
    if hints.is_careful or per_s is None:
        return _MAX_TOKENS
    return min(_MAX_TOKENS, per_s * longest_frames // FRAMES_PER_S + 8)
