"""How much of a window Whisper hears, how much of that it looks at while it writes, and how much it may say to it.

Its frames are hundredths of a second. It was trained on 30 s; CTranslate2 takes less, which is cheaper, as long as
enough silence is left behind the speech: for the encoder, less makes real voices loop. The decoder and the alignment
need little of it, and every token costs them as much as they are shown.
"""

from __future__ import annotations

from standup.transcribe import SAMPLE_RATE_HZ, Hints

FRAMES_PER_S = 100
_FULL_FRAMES = 30 * FRAMES_PER_S
_HEARD_TAIL, _SHOWN_TAIL = 2 * FRAMES_PER_S, FRAMES_PER_S
_UNCUT_TAIL = 3 * FRAMES_PER_S
_MAX_TOKENS = 224
_TOKENS_PER_S = {"en": 6}  # generous for English; other scripts need up to three times as many


def frames(samples: int) -> int:
    """Return how many whole frames that many samples are."""
    return samples * FRAMES_PER_S // SAMPLE_RATE_HZ


def positions(count: int) -> int:
    """Return how many positions the encoder makes of *count* frames: half as many, rounded up."""
    return -(-count // 2)


def shown_frames(longest_frames: int, hints: Hints, *, is_cut: bool) -> int:
    """Return how much of each window of a batch the decoder is shown: as the longest speech needs, or all there is.

    *is_cut*: whether what the encoder made of a window can be cut; where it cannot, it is shown as it was heard.
    """
    tail_frames = _SHOWN_TAIL if is_cut else _UNCUT_TAIL
    return _FULL_FRAMES if hints.is_careful else min(_FULL_FRAMES, longest_frames + tail_frames)


def heard_frames(speech_frames: int, shown: int) -> int:
    """Return how much the encoder hears of a window: its speech, silence behind that, and all that will be *shown*."""
    return max(shown, min(_FULL_FRAMES, speech_frames + _HEARD_TAIL))


def token_limit(longest_frames: int, hints: Hints) -> int:
    """Return how many tokens a window may have; a careful reading has the model's own limit."""
    per_s = _TOKENS_PER_S.get(hints.language)
    if hints.is_careful or per_s is None:
        return _MAX_TOKENS
    return min(_MAX_TOKENS, per_s * longest_frames // FRAMES_PER_S + 8)
