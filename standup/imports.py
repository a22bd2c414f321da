"""Imported recordings: audio files, one per speaker, become a meeting as if it had been recorded.

The files are read by ffmpeg, so anything ffmpeg knows may be given. Each becomes an Ogg Opus track of the meeting
(`standup.transcoding`), its stretches of sound the utterances (`standup.loudness`); the chain then goes on with
transcription. Nothing is posted, because an imported meeting has no text channel.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from standup import transcoding
from standup.archive import Archive, Claim, Manifest
from standup.errors import ArchiveError
from standup.loudness import stretches
from standup.meeting import Meeting, MeetingState, PacketCounts, Participant, Track
from standup.pipeline import Stage
from standup.transcribe import cores
from standup.transcript import Utterance

OnRead = Callable[[str, int, int], None]
"""Told, from several threads, whose file is read, how many milliseconds of it are, and how many it declares, 0 for
none."""


def bring_in(
    archive: Archive,
    files: Mapping[str, Path],
    meeting_id: str,
    now: datetime,
    on_read: OnRead = lambda *_: None,
) -> Meeting:
    """Store *files* (speaker name -> audio file) as a new meeting that waits for transcription.

    All files start together. Raises InputRefused, naming the file, before anything is stored when one of them
    is not audio or is cut short; ServiceMissing without ffmpeg; DiskFull.
    """
    # Speakers get neutral ids: ids stand in file names and error texts, names do not.
    people = tuple(Participant(f"s{number}", name) for number, name in enumerate(files, 1))
    with tempfile.TemporaryDirectory(prefix="standup-") as scratch:
        # Encoding takes longer than a lease lasts, so it comes before the claim.
        folder = Path(scratch) / "tracks"
        folder.mkdir()

        def encoded(person: Participant) -> _Encoded:
            return _encode(person.id, files[person.name], folder, partial(on_read, person.name))

        with ThreadPoolExecutor(cores.usable(), "import") as threads:
            found = list(threads.map(encoded, people))
        longest_ms = max(one.track.duration_ms for one in found)
        started_at = now - timedelta(milliseconds=longest_ms)
        meeting = Meeting(meeting_id, "", "", "", started_at, now, MeetingState.PROCESSING)
        _store(archive, Manifest(meeting, people), found, folder)
    return meeting


@dataclass(frozen=True, slots=True)
class _Encoded:
    """One speaker's file as a track, and where it is loud."""

    track: Track
    loud_ms: tuple[tuple[int, int], ...]


def _encode(speaker: str, path: Path, folder: Path, on_read: transcoding.OnRead) -> _Encoded:
    target = folder / f"{speaker}.ogg"
    sound = transcoding.transcode(path, target, on_read)
    loud = tuple(stretches(sound.levels, sound.duration_ms))
    speech_ms = sum(end - start for start, end in loud)
    track = Track(speaker, f"{folder.name}/{target.name}", sound.duration_ms, speech_ms, PacketCounts())
    return _Encoded(track, loud)


def _store(archive: Archive, manifest: Manifest, found: Sequence[_Encoded], folder: Path) -> None:
    meeting = manifest.meeting
    archive.audio.keep(meeting.id, folder.parent)
    archive.adopt(manifest)
    now_ms = round((meeting.ended_at or meeting.started_at).timestamp() * 1000)
    claim = archive.claim(meeting.id, Stage.CAPTURE, now_ms)
    if not isinstance(claim, Claim):
        raise ArchiveError(
            f"The capture stage of meeting {meeting.id} is {claim.why}; import the files again."
        )
    archive.store_capture(claim, [one.track for one in found], _utterances(found), now_ms)


def _utterances(found: Sequence[_Encoded]) -> Iterator[Utterance]:
    spans = sorted((start, end, one.track.speaker) for one in found for start, end in one.loud_ms)
    for number, (start, end, speaker) in enumerate(spans, 1):
        yield Utterance(f"u{number:04}", speaker, start, end)
