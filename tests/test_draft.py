"""A recording on disk, whatever becomes of its recorder."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest, meeting_folder
from standup.bot.shelf import JOURNAL
from standup.capture.record import JournalRecord
from standup.capture.writer import JournalWriter
from standup.draft import FOLDER, Draft, rescue
from standup.meeting import Gap, Meeting, MeetingState, Participant

START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = Meeting("20261123T095800Z-1f0c9a2b", "", "", "", START)
MANIFEST = Manifest(MEETING, (Participant("1", "Ana"),))
LAST = START + timedelta(seconds=7)


def make(data_dir: Path) -> Draft:
    """Return a draft with one packet, 7 s after its start."""
    draft = Draft.make(data_dir, MANIFEST)
    start_ns = round(START.timestamp()) * 1_000_000_000
    journal = JournalWriter(draft.folder / JOURNAL, start_ns)
    journal.append(JournalRecord(1, 1, 0, 0, 0, start_ns + 7_000_000_000, 0, b"loud"))
    journal.close()
    return draft


def test_while_it_goes_on_nobody_else_sees_it(tmp_path: Path) -> None:
    """The dispatchers' folder holds nothing of it, and `rescue` leaves it alone."""
    draft = make(tmp_path)
    assert rescue(tmp_path) == ()
    assert list(manifests.scan(tmp_path)) == []
    draft.close()


def test_what_has_ended_lies_where_every_meeting_lies(tmp_path: Path) -> None:
    """Finishing moves journal and manifest, with the gaps that were kept, into place."""
    draft = make(tmp_path)
    draft.keep(gaps=(Gap(1, 2),))
    draft.finish(LAST)
    found = manifests.read(tmp_path, MEETING.id)
    assert (found.meeting.ended_at, found.meeting.gaps) == (LAST, (Gap(1, 2),))
    assert found.meeting.state is MeetingState.PROCESSING
    assert (meeting_folder(tmp_path, MEETING.id) / JOURNAL / "000001.pkt").is_file()
    assert list(manifests.scan(tmp_path / FOLDER)) == []


def test_a_killed_recording_ends_at_its_last_packet(tmp_path: Path) -> None:
    """Once its recorder has gone, its lock with it, a recording is ended where its journal ends, and once."""
    make(tmp_path).close()
    assert rescue(tmp_path) == (MEETING.id,)
    assert manifests.read(tmp_path, MEETING.id).meeting.ended_at == LAST
    assert rescue(tmp_path) == ()


def test_a_recording_killed_before_its_first_packet_has_no_length(tmp_path: Path) -> None:
    """Without a journal it ends as it began."""
    Draft.make(tmp_path, MANIFEST).close()
    rescue(tmp_path)
    assert manifests.read(tmp_path, MEETING.id).meeting.duration_ms == 0


def test_a_broken_manifest_keeps_no_other_from_its_rescue(tmp_path: Path) -> None:
    """What cannot be read is left where it is."""
    make(tmp_path).close()
    broken = meeting_folder(tmp_path / FOLDER, "20261123T095700Z-00000000") / manifests.NAME
    broken.parent.mkdir()
    broken.write_text("{")
    assert rescue(tmp_path) == (MEETING.id,)
    assert broken.exists()
