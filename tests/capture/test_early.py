"""What a growing journal tells while people still talk."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from standup.capture import ogg
from standup.capture.early import make_early_tracks
from standup.capture.record import serialize
from standup.capture.segments import Clock, SegmentedLog, segments
from standup.capture.tracks import make_tracks
from standup.early import take_over
from standup.transcript import Utterance
from tests.capture.conftest import Recording

ANA, BEN = 11, 22
TALK = st.lists(
    st.tuples(st.sampled_from([ANA, BEN]), st.integers(20, 400), st.integers(0, 4_000)),
    min_size=1,
    max_size=12,
)


def write(folder: Path, recording: Recording) -> None:
    """Write what was said to the journal in *folder*, in segments of half a minute of the speakers' own clock."""
    now_ns = recording.start_monotonic_ns
    log = SegmentedLog(
        folder,
        recording.start_wall_ns,
        clock=Clock(lambda: recording.start_wall_ns + now_ns - recording.start_monotonic_ns, lambda: now_ns),
    )
    for record in sorted(recording.made, key=lambda one: one.monotonic_ns):
        now_ns = record.monotonic_ns
        log.sync()
        log.write(serialize(record))
    log.end_segment()


def said(turns: list[tuple[int, int, int]]) -> Recording:
    """Return people talking in turn: who, how many packets, and the pause before in ms."""
    recording, at_ms = Recording(), 0
    numbers = {user: itertools.count() for user in (ANA, BEN)}
    for user, count, pause_ms in turns:
        at_ms += pause_ms
        first = next(numbers[user])
        numbers[user] = itertools.count(first + count)
        recording.talk(user, at_ms, count, sequence=first, timestamp=at_ms * 48)
        at_ms += count * 20
    return recording


def grown(whole: Path, scratch: Path, segment_count: int) -> Path:
    """Return a journal of the first segments of *whole*."""
    folder = scratch / f"journal-{segment_count}"
    folder.mkdir()
    for _, path in segments(whole)[:segment_count]:
        (folder / path.name).symlink_to(path)
    return folder


def followed(whole: Path, scratch: Path) -> list[Utterance]:
    """Return what looking at *whole* after each of its segments finds."""
    known: list[Utterance] = []
    for count in range(1, len(segments(whole)) + 1):
        found = make_early_tracks(grown(whole, scratch, count), scratch / f"tracks-{count}", known)
        known += [one.heard(one.id) for one in found.utterances]
    return known


@settings(max_examples=25)
@given(TALK)
def test_whatever_is_found_early_is_an_utterance_in_the_end(turns: list[tuple[int, int, int]]) -> None:
    """No utterance is cut by the border of a segment and none is found twice, however people talk."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        write(scratch / "journal", said(turns))
        known = followed(scratch / "journal", scratch)
        final = make_tracks(scratch / "journal", scratch / "tracks").utterances
    taken = [one for one in take_over(final, known) if one.text]

    assert len(taken) == len(known)


def test_all_but_the_end_of_a_meeting_is_found_early(tmp_path: Path) -> None:
    """Five minutes of turns: what is left for the end is what the last segments hold."""
    write(tmp_path / "journal", said([(ANA if turn % 2 else BEN, 150, 600) for turn in range(80)]))
    known = followed(tmp_path / "journal", tmp_path)
    final = make_tracks(tmp_path / "journal", tmp_path / "tracks").utterances
    left = [one for one in take_over(final, known) if not one.text]

    assert len(final) == 80
    assert min(one.start_ms for one in left) > final[-1].end_ms - 35_000


def test_the_tracks_hold_the_utterances_where_they_say(tmp_path: Path) -> None:
    """A packet of the meeting's eightieth second lies where the shifted utterance begins."""
    write(tmp_path / "journal", said([(ANA, 100, 80_000), (BEN, 2_000, 1_000)]))
    speech = make_early_tracks(grown(tmp_path / "journal", tmp_path, 2), tmp_path / "tracks", [])
    (whole,), (shifted,) = speech.utterances, speech.on_tracks()
    packets = ogg.parse((tmp_path / "tracks" / f"{ANA}.ogg").read_bytes())
    loud = [one.start_samples // 48 for one in packets if one.payload == Recording.payload]

    assert (whole.start_ms, whole.speaker) == (80_000, str(ANA))
    assert (loud[0], loud[-1] + 20) == (shifted.start_ms, shifted.end_ms)
    assert speech.on_meeting([shifted]) == (whole,)


def test_a_journal_without_a_closed_segment_tells_nothing(tmp_path: Path, recording: Any) -> None:
    """The segment that is being written is left alone."""
    recording.talk(ANA, 0, 100)
    write(tmp_path / "journal", recording)

    assert make_early_tracks(tmp_path / "journal", tmp_path / "tracks", []).utterances == ()
    assert not (tmp_path / "tracks").exists()
