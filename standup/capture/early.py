"""What is new in a journal that is still being written: tracks and utterances of the segments that are closed.

Only the end of the journal is looked at, so a look costs the same at every minute of a meeting. An utterance counts
when its pause has been heard too: nothing that a segment's border cuts is taken for whole. Nothing here is final; the
capture stage reads the whole journal once more.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from standup.capture import ogg
from standup.capture.ahead import arrival
from standup.capture.arrival import ArrivalLog
from standup.capture.journal import Journal, read
from standup.capture.opus import FRAME_SAMPLES, SAMPLES_PER_MS
from standup.capture.record import UNKNOWN_SPEAKER
from standup.capture.timeline import PAUSE_SAMPLES, Placed, build
from standup.capture.tracks import write_track
from standup.early import early, is_same
from standup.transcript import Utterance

LOOK_BACK_MS = 90_000
"""How far before the last words that are known the journal is read again: who spoke on then may have ended since."""
_LATE_SAMPLES = 500 * SAMPLES_PER_MS  # packets may come so much later than they belong
_LEAD_SAMPLES = 50 * FRAME_SAMPLES  # quiet in front of a track's first words


@dataclass(frozen=True, slots=True)
class EarlySpeech:
    """Utterances that are over, and where they can be heard."""

    utterances: tuple[Utterance, ...] = ()
    """On the meeting clock, sorted by start."""
    base_ms: int = 0
    """The moment of the meeting at which the tracks begin."""

    def on_tracks(self) -> tuple[Utterance, ...]:
        """Return the utterances on the clock of the tracks."""
        return tuple(_shifted(one, -self.base_ms) for one in self.utterances)

    def on_meeting(self, utterances: Iterable[Utterance]) -> tuple[Utterance, ...]:
        """Return utterances of the tracks on the meeting clock."""
        return tuple(_shifted(one, self.base_ms) for one in utterances)


def make_early_tracks(journal: Path, tracks: Path, known: Sequence[Utterance]) -> EarlySpeech:
    """Write ``<tracks>/<user id>.ogg`` for whoever said something that *known* lacks; return what was said.

    Raises JournalUnreadable, DiskFull and AudioCaptureError as the capture stage does.
    """
    reached_ms = max((one.end_ms for one in known), default=0)
    source, is_whole = _recent(read(journal), reached_ms - LOOK_BACK_MS)
    arrivals, horizon = _arrivals(source)
    begins = 0 if is_whole else _first(arrivals) + PAUSE_SAMPLES
    timelines = {user: build(log) for user, log in sorted(arrivals.items())}
    found: dict[int, list[tuple[int, int]]] = {}
    for user, timeline in timelines.items():
        for start, end in timeline.speech():
            is_over = begins <= start and end + PAUSE_SAMPLES + _LATE_SAMPLES <= horizon
            if is_over and not any(is_same(_utterance(user, start, end), one) for one in known):
                found.setdefault(user, []).append((start, end))
    if not found:
        return EarlySpeech()
    base = max(0, min(start for spans in found.values() for start, _ in spans) - _LEAD_SAMPLES)
    base -= base % FRAME_SAMPLES
    for user, spans in found.items():
        wanted = [one for one in timelines[user].packets if spans[0][0] <= one.start_samples < spans[-1][1]]
        pages = ogg.serialize(_timed(source, wanted, base), serial=user)
        write_track(tracks / f"{user}.ogg", pages, len(wanted))
    made = [_utterance(user, start, end) for user, spans in found.items() for start, end in spans]
    return EarlySpeech(tuple(sorted(made, key=lambda one: (one.start_ms, one.id))), base // SAMPLES_PER_MS)


def _recent(whole: Journal, from_ms: int) -> tuple[Journal, bool]:
    """Return the closed segments from *from_ms* on, and whether these are all that there are."""
    closed = whole.segments[:-1]
    first = len(closed)
    while first > 0:
        first -= 1
        begun = next(iter(Journal(closed[first : first + 1]).records()), None)
        if begun is not None and begun.arrival_ns <= from_ms * 1_000_000:
            break
    return Journal(closed[first:]), first == 0


def _arrivals(source: Journal) -> tuple[dict[int, ArrivalLog], int]:
    """Return everybody's packets, and the latest moment, in samples, of which the segments tell."""
    logs: dict[int, ArrivalLog] = {}
    latest_ns = 0
    for stored in source.records():
        latest_ns = max(latest_ns, stored.arrival_ns)
        if stored.record.user_id != UNKNOWN_SPEAKER:
            logs.setdefault(stored.record.user_id, ArrivalLog()).add(arrival(stored))
    return logs, latest_ns * SAMPLES_PER_MS // 1_000_000


def _first(arrivals: dict[int, ArrivalLog]) -> int:
    """Return the earliest arrival in samples; 0 for none."""
    earliest_ns = min((next(iter(log)).arrival_ns for log in arrivals.values()), default=0)
    return earliest_ns * SAMPLES_PER_MS // 1_000_000


def _utterance(user: int, start: int, end: int) -> Utterance:
    return early(str(user), start // SAMPLES_PER_MS, -(-end // SAMPLES_PER_MS))


def _timed(source: Journal, wanted: Iterable[Placed], base: int) -> Iterator[ogg.TimedPacket]:
    for one in wanted:
        yield ogg.TimedPacket(one.start_samples - base, source.payload(one.segment, one.position))


def _shifted(utterance: Utterance, by_ms: int) -> Utterance:
    return replace(utterance, start_ms=utterance.start_ms + by_ms, end_ms=utterance.end_ms + by_ms)
