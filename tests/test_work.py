"""What the stages do with what the archive holds."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from standup import work
from standup.archive import Archive, Claim, Manifest, manifest
from standup.errors import ArchiveError, JournalUnreadable
from standup.meeting import Meeting, MeetingState, Participant
from standup.pipeline import STAGES, Stage
from standup.settings import load
from standup.transcript import Utterance
from tests.summarize.scripted_endpoint import MODEL, Answer, Script, endpoint, well_behaved

START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = "20261123T095800Z-1f0c9a2b"
SETTINGS = load(None, whisper_model="tiny.en")


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    """An archive with one meeting that has ended and has no text channel."""
    made = Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path))
    made.migrate()
    meeting = Meeting(MEETING, "", "", "", START, START + timedelta(minutes=1))
    made.adopt(Manifest(meeting, (Participant("11", "Ana"),)))
    return made


def claim(archive: Archive, stage: Stage) -> Claim:
    for earlier in STAGES[: STAGES.index(stage)]:
        found = archive.claim(MEETING, earlier, work.now_ms())
        archive.store_capture(found, [], [], work.now_ms())  # type: ignore[arg-type]
    found = archive.claim(MEETING, stage, work.now_ms())
    assert isinstance(found, Claim)
    return found


def test_capture_without_a_journal_is_refused(archive: Archive) -> None:
    """A meeting whose journal is not here (imported, or on another machine) is not captured as silence."""
    with pytest.raises(JournalUnreadable, match="STANDUP_STORAGE_URL"):
        work.capture(archive, SETTINGS, claim(archive, Stage.CAPTURE))


def test_capture_of_a_recorded_meeting_of_silence(archive: Archive, tmp_path: Path) -> None:
    """A recorded meeting in which nobody spoke has no tracks and no utterances."""
    manifest.write(tmp_path, Manifest(archive.meeting(MEETING)))
    (manifest.meeting_folder(tmp_path, MEETING) / "journal").mkdir()
    work.capture(archive, SETTINGS, claim(archive, Stage.CAPTURE))
    assert archive.tracks(MEETING) == ()


def test_summarize_of_silence(archive: Archive) -> None:
    """A meeting without words has a summary without items."""
    work.summarize(archive, SETTINGS, claim(archive, Stage.SUMMARIZE))
    found = archive.summary(MEETING)
    assert found is not None
    assert found.items == ()


@pytest.mark.parametrize(
    ("script", "author", "items"),
    [
        pytest.param(well_behaved, MODEL, ["the login page."], id="it answers"),
        pytest.param(
            lambda _: Answer(status=401),
            "rules (the language model refused the key)",
            ["Finished the login page"],
            id="it refuses",
        ),
    ],
)
def test_summarize_by_a_language_model(
    archive: Archive, script: Script, author: str, items: list[str]
) -> None:
    """With an endpoint in the settings it writes the notes; when it fails the stage is done all the same."""
    said = Utterance("u1", "11", 0, 900)
    taken = archive.claim(MEETING, Stage.CAPTURE, work.now_ms())
    assert isinstance(taken, Claim)
    archive.store_capture(taken, [], [said], work.now_ms())
    taken = archive.claim(MEETING, Stage.TRANSCRIBE, work.now_ms())
    assert isinstance(taken, Claim)
    archive.store_transcription(taken, [said.heard("I finished the login page.")], "tiny.en", work.now_ms())
    taken = archive.claim(MEETING, Stage.SUMMARIZE, work.now_ms())
    assert isinstance(taken, Claim)
    with endpoint(script) as running:
        work.summarize(archive, load(None, llm_url=running.url, llm_model=MODEL), taken)
    found = archive.summary(MEETING)
    assert found is not None
    assert (author, items) == (found.summarizer, [one.text for one in found.items])


def test_notify_without_a_channel_ends_the_meeting(archive: Archive) -> None:
    """An imported meeting is done without a post."""
    work.notify(archive, SETTINGS, claim(archive, Stage.NOTIFY))
    assert archive.meeting(MEETING).state is MeetingState.DONE


def test_notes_need_a_summary(archive: Archive) -> None:
    """A meeting that lost its summary is told with the next step."""
    with pytest.raises(ArchiveError, match="--from summarize"):
        work._notes_of(archive, MEETING)
