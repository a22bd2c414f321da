"""The capture stage: a packet journal becomes one Ogg Opus track per speaker, and the list of utterances.

The journal is read twice: once for the packets' times, less what `standup.capture.ahead` remembers of them; then,
speaker by speaker, for what they hold. So a meeting's sound is never in memory as a whole, and one speaker's timeline
at most. Packets are never decoded here. Making the same tracks again gives the same bytes; a file appears under its
name only when it is complete and on the disk.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from standup.capture import ogg
from standup.capture.ahead import arrivals
from standup.capture.arrival import ArrivalLog
from standup.capture.journal import Journal, read
from standup.capture.opus import SAMPLES_PER_MS, is_silence
from standup.capture.record import UNKNOWN_SPEAKER
from standup.capture.segments import DISK_FULL
from standup.capture.timeline import Placed, Timeline, build, number_utterances
from standup.errors import AudioCaptureError, DiskFull, InputRefused
from standup.meeting import Track
from standup.transcript import Utterance


@dataclass(frozen=True, slots=True)
class Capture:
    """What was captured of a meeting."""

    tracks: tuple[Track, ...] = ()
    """By participant id; also of people none of whose packets could be decrypted."""
    utterances: tuple[Utterance, ...] = ()
    """Sorted by start; none overlaps another of its speaker."""
    torn_records: int = 0
    """Journal records cut off by the end of the recorder."""
    corrupt_records: int = 0
    """Damaged stretches of the journal."""
    missing_segments: int = 0
    """Journal segments that are not there."""
    unattributed: int = 0
    """Packets of speakers who were never named; they are on no track."""


def make_tracks(journal: Path, tracks: Path) -> Capture:
    """Write a track for each speaker in the folder *journal* to ``<tracks>/<user id>.ogg``.

    A journal without records gives an empty Capture and no files. May be run again at any time; a track
    that is there is replaced only by one with at least as many packets.

    Raises JournalUnreadable, DiskFull, or AudioCaptureError when a track cannot be written or would shrink.
    """
    source = read(journal)
    came = arrivals(source)
    unattributed = len(came.pop(UNKNOWN_SPEAKER, ()))
    made: list[Track] = []
    speech: dict[str, Iterable[tuple[int, int]]] = {}
    for user in sorted(came):
        track, spans = _make_track(source, user, came.pop(user), tracks)
        made.append(track)
        speech[track.speaker] = spans
    report = source.report
    return Capture(
        tuple(made),
        number_utterances(speech),
        report.torn,
        report.corrupt,
        report.missing_segments,
        unattributed,
    )


def _make_track(
    source: Journal, user: int, came: ArrivalLog, tracks: Path
) -> tuple[Track, tuple[tuple[int, int], ...]]:
    """Write one speaker's track; return what is known of it, and its stretches of speech in samples."""
    timeline = build(came)
    spoken = sum(not packet.is_silence for packet in timeline.packets)
    write_track(tracks / f"{user}.ogg", _pages(source, user, timeline), spoken)
    return _track(f"{tracks.name}/{user}.ogg", str(user), timeline), tuple(timeline.speech())


def _track(path: str, speaker: str, timeline: Timeline) -> Track:
    return Track(
        speaker,
        path,
        timeline.end_samples // SAMPLES_PER_MS,
        timeline.speech_samples // SAMPLES_PER_MS,
        timeline.counts,
    )


def _pages(journal: Journal, user: int, timeline: Timeline) -> Iterator[bytes]:
    def timed(packet: Placed) -> ogg.TimedPacket:
        return ogg.TimedPacket(packet.start_samples, journal.payload(packet.segment, packet.position))

    return ogg.serialize(map(timed, timeline.packets), serial=user)


def write_track(path: Path, pages: Iterator[bytes], spoken: int) -> None:
    """Write *pages* under *path* in one step: all of them or nothing. *spoken* counts the packets with speech.

    Raises DiskFull, or AudioCaptureError when it cannot be written or the file there holds more speech.
    """
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        size_bytes = _write_synced(unfinished, pages)
        if unfinished.stat().st_size != size_bytes:
            raise OSError(errno.EIO, "the file is shorter than what was written")
        _refuse_less(path, size_bytes, spoken)
        unfinished.replace(path)
    except OSError as cause:
        if cause.errno in DISK_FULL:
            raise DiskFull(
                f"The disk is full: {path} could not be written; free some space and retry."
            ) from cause
        raise AudioCaptureError(
            f"{path} could not be written ({cause.strerror or cause}); check the disk and retry."
        ) from cause
    finally:
        with suppress(OSError):  # usually renamed away; where it cannot be removed, the error above says why
            unfinished.unlink()


def _write_synced(path: Path, pages: Iterator[bytes]) -> int:
    with path.open("wb") as file:
        size_bytes = sum(map(file.write, pages))
        file.flush()
        os.fsync(file.fileno())
    return size_bytes


def _refuse_less(path: Path, size_bytes: int, spoken: int) -> None:
    """Raise AudioCaptureError when the track at *path* has more speech than the one to come."""
    if not path.exists() or path.stat().st_size <= size_bytes:
        return
    try:
        present = sum(not is_silence(packet.payload) for packet in ogg.parse(path.read_bytes()))
    except InputRefused:
        return  # damaged: whatever is made from the journal is better
    if present > spoken:
        raise AudioCaptureError(
            f"{path} holds {present} packets of speech, the journal only {spoken}; it is kept as it is. "
            "Restore the missing journal segments, or remove the track to have it made anew."
        )
