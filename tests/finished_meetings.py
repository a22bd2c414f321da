"""Meetings that are over, with words, notes, sound and a message, as the stages would have left them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

from standup.archive import Archive, Claim, Manifest, manifest
from standup.meeting import Meeting, PacketCounts, Participant, Track, meeting_id
from standup.pipeline import Park, Stage
from standup.summary import Item, Kind, Summary
from standup.transcript import Utterance

START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
DAY = timedelta(days=1)
NOW_MS = 1_800_000_000_000
ANNABEL, BEN = Participant("1011", "Annabel Quist"), Participant("1012", "Ben")
SAID = (
    (ANNABEL.id, "Yesterday I polished the chandelier."),
    (BEN.id, "I wait for Annabel and her ladder."),
    (BEN.id, "Today I paint the fence."),
)
NOTES = Summary(
    (
        Item(Kind.DONE, "Polished the chandelier", ("u0",), ANNABEL.id),
        Item(Kind.BLOCKER, "Wait for Annabel and her ladder", ("u1",), BEN.id),
        Item(Kind.NEXT, "Paint the fence", ("u2",), BEN.id),
        Item(Kind.DECISION, "The chandelier hangs lower", ("u0", "u2")),
    ),
    "rules",
)


def finished(
    archive: Archive,
    started_at: datetime = START,
    *,
    guild: str = "1",
    people: Sequence[Participant] = (ANNABEL, BEN),
    said: Sequence[tuple[str, str]] = SAID,
    notes: Summary | None = NOTES,
    park: Stage | None = None,
    files: Path | None = None,
) -> str:
    """Put a meeting of ten minutes into the archive and return its id; *park* is the stage that gave up.

    With *files*, a DATA_DIR, it also has a manifest, a journal and one track per person.
    """
    channels = (guild, "2", "30") if guild else ("", "", "")
    made = meeting_id(started_at, "1f0c9a2b")
    meeting = Meeting(made, *channels, started_at, started_at + timedelta(minutes=10))
    known = Manifest(meeting, tuple(people), "777" if guild else "", adopted=True)
    archive.adopt(known)
    if files is not None:
        _write_files(files, known)
    utterances = [
        Utterance(f"u{place}", who, place * 1000, place * 1000 + 900) for place, (who, _) in enumerate(said)
    ]
    heard = [one.heard(text) for one, (_, text) in zip(utterances, said, strict=True)]
    tracks = [Track(one.id, f"tracks/{one.id}.ogg", 600_000, 900, PacketCounts(45)) for one in people]
    for stage in Stage:
        held = archive.claim(made, stage, NOW_MS)
        assert isinstance(held, Claim), held
        if stage is park:
            archive.fail(held, Park(), "It gave up.", NOW_MS)
            break
        if stage is Stage.CAPTURE:
            archive.store_capture(held, tracks, utterances, NOW_MS)
        elif stage is Stage.TRANSCRIBE:
            archive.store_transcription(held, heard, "tiny.en", NOW_MS)
        elif stage is Stage.SUMMARIZE:
            archive.store_summary(held, notes or Summary((), "rules"), NOW_MS)
        else:
            archive.store_notice(held, known.message_id, NOW_MS)
    return made


def _write_files(data_dir: Path, known: Manifest) -> None:
    manifest.write(data_dir, known)
    folder = manifest.meeting_folder(data_dir, known.meeting.id)
    (folder / "journal").mkdir()
    (folder / "journal" / "000001.pkt").write_bytes(b"voices")
    (folder / "tracks").mkdir()
    for one in known.participants:
        (folder / "tracks" / f"{one.id}.ogg").write_bytes(b"OggS")


def files_of(data_dir: Path, meeting: str) -> set[str]:
    """Return the files that a meeting has, by their names below its folder."""
    folder = manifest.meeting_folder(data_dir, meeting)
    return {one.relative_to(folder).as_posix() for one in folder.rglob("*") if one.is_file()}
