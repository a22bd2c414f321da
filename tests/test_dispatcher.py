"""What is published when, and how manifests become rows."""

from __future__ import annotations

import dataclasses
import errno
import threading
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from standup.archive import Archive, Claim, Manifest, manifest
from standup.archive.audio import AudioStore
from standup.dispatcher import Dispatcher, adopt, publish_rest, sweep
from standup.errors import ArchiveUnreachable, BrokerUnreachable, DiskFull, StandupError
from standup.meeting import Meeting, MeetingState, Participant
from standup.pipeline import REPUBLISH_AFTER_MS, STAGES, Stage
from standup.settings import load
from tests.empty_archives import migrated

NOW = 1_800_000_000_000
START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = "20261123T095800Z-1f0c9a2b"
RUNNING = Manifest(Meeting(MEETING, "1", "2", "3", START), (Participant("11", "Ana"),), "777")
ENDED = dataclasses.replace(
    RUNNING, meeting=dataclasses.replace(RUNNING.meeting, ended_at=START + timedelta(minutes=1))
)
PATIENCE_S = 10.0


class Published:
    """Stands where the broker is: keeps what was published, or is away."""

    def __init__(self, *, is_away: bool = False) -> None:
        self.chains: list[tuple[str, tuple[Stage, ...]]] = []
        self.is_away = is_away
        self.told = threading.Event()

    def __call__(self, meeting_id: str, stages: Sequence[Stage]) -> None:
        self.told.set()
        if self.is_away:
            raise BrokerUnreachable
        self.chains.append((meeting_id, tuple(stages)))


@pytest.fixture
def archive(tmp_path: Path) -> Archive:
    made = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    return made


def test_a_running_meeting_is_adopted_and_not_published(archive: Archive, tmp_path: Path) -> None:
    """While people talk the archive knows the meeting, and nothing is published."""
    manifest.write(tmp_path, RUNNING)
    published = Published()
    adopt(archive, tmp_path, {}, set())
    assert sweep(archive, NOW, published) == 0
    assert archive.meeting(MEETING).state is MeetingState.RECORDING


def test_an_ended_meeting_is_published_once(archive: Archive, tmp_path: Path) -> None:
    """The whole chain goes out, and not again before it has stood still for a minute."""
    manifest.write(tmp_path, ENDED)
    published = Published()
    adopt(archive, tmp_path, {}, set())
    assert [sweep(archive, NOW + step, published) for step in (0, 1000, REPUBLISH_AFTER_MS)] == [1, 0, 1]
    assert published.chains == [(MEETING, STAGES)] * 2


def test_an_ended_manifest_is_marked_adopted(archive: Archive, tmp_path: Path) -> None:
    """After the end there is nothing more to take over, and the manifest says so."""
    manifest.write(tmp_path, ENDED)
    adopt(archive, tmp_path, {}, set())
    assert manifest.read(tmp_path, MEETING).adopted


class DeletedMeanwhile(AudioStore):
    """A storage that takes so long that the meeting is deleted before it has its sound."""

    def keep(self, meeting_id: str, folder: Path) -> None:
        """Take it, and delete it again."""
        super().keep(meeting_id, folder)
        self.remove(meeting_id)


def test_a_meeting_that_is_deleted_meanwhile_does_not_come_back(archive: Archive, tmp_path: Path) -> None:
    """What a round has read before the deletion makes neither a row nor a manifest after it."""
    manifest.write(tmp_path, ENDED)
    archive.audio = DeletedMeanwhile(str(tmp_path))
    adopt(archive, tmp_path, {}, set())
    assert archive.meetings() == ()
    assert not manifest.meeting_folder(tmp_path, MEETING).exists()


def test_an_unchanged_manifest_is_not_read_again(archive: Archive, tmp_path: Path) -> None:
    """A manifest is visited when it has changed, not at every round."""
    manifest.write(tmp_path, RUNNING)
    seen: dict[str, int] = {}
    adopt(archive, tmp_path, seen, set())
    before = dict(seen)
    adopt(archive, tmp_path, seen, set())
    assert before == seen
    manifest.write(tmp_path, ENDED)
    adopt(archive, tmp_path, seen, set())
    assert archive.meeting(MEETING).state is MeetingState.PROCESSING


def test_a_meeting_is_told_as_recorded_until_its_end(archive: Archive, tmp_path: Path) -> None:
    """What is read ahead ends with the recording."""
    seen: dict[str, int] = {}
    recorded: set[str] = set()
    told = []
    for one in (RUNNING, ENDED):
        manifest.write(tmp_path, one)
        adopt(archive, tmp_path, seen, recorded)
        told.append(set(recorded))

    assert told == [{MEETING}, set()]


def test_a_broken_manifest_stops_nobody(
    archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """One manifest that cannot be read is told, and the others are taken."""
    manifest.write(tmp_path, ENDED)
    broken = tmp_path / "meetings" / "20250101T000000Z-00000000"
    broken.mkdir()
    (broken / manifest.NAME).write_text("{")
    adopt(archive, tmp_path, {}, set())
    assert archive.meeting(MEETING).state is MeetingState.PROCESSING
    assert "20250101T000000Z-00000000" in caplog.text


class RefusingArchive(Archive):
    """Refuses one meeting."""

    error: Exception = DiskFull()

    def adopt(self, manifest: Manifest) -> None:
        if manifest.meeting.id == MEETING:
            raise self.error
        super().adopt(manifest)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        pytest.param(DiskFull("No space."), "No space.", id="a storage that is full for it"),
        pytest.param(
            PermissionError(errno.EACCES, "Permission denied"), MEETING, id="a folder of somebody else"
        ),
    ],
)
def test_a_meeting_that_is_refused_keeps_no_other_back(
    archive: Archive, tmp_path: Path, error: Exception, told: str
) -> None:
    """The others are taken over, the error is told, and the refused one is tried at the next round."""
    later = dataclasses.replace(ENDED.meeting, id="20261124T095800Z-00000000")
    manifest.write(tmp_path, ENDED)
    manifest.write(tmp_path, dataclasses.replace(ENDED, meeting=later))
    refusing = RefusingArchive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path))
    refusing.error = error
    seen: dict[str, int] = {}
    with pytest.raises(StandupError, match=told):
        adopt(refusing, tmp_path, seen, set())
    assert archive.meeting(later.id).state is MeetingState.PROCESSING
    assert MEETING not in seen


def test_a_broker_that_is_away_leaves_the_rows(archive: Archive, tmp_path: Path) -> None:
    """What could not be published is published at the next round."""
    manifest.write(tmp_path, ENDED)
    adopt(archive, tmp_path, {}, set())
    with pytest.raises(BrokerUnreachable):
        sweep(archive, NOW, Published(is_away=True))
    assert sweep(archive, NOW, Published()) == 1


def captured(archive: Archive) -> None:
    """Bring in a meeting that is captured."""
    archive.adopt(ENDED)
    claim = archive.claim(MEETING, Stage.CAPTURE, NOW)
    assert isinstance(claim, Claim)
    archive.store_capture(claim, (), (), NOW)


def test_what_is_left_of_a_chain_is_published_at_once(archive: Archive) -> None:
    """Without what is done, and not again by the next round."""
    captured(archive)
    published = Published()
    publish_rest(archive, MEETING, NOW, published)
    assert published.chains == [(MEETING, STAGES[1:])]
    assert sweep(archive, NOW + 1000, published) == 0


def test_what_cannot_be_published_at_once_is_published_by_a_round(
    archive: Archive, caplog: pytest.LogCaptureFixture
) -> None:
    """It is no error of whoever wanted it sooner."""
    captured(archive)
    publish_rest(archive, MEETING, NOW, Published(is_away=True))
    assert "What follows waits for the dispatcher" in caplog.text
    assert sweep(archive, NOW, Published()) == 1


def test_the_thread_adopts_publishes_and_shows(archive: Archive, tmp_path: Path) -> None:
    """The recorder's thread takes a manifest over, publishes it, and knows its stages."""
    published = Published()
    dispatcher = Dispatcher(load(None, data_dir=tmp_path), published)
    manifest.write(tmp_path, ENDED)
    assert dispatcher.stages(MEETING) == ()
    dispatcher.start()
    assert published.told.wait(PATIENCE_S)
    dispatcher.stop(PATIENCE_S)
    assert [one.stage for one in dispatcher.stages(MEETING)] == list(STAGES)
    assert published.chains == [(MEETING, STAGES)]


def test_the_thread_outlives_a_broker_that_is_away(
    archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """With Redis away the thread complains in one line and goes on."""
    published = Published(is_away=True)
    dispatcher = Dispatcher(load(None, data_dir=tmp_path), published)
    manifest.write(tmp_path, ENDED)
    dispatcher.start()
    assert published.told.wait(PATIENCE_S)
    published.told.clear()
    dispatcher.wake()
    assert published.told.wait(PATIENCE_S)
    dispatcher.stop(PATIENCE_S)
    assert caplog.text.count("BrokerUnreachable") == 1


def test_notify_is_repeated_on_request(archive: Archive, tmp_path: Path) -> None:
    """A progress edit that may have covered the notes has the last stage done again."""
    manifest.write(tmp_path, ENDED)
    adopt(archive, tmp_path, {}, set())
    for stage in STAGES[:-1]:
        claim = archive.claim(MEETING, stage, NOW)
        archive.store_capture(claim, [], [], NOW)  # type: ignore[arg-type]
    published = Published()
    dispatcher = Dispatcher(load(None, data_dir=tmp_path), published)
    dispatcher.repeat_notify(MEETING)
    dispatcher.start()
    assert published.told.wait(PATIENCE_S)
    dispatcher.stop(PATIENCE_S)
    assert published.chains == [(MEETING, (Stage.NOTIFY,))]


class AwayOnce(Archive):
    """Does not answer the first time that something is to be done again."""

    is_away = True

    def retry(self, meeting_id: str, first: Stage | None = None) -> Stage:
        if self.is_away:
            self.is_away = False
            raise ArchiveUnreachable
        return super().retry(meeting_id, first)


def test_notify_is_repeated_when_the_archive_is_back(archive: Archive, tmp_path: Path) -> None:
    """Neither a database that is away nor a meeting that was deleted loses what was asked for another."""
    captured(archive)
    for stage in STAGES[1:-1]:
        claim = archive.claim(MEETING, stage, NOW)
        archive.store_capture(claim, [], [], NOW)  # type: ignore[arg-type]
    published = Published()
    dispatcher = Dispatcher(load(None, data_dir=tmp_path), published)
    dispatcher._archive = AwayOnce(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path))
    dispatcher.repeat_notify("20250101T000000Z-00000000")
    dispatcher.repeat_notify(MEETING)
    with pytest.raises(ArchiveUnreachable):
        dispatcher._round()
    dispatcher._round()
    assert published.chains == [(MEETING, (Stage.NOTIFY,))]
    assert dispatcher._repeats == set()
