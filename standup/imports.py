"""Imported recordings: audio files, one per speaker, become a meeting as if it had been recorded.

The files are read by ffmpeg through pydub, so anything ffmpeg knows may be given. Each becomes an Ogg Opus track
of the meeting, its stretches of sound the utterances; the chain then goes on with transcription. Nothing is
posted, because an imported meeting has no text channel.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from standup.archive import Archive, Claim, Manifest
from standup.errors import ArchiveError, InputRefused, ServiceMissing
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


def bring_in(archive: Archive, files: Mapping[str, Path], meeting_id: str, now: datetime) -> Meeting:
    """Store *files* (speaker name -> audio file) as a new meeting that waits for transcription.

    All files start together. Raises InputRefused, naming the file, before anything is stored when one of them
    is not audio; ServiceMissing without ffmpeg.
    """
    # Speakers get neutral ids: ids stand in file names and error texts, names do not.
    people = tuple(Participant(f"s{number}", name) for number, name in enumerate(files, 1))
    sounds = {person.id: read(path) for person, path in zip(people, files.values(), strict=True)}
    longest_ms = max(len(sound) for sound in sounds.values())
    meeting = Meeting(
        meeting_id, "", "", "", now - timedelta(milliseconds=longest_ms), now, MeetingState.PROCESSING
    )
    archive.adopt(Manifest(meeting, people))
    claim = archive.claim(meeting_id, Stage.CAPTURE, _ms(now))
    if not isinstance(claim, Claim):
        raise ArchiveError(
            f"The capture stage of meeting {meeting_id} is {claim.why}; import the files again."
        )
    with archive.audio.stored(meeting_id, "tracks") as folder:
        tracks = [_store(speaker, sound, folder) for speaker, sound in sounds.items()]
    archive.store_capture(claim, tracks, _utterances(sounds), _ms(now))
    return meeting


def read(path: Path) -> AudioSegment:
    """Return the sound of an audio file.

    Raises InputRefused when it is missing, empty or no audio, and ServiceMissing without ffmpeg.
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
    return sound


def _store(speaker: str, sound: AudioSegment, folder: Path) -> Track:
    target = folder / f"{speaker}.ogg"
    sound.set_frame_rate(48_000).export(target, format="ogg", codec="libopus", bitrate=BITRATE).close()
    speech_ms = sum(end - start for start, end in _loud(sound))
    return Track(speaker, f"{folder.name}/{target.name}", len(sound), speech_ms, PacketCounts())


def _utterances(sounds: Mapping[str, AudioSegment]) -> Iterator[Utterance]:
    found = sorted((start, end, speaker) for speaker, sound in sounds.items() for start, end in _loud(sound))
    for number, (start, end, speaker) in enumerate(found, 1):
        yield Utterance(f"u{number:04}", speaker, start, end)


def _loud(sound: AudioSegment) -> list[tuple[int, int]]:
    from pydub.silence import detect_nonsilent

    if sound.dBFS == float("-inf"):
        return []
    spans = detect_nonsilent(sound, PAUSE_MS, sound.dBFS - BELOW_AVERAGE_DB, STEP_MS)
    return [(start, end) for start, end in spans if end - start >= LEAST_MS]


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
