"""Imported recordings: audio files, one per speaker, become a meeting as if it had been recorded.

The files are read by ffmpeg through pydub, so anything ffmpeg knows may be given. Each becomes an Ogg Opus track
of the meeting, its stretches of sound the utterances; the chain then goes on with transcription. Nothing is
posted, because an imported meeting has no text channel.
"""

from __future__ import annotations

import errno
import tempfile
import wave
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from standup.archive import Archive, Claim, Manifest
from standup.errors import ArchiveError, DiskFull, InputRefused, ServiceMissing
from standup.meeting import Meeting, MeetingState, PacketCounts, Participant, Track
from standup.pipeline import Stage
from standup.transcript import Utterance

if TYPE_CHECKING:
    from pydub import AudioSegment

BITRATE = "48k"
PAUSE_MS = 400
#: Sound that pauses for longer becomes two utterances.
BELOW_AVERAGE_DB = 16.0
#: What is so much quieter than the track's average counts as silence; transcription verifies the rest.
STEP_MS = 20
LEAST_MS = 100
CUT_MS, CUT_SHARE = 200, 0.02
#: What an encoder's padding may account for; a file that lacks more than its header declares was cut short.


def bring_in(archive: Archive, files: Mapping[str, Path], meeting_id: str, now: datetime) -> Meeting:
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
        found = [
            _encode(person.id, path, folder) for person, path in zip(people, files.values(), strict=True)
        ]
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


def _encode(speaker: str, path: Path, folder: Path) -> _Encoded:
    sound, target = read(path), folder / f"{speaker}.ogg"
    try:
        sound.set_frame_rate(48_000).export(target, format="ogg", codec="libopus", bitrate=BITRATE).close()
    except OSError as cause:
        if cause.errno == errno.ENOSPC:
            raise DiskFull("The disk is full; free some space and import the files again.") from cause
        raise
    loud = tuple(_loud(sound))
    speech_ms = sum(end - start for start, end in loud)
    return _Encoded(
        Track(speaker, f"{folder.name}/{target.name}", len(sound), speech_ms, PacketCounts()), loud
    )


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


def read(path: Path) -> AudioSegment:
    """Return the sound of an audio file.

    Raises InputRefused when it is missing, empty, no audio, or shorter than its own header says (cut short), and
    ServiceMissing without ffmpeg.
    """
    from pydub import AudioSegment
    from pydub.exceptions import CouldntDecodeError

    if not path.is_file():
        raise InputRefused(f"{path} is not a file; nothing was imported.")
    try:
        with path.open("rb") as file:
            sound = AudioSegment.from_file(file)
    except (CouldntDecodeError, IndexError, KeyError) as cause:
        raise InputRefused(f"ffmpeg finds no audio in {path}; nothing was imported. Is it whole?") from cause
    except FileNotFoundError as cause:
        raise ServiceMissing(
            "ffmpeg is not installed; run ./setup.sh or `apt-get install ffmpeg`."
        ) from cause
    if not len(sound):
        raise InputRefused(f"{path} holds no sound; nothing was imported.")
    declared_ms = _declared_ms(path)
    if declared_ms - len(sound) > max(CUT_MS, declared_ms * CUT_SHARE):
        raise InputRefused(
            f"{path} is cut short: it holds {len(sound) / 1000:.1f} s of the {declared_ms / 1000:.1f} s that it "
            "declares; nothing was imported."
        )
    return sound


def _declared_ms(path: Path) -> float:
    """Return how long the file's header says it is; 0 when it does not say."""
    from pydub.utils import mediainfo_json

    declared_s = float(mediainfo_json(str(path)).get("format", {}).get("duration", 0))
    return max(declared_s * 1000, _wave_ms(path))


def _wave_ms(path: Path) -> float:
    """Return the length that a WAV header declares, which ffprobe corrects by the file's size; 0 for others."""
    try:
        with wave.open(str(path), "rb") as file:
            return file.getnframes() * 1000 / file.getframerate()
    except (wave.Error, EOFError):
        return 0


def _utterances(found: Sequence[_Encoded]) -> Iterator[Utterance]:
    spans = sorted((start, end, one.track.speaker) for one in found for start, end in one.loud_ms)
    for number, (start, end, speaker) in enumerate(spans, 1):
        yield Utterance(f"u{number:04}", speaker, start, end)


def _loud(sound: AudioSegment) -> list[tuple[int, int]]:
    from pydub.silence import detect_nonsilent

    if sound.dBFS == float("-inf"):
        return []
    spans = detect_nonsilent(sound, PAUSE_MS, sound.dBFS - BELOW_AVERAGE_DB, STEP_MS)
    return [(start, end) for start, end in spans if end - start >= LEAST_MS]
