"""Finding somebody in the archive, and taking them out of its rows, on SQLite and PostgreSQL."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from standup.archive import Archive, Claim, Superseded, stages
from standup.archive.people import Person, Removed
from standup.continuity import Became, Relation
from standup.early import early
from standup.errors import InputRefused, MeetingBusy, PersonNotFound, StandupError
from standup.meeting import Participant
from standup.pipeline import LEASE_MS, Stage, StageState
from standup.redaction import BLANK
from standup.retention import Sound
from standup.summary import Item, Kind, Summary, serialize
from standup.transcript import serialize as serialize_transcript
from tests.finished_meetings import ANNABEL, BEN, DAY, NOTES, NOW_MS, SAID, START, finished

from .conftest import MEETING, ended, running


def all_of(archive: Archive, meeting: str) -> str:
    """Return everything that the archive tells of a meeting."""
    summary = archive.summary(meeting)
    return json.dumps(
        [
            serialize_transcript(archive.transcript(meeting)),
            serialize(summary) if summary else None,
            [one.path for one in archive.tracks(meeting)],
        ]
    )


def test_an_account_is_found_under_all_its_names(archive: Archive) -> None:
    """One account is one person in every meeting of a server, whatever it is called there."""
    first = finished(archive)
    second = finished(archive, START + DAY, people=(Participant(ANNABEL.id, "Bella"), BEN))
    wanted = Person(ANNABEL.id, ("Annabel Quist", "Bella"), ((first, ANNABEL.id), (second, ANNABEL.id)))
    assert [archive.people.find(one) for one in (ANNABEL.id, "annabel quist", " Bella ")] == [wanted] * 3


def test_people_without_a_server_are_their_names(archive: Archive) -> None:
    """In an imported meeting the name counts and the number does not; a name finds both kinds."""
    people = (Participant("s1", ANNABEL.name), Participant("s2", "Ben"))
    imported = finished(archive, guild="", people=people, said=(("s1", "Hello."),), notes=None)
    posted = finished(archive, START + DAY)
    assert archive.people.find(ANNABEL.name).places == ((imported, "s1"), (posted, ANNABEL.id))
    assert archive.people.find(ANNABEL.id).places == ((posted, ANNABEL.id),)
    with pytest.raises(PersonNotFound):
        archive.people.find("s1")


def test_a_name_of_several_is_refused(archive: Archive) -> None:
    """The refusal tells the ids to choose from, and not the name."""
    finished(archive, people=(ANNABEL, BEN, Participant("1013", "ANNABEL QUIST")))
    with pytest.raises(InputRefused, match="1011, 1013") as told:
        archive.people.find("Annabel Quist")
    assert "Annabel" not in str(told.value)


def test_nobody_is_told(archive: Archive) -> None:
    """Who is in no meeting is not found, and an empty name is nobody's."""
    finished(archive)
    for nobody in ("Zoe", "", "%", "101"):
        with pytest.raises(PersonNotFound):
            archive.people.find(nobody)


def test_somebody_is_taken_out(archive: Archive) -> None:
    """Their words, track and items go, the name in what others said too; the others keep the rest."""
    meeting = finished(archive)
    archive.guilds.keep_vocabulary("1", words=("Grafana", "Annabel Quist"))
    person = archive.people.find(ANNABEL.id)
    wanted = Removed(meeting, ANNABEL.id, utterances=1, items=3, mentions=1, speech_ms=900)
    assert archive.people.look(person, meeting, NOW_MS) == wanted
    assert ANNABEL.name in all_of(archive, meeting)
    assert archive.people.cut(person, meeting, NOW_MS) == wanted
    archive.people.leave(person, meeting)
    left = all_of(archive, meeting)
    assert not any(one in left for one in ("Annabel", "Quist", ANNABEL.id, "chandelier"))
    assert [one.text for one in archive.transcript(meeting).spoken] == [
        f"I wait for {BLANK} and her ladder.",
        SAID[2][1],
    ]
    assert archive.guilds.vocabulary("1").words == ("Grafana",)
    with pytest.raises(PersonNotFound):
        archive.people.find(ANNABEL.id)


def test_notes_that_cannot_be_read_go_as_a_whole(archive: Archive) -> None:
    """Nobody knows whose words they have; they can be made again of the words that are left."""
    meeting = finished(archive)
    with archive._engine.begin() as connection:
        connection.exec_driver_sql("UPDATE summaries SET document = 'Annabel polished'")
    archive.people.cut(archive.people.find(ANNABEL.id), meeting, NOW_MS)
    assert archive.summary(meeting) is None
    assert archive.retry(meeting, Stage.SUMMARIZE) is Stage.SUMMARIZE


def test_a_second_cut_takes_nothing_more(archive: Archive) -> None:
    """Until they have left the participants they are found again, and the rest of it can be done."""
    meeting = finished(archive)
    person = archive.people.find(ANNABEL.id)
    archive.people.cut(person, meeting, NOW_MS)
    left = all_of(archive, meeting)
    again = archive.people.find(ANNABEL.id)
    assert again == person
    assert archive.people.cut(again, meeting, NOW_MS) == Removed(meeting, ANNABEL.id, 0, 0, 0, 0)
    assert all_of(archive, meeting) == left


def test_later_notes_quote_them_no_more(archive: Archive) -> None:
    """What the next notes took from their items goes, also where they were away, and what was Ben's stays."""
    first = finished(archive)
    kept = Relation(Became.FINISHED, "Paint the fence", BEN.id, "Painted it", ("u2",))
    relations = (
        Relation(Became.DROPPED, "Polished the chandelier", ANNABEL.id),
        Relation(Became.STILL_BLOCKED, "Wait for Annabel and her ladder", BEN.id),
        kept,
    )
    own = (Item(Kind.DONE, "Painted it", ("u0",), BEN.id),)
    said = ((BEN.id, "I painted it."),)
    second = finished(archive, START + DAY, people=(BEN,), said=said, notes=Summary(own, "rules", relations))
    person = archive.people.find(ANNABEL.id)
    assert [one for one, _ in person.places] == [first, second]
    assert archive.people.cut(person, first, NOW_MS).later == (second,)
    archive.people.cut(person, second, NOW_MS)
    assert archive.summary(second) == Summary(own, "rules", (kept,))


def test_what_goes_on_waits(archive: Archive) -> None:
    """A meeting that is recorded, held or not read yet is refused with the next step, and not changed."""
    archive.adopt(running())
    person = archive.people.find("Ana")
    with pytest.raises(MeetingBusy, match="/standup stop"):
        archive.people.cut(person, MEETING, round(START.timestamp() * 1000) + 1)
    archive.adopt(ended())
    with pytest.raises(MeetingBusy, match=f"standup delete {MEETING}"):
        archive.people.look(person, MEETING, NOW_MS)
    assert isinstance(archive.claim(MEETING, Stage.CAPTURE, NOW_MS), Claim)
    with pytest.raises(MeetingBusy, match=r"stage capture"):
        archive.people.cut(person, MEETING, NOW_MS)
    assert "Ana" in all_of(archive, MEETING)


def test_a_recording_that_nobody_ends_is_cut(archive: Archive) -> None:
    """What a lost recorder left behind keeps nobody's name for ever: its early words go too."""
    archive.adopt(running())
    person = archive.people.find("Ana")
    ((_, participant),) = person.places
    archive.keep_early(MEETING, [early(participant, 0, 900).heard("A secret.")])
    archive.people.cut(person, MEETING, NOW_MS)
    archive.people.leave(person, MEETING)
    assert [one for one in ("Ana", "secret") if one in all_of(archive, MEETING)] == []


def test_a_worker_that_comes_back_late_stores_nothing(archive: Archive) -> None:
    """Who let the lease run out over the notes cannot bring somebody back into them."""
    meeting = finished(archive)
    archive.retry(meeting, Stage.SUMMARIZE)
    held = archive.claim(meeting, Stage.SUMMARIZE, NOW_MS)
    assert isinstance(held, Claim)
    archive.people.cut(archive.people.find(ANNABEL.id), meeting, NOW_MS + LEASE_MS)
    with pytest.raises(Superseded):
        archive.store_summary(held, NOTES, NOW_MS + LEASE_MS)
    assert [one.state for one in archive.statuses(meeting)][2] is StageState.TODO


@pytest.mark.parametrize(
    "archive", [pytest.param("postgresql", marks=pytest.mark.integration)], indirect=True
)
def test_who_claims_meanwhile_waits(archive: Archive) -> None:
    """Where a database locks rows alone, a claim beside a cut does not read what the cut is about to take."""
    meeting = finished(archive)
    archive.retry(meeting, Stage.SUMMARIZE)
    with archive._sessions.begin() as cutting, archive._sessions() as claiming:
        stages.supersede(cutting, [meeting])
        claiming.execute(text("SET LOCAL lock_timeout = '100ms'"))
        with pytest.raises(OperationalError, match="lock timeout"):
            stages.claim(claiming, meeting, Stage.SUMMARIZE, NOW_MS)


@pytest.mark.parametrize("stage", [Stage.SUMMARIZE, Stage.NOTIFY])
def test_later_notes_in_the_making_are_made_again(archive: Archive, stage: Stage) -> None:
    """Their worker may have read what is removed here: it can store nothing, and the next one reads what is left."""
    first = finished(archive)
    second = finished(archive, START + DAY, people=(BEN,), said=((BEN.id, "I painted it."),), notes=None)
    archive.retry(second, stage)
    held = archive.claim(second, stage, NOW_MS)
    assert isinstance(held, Claim)
    archive.people.cut(archive.people.find(ANNABEL.id), first, NOW_MS)
    assert not archive.renew(held, NOW_MS)
    again = archive.claim(second, stage, NOW_MS)
    assert isinstance(again, Claim)
    archive.erasure.condemn(first, NOW_MS)
    archive.erasure.erase(first)
    assert not archive.renew(again, NOW_MS)


def test_the_others_are_not_read_again(archive: Archive) -> None:
    """Reading their tracks anew would bring the name back, so a retry begins with the notes."""
    meeting = finished(archive)
    archive.people.cut(archive.people.find(ANNABEL.id), meeting, NOW_MS)
    assert archive.erasure.sound(meeting) is Sound.TRACKS
    with pytest.raises(StandupError, match="--from summarize"):
        archive.retry(meeting, Stage.TRANSCRIBE)
