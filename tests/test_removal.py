"""Deleting by age, whole meetings, and people: rows and files together, twice, beside each other and after a kill."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from pathlib import Path

import pytest

from standup import removal, work
from standup.archive import Archive, Claim, Manifest, manifest
from standup.archive.people import Removed
from standup.continuity import Became, Relation
from standup.errors import MeetingNotFound, PersonNotFound
from standup.meeting import Meeting, Participant
from standup.pipeline import Stage
from standup.removal import Expired
from standup.retention import DAY_MS, Retention, Sound
from standup.summary import Summary
from tests.empty_archives import migrated
from tests.finished_meetings import ANNABEL, BEN, DAY, NOW_MS, SAID, START, files_of, finished

END_MS = round(START.timestamp() * 1000) + 600_000
WHOLE = {
    "meeting.json", "journal/000001.pkt", f"tracks/{ANNABEL.id}.ogg", f"tracks/{BEN.id}.ogg",
}  # fmt: skip


class Killed(BaseException):
    """What stands for SIGKILL: nothing of ours catches it."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An empty archive whose storage is a DATA_DIR."""
    made = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path)))
    yield made
    made.close()


def expire(archive: Archive, data_dir: Path, age_days: float, audio: int = 0, text: int = 0) -> Expired:
    """Run the task's work so many days after the end of the first meeting."""
    now_ms = END_MS + round(age_days * DAY_MS)
    return removal.expire(archive, data_dir, Retention(audio, text), now_ms)


def test_the_sound_goes_and_the_words_stay(archive: Archive, tmp_path: Path) -> None:
    """Journal and tracks of a meeting that is old enough are deleted; a day earlier they are not."""
    meeting = finished(archive, files=tmp_path)
    assert expire(archive, tmp_path, 29, audio=30) == Expired((), ())
    assert files_of(tmp_path, meeting) == WHOLE
    assert expire(archive, tmp_path, 30, audio=30) == Expired((meeting,), ())
    assert files_of(tmp_path, meeting) == {"meeting.json"}
    assert [one.text for one in archive.transcript(meeting).spoken] == [text for _, text in SAID]
    assert archive.summary(meeting)
    assert expire(archive, tmp_path, 31, audio=30) == Expired((), ())


def test_all_of_it_goes(archive: Archive, tmp_path: Path) -> None:
    """A meeting that is older than its text may be is gone from rows and disk; what is beside it stays."""
    meeting, young = finished(archive, files=tmp_path), finished(archive, START + 5 * DAY, files=tmp_path)
    assert expire(archive, tmp_path, 90, audio=87, text=90) == Expired((), (meeting,))
    assert not manifest.meeting_folder(tmp_path, meeting).exists()
    with pytest.raises(MeetingNotFound):
        archive.meeting(meeting)
    assert files_of(tmp_path, young) == WHOLE


def test_a_parked_meeting_keeps_its_sound_until_all_goes(archive: Archive, tmp_path: Path) -> None:
    """What can still be retried is not taken apart."""
    meeting = finished(archive, park=Stage.TRANSCRIBE, files=tmp_path)
    assert expire(archive, tmp_path, 900, audio=1) == Expired((), ())
    assert expire(archive, tmp_path, 900, audio=1, text=100) == Expired((), (meeting,))


def test_nothing_that_goes_on_is_touched(archive: Archive, tmp_path: Path) -> None:
    """A meeting that is being recorded has no age, however old its folder is."""
    meeting = Meeting("20200101T000000Z-00000000", "1", "2", "3", START - 2000 * DAY)
    known = Manifest(meeting, (ANNABEL,))
    manifest.write(tmp_path, known)
    archive.adopt(known)
    assert expire(archive, tmp_path, 9_999, audio=1, text=1) == Expired((), ())
    assert files_of(tmp_path, meeting.id) == {"meeting.json"}


def test_a_run_is_bounded(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is left over is taken by the next run."""
    monkeypatch.setattr(removal, "MOST_PER_RUN", 2)
    meetings = [finished(archive, START - number * DAY, files=tmp_path) for number in range(3)]
    runs = [expire(archive, tmp_path, 9, text=1).meetings for _ in range(3)]
    assert runs == [(meetings[2], meetings[1]), (meetings[0],), ()]


def test_one_that_cannot_be_deleted_keeps_no_other(
    archive: Archive, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, stays with its rows, and goes when it can."""
    stuck, other = finished(archive, START - DAY, files=tmp_path), finished(archive, files=tmp_path)
    link = manifest.meeting_folder(tmp_path, stuck) / "elsewhere"
    link.symlink_to(tmp_path)
    assert expire(archive, tmp_path, 9, text=1).meetings == (other,)
    assert "symbolic link" in caplog.text
    assert archive.meeting(stuck)
    link.unlink()
    assert expire(archive, tmp_path, 9, text=1).meetings == (stuck,)


def test_those_that_cannot_be_deleted_take_no_turn(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many stand in front, the others are reached."""
    monkeypatch.setattr(removal, "MOST_PER_RUN", 1)
    stuck, other = [finished(archive, START - place * DAY, files=tmp_path) for place in (1, 0)]
    (manifest.meeting_folder(tmp_path, stuck) / "elsewhere").symlink_to(tmp_path)
    assert expire(archive, tmp_path, 9, text=1).meetings == (other,)


def test_runs_beside_each_other_delete_once_and_fail_nowhere(archive: Archive, tmp_path: Path) -> None:
    """Two workers that do the same at once leave nothing, and neither complains."""
    meetings = {finished(archive, START - number * DAY, files=tmp_path) for number in range(8)}
    begin, seen, problems = threading.Barrier(3), [], []

    def work() -> None:
        begin.wait(10)
        try:
            seen.append(expire(archive, tmp_path, 9, audio=1, text=2))
        except Exception as problem:  # noqa: BLE001 - whatever it is, the test fails for it
            problems.append(problem)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(60)
    assert problems == []
    assert {name for one in seen for name in one.meetings} == meetings
    assert archive.meetings() == ()
    assert list((tmp_path / "meetings").iterdir()) == []


@pytest.mark.parametrize(("audio", "text"), [(1, 0), (0, 1)])
def test_a_killed_run_is_finished_by_the_next(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audio: int, text: int
) -> None:
    """Killed between the files and the row, what is left leads the next run to the rest."""
    meeting = finished(archive, files=tmp_path)
    step = "silence" if audio else "erase"

    def die(_: str) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(archive.erasure, step, die)
        with pytest.raises(Killed):
            expire(archive, tmp_path, 9, audio, text)
    assert expire(archive, tmp_path, 9, audio, text) == Expired(
        (meeting,) if audio else (), (meeting,) if text else ()
    )


def test_a_storage_elsewhere_and_the_recorders_copy_go(tmp_path: Path) -> None:
    """With a storage of its own the recorder's disk keeps copies; both are deleted."""
    archive = migrated(Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path / "storage")))
    meeting = finished(archive, files=tmp_path)
    archive.audio.keep(meeting, manifest.meeting_folder(tmp_path, meeting))
    expire(archive, tmp_path, 9, audio=1)
    assert files_of(tmp_path, meeting) == files_of(tmp_path / "storage", meeting) == {"meeting.json"}
    expire(archive, tmp_path, 9, text=1)
    assert files_of(tmp_path, meeting) == files_of(tmp_path / "storage", meeting) == set()
    archive.close()


def every_byte(folder: Path) -> bytes:
    """Return names and contents of all files below a folder."""
    return b"".join(
        one.name.encode() + one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()
    )


def forget(archive: Archive, data_dir: Path, user: str) -> list[Removed]:
    """Forget somebody, and return for whom the messages would be rewritten."""
    told: list[Removed] = []
    removal.forget(archive, data_dir, archive.people.find(user), NOW_MS, told.append)
    archive.erasure.scrub()
    return told


def test_nothing_of_somebody_is_left(archive: Archive, tmp_path: Path) -> None:
    """Neither name nor id nor words are in any file; the others' tracks and words are."""
    meetings = [finished(archive, START + number * DAY, files=tmp_path) for number in range(3)]
    scratch = manifest.meeting_folder(tmp_path, meetings[0]) / f".{manifest.NAME}.4711"
    scratch.write_text(ANNABEL.name)
    assert [one.meeting_id for one in forget(archive, tmp_path, ANNABEL.name)] == meetings
    left = every_byte(tmp_path)
    gone = (b"Annabel", b"Quist", ANNABEL.id.encode(), b"chandelier", b"voices")
    assert [one for one in gone if one in left] == []
    assert [files_of(tmp_path, one) for one in meetings] == [{f"tracks/{BEN.id}.ogg"}] * 3
    assert SAID[2][1].encode() in left
    with pytest.raises(PersonNotFound):
        archive.people.find(ANNABEL.id)


@pytest.mark.parametrize("dies_at", range(1, 11))
def test_forgetting_goes_on_after_a_kill(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_at: int
) -> None:
    """Wherever a run is killed, the next one finds the person and leaves nothing, and every message is rewritten."""
    called = (ANNABEL, Participant(ANNABEL.id, "Zenobia"))  # Ben calls her Annabel in both
    meetings = {
        finished(archive, START + number * DAY, people=(one, BEN), files=tmp_path)
        for number, one in enumerate(called)
    }
    steps, told = iter(range(1, 99)), set()

    def mortal(do):  # type: ignore[no-untyped-def]
        def step(*given):  # type: ignore[no-untyped-def]
            if next(steps) == dies_at:
                raise Killed
            return do(*given)

        return step

    with monkeypatch.context() as patch:
        for place, name in ((archive.people, "cut"), (archive.people, "leave"), (archive.audio, "remove")):
            patch.setattr(place, name, mortal(getattr(place, name)))
        with pytest.raises(Killed):
            removal.forget(
                archive,
                tmp_path,
                archive.people.find(ANNABEL.id),
                NOW_MS,
                lambda one: told.add(one.meeting_id),
            )
    told |= {one.meeting_id for one in forget(archive, tmp_path, ANNABEL.id)}
    assert told == meetings
    left = every_byte(tmp_path)
    assert [one for one in (b"Annabel", b"Zenobia", ANNABEL.id.encode(), b"chandelier") if one in left] == []


def test_what_must_wait_is_taken_later(archive: Archive, tmp_path: Path) -> None:
    """A meeting that is still recorded is named, the others are done; the same command finds all of them again."""
    done = finished(archive, files=tmp_path)
    running = Meeting(
        "20270115T075800Z-00000000", "1", "2", "3", datetime.fromtimestamp(NOW_MS / 1000, timezone.utc)
    )
    archive.adopt(Manifest(running, (ANNABEL,)))
    found = removal.forget(archive, tmp_path, archive.people.find(ANNABEL.id), NOW_MS, lambda _: None)
    assert [one.meeting_id for one in found.removed] == [done]
    assert [running.id in str(one) for one in found.waiting] == [True]
    assert [one.id for one in archive.transcript(done).participants] == [BEN.id]
    assert archive.people.find(ANNABEL.name).places == ((done, ANNABEL.id), (running.id, ANNABEL.id))


def test_what_waited_loses_every_name(archive: Archive, tmp_path: Path) -> None:
    """A meeting that is taken later loses the names of the earlier ones too: others call people by any of them."""
    finished(archive, people=(Participant(ANNABEL.id, "Zenobia"), BEN), files=tmp_path)
    said = ((ANNABEL.id, "I polished."), (BEN.id, "Zenobia has the ladder."))
    late = finished(archive, START + DAY, said=said, notes=None, park=Stage.TRANSCRIBE, files=tmp_path)
    found = removal.forget(archive, tmp_path, archive.people.find(ANNABEL.id), NOW_MS, lambda _: None)
    assert [late in str(one) for one in found.waiting] == [True]
    read(archive, late, said)
    forget(archive, tmp_path, ANNABEL.id)
    left = every_byte(tmp_path)
    assert [one for one in (b"Annabel", b"Zenobia", ANNABEL.id.encode()) if one in left] == []


def read(archive: Archive, meeting: str, said: Sequence[tuple[str, str]]) -> None:
    """Have a meeting that is parked at its words read."""
    archive.retry(meeting)
    held = archive.claim(meeting, Stage.TRANSCRIBE, NOW_MS)
    assert isinstance(held, Claim)
    spoken = archive.transcript(meeting).utterances
    heard = [one.heard(text) for one, (_, text) in zip(spoken, said, strict=True)]
    archive.store_transcription(held, heard, "tiny.en", NOW_MS)


def test_nobody_reads_their_name_between_two_steps(archive: Archive, tmp_path: Path) -> None:
    """While their messages are rewritten, a worker that posts the notes does not name them as silent."""
    meeting = finished(archive, files=tmp_path)
    seen: list[str] = []

    def tell(_: Removed) -> None:
        notice, documents = work.rendered(archive, archive.meeting(meeting))
        seen.append(f"{notice}{documents}")

    removal.forget(archive, tmp_path, archive.people.find(ANNABEL.id), NOW_MS, tell)
    assert ["Annabel" in one for one in seen] == [False]


def test_half_a_track_goes_with_the_track(archive: Archive, tmp_path: Path) -> None:
    """What a killed worker had begun to write of somebody's voice is theirs too."""
    meeting = finished(archive, files=tmp_path)
    tracks = manifest.meeting_folder(tmp_path, meeting) / "tracks"
    for name in (f"{ANNABEL.id}.ogg.4711.part", f"{ANNABEL.id}.ogg.part", f"{ANNABEL.id}9.ogg"):
        (tracks / name).write_bytes(b"OggS")
    forget(archive, tmp_path, ANNABEL.id)
    assert {one.name for one in tracks.iterdir()} == {f"{BEN.id}.ogg", f"{ANNABEL.id}9.ogg"}


def test_where_only_the_notes_speak_of_them_the_sound_stays(archive: Archive, tmp_path: Path) -> None:
    """A meeting that they were not in loses what its notes say of them; its journal holds nothing of theirs."""
    finished(archive, files=tmp_path)
    stuck = Relation(Became.DROPPED, "Polished the chandelier", ANNABEL.id)
    said = ((BEN.id, "Annabel is away."),)
    away = finished(
        archive, START + DAY, people=(BEN,), said=said, notes=Summary((), "rules", (stuck,)), files=tmp_path
    )
    forget(archive, tmp_path, ANNABEL.id)
    assert files_of(tmp_path, away) == {"meeting.json", "journal/000001.pkt", f"tracks/{BEN.id}.ogg"}
    assert archive.erasure.sound(away) is Sound.WHOLE
    assert archive.summary(away) == Summary((), "rules")
    assert [one.text for one in archive.transcript(away).spoken] == ["Annabel is away."]


def test_files_out_of_reach_keep_no_other_meeting(archive: Archive, tmp_path: Path) -> None:
    """The meeting is named with its reason and taken up by the same command; every message is rewritten."""
    stuck, other = finished(archive, files=tmp_path), finished(archive, START + DAY, files=tmp_path)
    link = manifest.meeting_folder(tmp_path, stuck) / "elsewhere"
    link.symlink_to(tmp_path)
    told: list[str] = []
    person = archive.people.find(ANNABEL.id)
    found = removal.forget(archive, tmp_path, person, NOW_MS, lambda one: told.append(one.meeting_id))
    assert told == [stuck, other]
    assert ["symbolic link" in str(one) for one in found.waiting] == [True]
    link.unlink()
    forget(archive, tmp_path, ANNABEL.id)
    assert files_of(tmp_path, stuck) == {f"tracks/{BEN.id}.ogg"}


def test_looking_changes_nothing(archive: Archive, tmp_path: Path) -> None:
    """What `look` tells is what `forget` then takes, and nothing has changed in between."""
    finished(archive, files=tmp_path)
    person, before = archive.people.find(ANNABEL.id), every_byte(tmp_path / "meetings")
    seen = removal.look(archive, person, NOW_MS)
    assert (archive.people.find(ANNABEL.id), every_byte(tmp_path / "meetings")) == (person, before)
    assert removal.forget(archive, tmp_path, person, NOW_MS, lambda _: None) == seen
