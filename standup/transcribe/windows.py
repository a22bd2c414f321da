"""Pack speech into windows, and bring words back to the utterances they belong to.

A window holds speech of one speaker only: mixed speakers cost half as much accuracy again. Several utterances
share a window, parted by a short gap: context makes short replies readable, and one pass of the model's encoder
serves them all. Windows of several speakers may share a batch.

No clock, no samples and no I/O here: spans of milliseconds in, spans of milliseconds out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

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

    A span longer than *limit_ms* gets a window of its own.
    """
    windows: list[Window] = []
    row: list[Span] = []
    length_ms = 0
    for span in sorted(spans, key=lambda one: (one.speaker, one)):
        longer_ms = length_ms + GAP_MS + span.duration_ms
        if row and (span.speaker != row[0].speaker or longer_ms > limit_ms):
            windows.append(Window(tuple(row)))
            row = []
        length_ms = longer_ms if row else span.duration_ms
        row.append(span)
    return [*windows, Window(tuple(row))] if row else windows


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
