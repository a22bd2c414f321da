"""Pack speech into windows, and bring words back to the utterances they belong to.

A window holds speech of one speaker only: mixed speakers cost half as much accuracy again. Several utterances
share a window, parted by a short gap: context makes short replies readable, and one pass of the model's encoder
serves them all. Windows of several speakers may share a batch.

No clock, no samples and no I/O here: spans of milliseconds in, spans of milliseconds out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby, pairwise

from standup.transcribe import Word

WINDOW_MS = 15_000
"""The longest window: with silence behind it, it is the fastest context that reads as well as the model's full 30 s."""
GAP_MS = 500
"""Silence between two utterances in a window."""
LEVEL_MS = 100
"""The length of speech that one loudness level stands for."""
_LONGEST_WORD_MS = 1000
"""What is longer was stretched back by the alignment, whose ends are right."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A stretch of one utterance on the meeting clock; a long utterance has several."""

    start_ms: int
    end_ms: int
    speaker: str
    utterance: str
    """Utterance id."""

    def __post_init__(self) -> None:
        if not 0 <= self.start_ms < self.end_ms:
            raise ValueError("a span must satisfy 0 <= start < end")

    @property
    def duration_ms(self) -> int:
        """Length in milliseconds, at least 1."""
        return self.end_ms - self.start_ms


@dataclass(frozen=True, slots=True)
class Window:
    """Spans of one speaker, played one after the other with ``GAP_MS`` between them."""

    spans: tuple[Span, ...]

    def __post_init__(self) -> None:
        if len({span.speaker for span in self.spans}) != 1:
            raise ValueError("a window holds spans of exactly one speaker")

    @property
    def speaker(self) -> str:
        """Participant id."""
        return self.spans[0].speaker

    @property
    def offsets_ms(self) -> tuple[int, ...]:
        """Where each span begins in the window."""
        lengths = (span.duration_ms + GAP_MS for span in self.spans[:-1])
        return tuple(accumulate(lengths, initial=0))

    @property
    def duration_ms(self) -> int:
        """Length of the whole window, gaps included."""
        return sum(span.duration_ms for span in self.spans) + GAP_MS * (len(self.spans) - 1)


def pack(spans: Iterable[Span], limit_ms: int = WINDOW_MS) -> list[Window]:
    """Return windows of at most *limit_ms* that hold every span once, each speaker's in time order.

    A speaker's windows are as few as can be in that order, and as even as can be: a batch is padded to its longest.
    A span longer than *limit_ms* gets a window of its own.
    """
    ordered = sorted(spans, key=lambda one: (one.speaker, one))
    by_speaker = (list(own) for _, own in groupby(ordered, key=lambda one: one.speaker))
    return [Window(row) for own in by_speaker for row in _even(own, limit_ms)]


def _even(spans: Sequence[Span], limit_ms: int) -> list[tuple[Span, ...]]:
    """Return the rows of `_filled` with the lowest limit that needs no more of them than *limit_ms*."""
    fewest = len(_filled(spans, limit_ms))
    lowest_ms = bisect_left(range(limit_ms), True, key=lambda ms: len(_filled(spans, ms)) == fewest)
    return _filled(spans, lowest_ms)


def _filled(spans: Sequence[Span], limit_ms: int) -> list[tuple[Span, ...]]:
    """Return one speaker's spans in rows, each filled with what comes next as far as *limit_ms* allows."""
    rows: list[list[Span]] = []
    length_ms = 0
    for span in spans:
        length_ms += GAP_MS + span.duration_ms
        if not rows or length_ms > limit_ms:
            rows.append([])
            length_ms = span.duration_ms
        rows[-1].append(span)
    return [tuple(row) for row in rows]


def batch(windows: Sequence[Window], width: int, lanes: int) -> list[tuple[Window, ...]]:
    """Return *windows* in batches of at most *width*, similar lengths together, as many for each lane as can be.

    A batch is padded to its longest window, so mixed lengths would be computed for nothing. The longest come
    first: what runs last is short, and no lane waits long for another.
    """
    if not windows:
        return []
    if width < 1 or lanes < 1:
        raise ValueError("width and lanes must be at least 1")
    ordered = sorted(windows, key=lambda one: (-one.duration_ms, one.spans))
    turns = -(-len(ordered) // (width * lanes))
    count = min(turns * lanes, len(ordered))
    bounds = [len(ordered) * index // count for index in range(count + 1)]
    return [tuple(ordered[begin:end]) for begin, end in pairwise(bounds)]


def cut_ms(levels_db: Sequence[float], limit_ms: int = WINDOW_MS) -> int:
    """Return where speech longer than *limit_ms* is best cut: in the middle of its quietest moment.

    *levels_db*: loudness per ``LEVEL_MS``. Only the second half of the first *limit_ms* is considered, so that no
    stretch gets too short to be understood.
    """
    last = min(limit_ms // LEVEL_MS, len(levels_db))
    half = last // 2
    if half >= last:
        raise ValueError("nothing to cut: the speech is shorter than one level")
    quietest = min(range(half, last), key=lambda index: (levels_db[index], -index))
    return quietest * LEVEL_MS + LEVEL_MS // 2


def assign(window: Window, words: Iterable[Word]) -> dict[Span, list[Word]]:
    """Return each span's words: every word goes to the span it overlaps most, else to the nearest.

    Alignment stretches the first word after a gap back into that gap, and over a noise to the beginning of the
    window: its last second still tells where it was said. Spans without words have an empty list.
    """
    found: dict[Span, list[Word]] = {span: [] for span in window.spans}
    places = list(zip(window.spans, window.offsets_ms, strict=True))
    for word in words:
        span, _ = max(places, key=lambda place: _closeness(word, place[1], place[0].duration_ms))
        found[span].append(word)
    return found


def _closeness(word: Word, offset_ms: int, duration_ms: int) -> float:
    """Return the overlap in ms, or minus the distance in ms where there is none."""
    end_ms = word.end_s * 1000
    start_ms = max(word.start_s * 1000, end_ms - _LONGEST_WORD_MS)
    return min(end_ms, offset_ms + duration_ms) - max(start_ms, offset_ms)
