"""Somebody in the archive, and how they are taken out of it.

An account is the same person in every meeting. The people of imported and microphone meetings, which have no server,
are numbered in each meeting anew: there a person is a name.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from standup.archive import database, erasure, history, records, stages
from standup.archive.models import (
    GuildRow,
    MeetingRow,
    ParticipantRow,
    SummaryRow,
    TrackRow,
    UtteranceRow,
)
from standup.errors import InputRefused, MeetingBusy, PersonNotFound
from standup.pipeline import Stage, StageState
from standup.redaction import Cut, Names, cut
from standup.retention import Sound


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, under all their names."""

    account: str
    """The Discord account's id; empty for one who was only in meetings without a server."""
    names: tuple[str, ...]
    places: tuple[tuple[str, str], ...]
    """Meetings, oldest first, and their participant id there; those too whose notes alone speak of them."""


@dataclass(frozen=True, slots=True)
class Removed:
    """What is taken of a person from one meeting."""

    meeting_id: str
    participant: str
    """Their id there; empty where they were not, and the notes alone spoke of them."""
    utterances: int
    items: int
    """Items and relations of the notes that are removed or lose the name."""
    mentions: int
    """Utterances of others that lose the name."""
    speech_ms: int
    """Their sound on a track of their own."""
    later: tuple[str, ...] = ()
    """Later meetings whose notes had quoted what is removed."""


LEAVING = -1
"""The position of somebody whose words have gone and whose row is still there."""


class PeopleBook:
    """The people of all meetings. Each method is one transaction."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def find(self, user: str) -> Person:
        """Return whom a Discord id or a display name means.

        Raises PersonNotFound, and InputRefused when several accounts bear the name.
        """
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            rows = session.execute(
                select(ParticipantRow.meeting_id, ParticipantRow.id, ParticipantRow.name, MeetingRow.guild_id)
                .join(MeetingRow, MeetingRow.id == ParticipantRow.meeting_id)
                .order_by(MeetingRow.started_at_ms, MeetingRow.id)
            ).all()
            seen = [_Seen(*row) for row in rows]
            account = _account(user, seen)
            mine = [one for one in seen if one.is_same(account, user)]
            places = {one.meeting_id: one.participant for one in mine}
            if account:
                places |= dict.fromkeys(_spoken_of(session, account, places), account)
            if not places:
                raise PersonNotFound
            names = {one.name for one in mine if one.name != one.participant}
            return Person(account, tuple(sorted(names)), tuple(places.items()))

    def look(self, person: Person, meeting_id: str, now_ms: int) -> Removed:
        """Return what `cut` would take from a meeting; raise MeetingBusy where it could not."""
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            return _Meeting(session, person, meeting_id, now_ms).removed()

    def cut(self, person: Person, meeting_id: str, now_ms: int) -> Removed:
        """Take a person's words, items, track and name out of a meeting's rows, and out of later notes.

        Their row stays until `leave`, so that a kill in between is found again; no transcript names them any more. A
        meeting that they were not in keeps its sound and its words. Raises MeetingBusy when the meeting is being
        recorded or worked on, or its words have not been read yet; MeetingNotFound.
        """
        with database.guarded(), self._sessions.begin() as session:
            return _Meeting(session, person, meeting_id, now_ms).cut()

    def leave(self, person: Person, meeting_id: str) -> None:
        """Take a person from the participants of a meeting."""
        gone = delete(ParticipantRow).where(
            ParticipantRow.meeting_id == meeting_id, ParticipantRow.id == dict(person.places)[meeting_id]
        )
        with database.guarded(), self._sessions.begin() as session:
            session.execute(gone)
            database.note_deletion(session)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One row of a participant."""

    meeting_id: str
    participant: str
    name: str
    guild_id: str

    def is_same(self, account: str, user: str) -> bool:
        if self.guild_id:
            return bool(account) and self.participant == account
        return _is_called(self.name, user)


def _is_called(name: str, user: str) -> bool:
    return name.strip().casefold() == user.strip().casefold()


def _account(user: str, seen: Iterable[_Seen]) -> str:
    """Return the account that *user* means, empty for none; raise InputRefused when it may be several."""
    in_servers = [one for one in seen if one.guild_id]
    if any(one.participant == user for one in in_servers):
        return user
    accounts = sorted({one.participant for one in in_servers if _is_called(one.name, user)})
    if len(accounts) > 1:
        raise InputRefused(
            f"Several accounts bear this name ({', '.join(accounts)}); give the id of the one that is meant."
        )
    return "".join(accounts)


def _spoken_of(session: Session, account: str, places: Iterable[str]) -> list[str]:
    """Return the other meetings whose notes have items of the account."""
    found = session.scalars(
        select(SummaryRow.meeting_id)
        .where(SummaryRow.document.contains(f'"{account}"', autoescape=True))
        .order_by(SummaryRow.meeting_id)
    )
    return [one for one in found if one not in set(places)]


class _Meeting:
    """One meeting that somebody is taken out of, within one transaction."""

    def __init__(self, session: Session, person: Person, meeting_id: str, now_ms: int) -> None:
        self._session = session
        self._person = person
        self._row = erasure.row_of(session, meeting_id)
        self._refuse(now_ms)
        self._id = dict(person.places)[meeting_id]
        people = session.scalars(select(ParticipantRow).where(ParticipantRow.meeting_id == meeting_id)).all()
        self._was_there = any(one.id == self._id for one in people)
        names = person.names if self._was_there else ()
        spoken = session.scalars(select(UtteranceRow).where(UtteranceRow.meeting_id == meeting_id))
        self._notes = history.notes(session, meeting_id)
        transcript = records.transcript(meeting_id, people, spoken)
        self._cut: Cut = cut(transcript, self._notes, self._id, names)

    def _refuse(self, now_ms: int) -> None:
        erasure.refuse_busy(self._session, self._row, now_ms)
        rows = {one.stage: one.state for one in stages.statuses(self._session, self._row.id)}
        if rows and rows.get(Stage.TRANSCRIBE) is not StageState.DONE:
            raise MeetingBusy(
                f"Meeting {self._row.id} has not been read to its end; let the workers do that, after `standup retry "
                f"{self._row.id}` where it is parked, or delete all of it with `standup delete {self._row.id}`."
            )

    def removed(self) -> Removed:
        """Return what goes."""
        track = self._session.get(TrackRow, (self._row.id, self._id))
        before, after = self._notes, self._cut.summary
        kept = 0
        if before is not None and after is not None:
            kept = len(set(before.items) & set(after.items)) + len(
                set(before.continuity) & set(after.continuity)
            )
        total = len(before.items) + len(before.continuity) if before else 0
        return Removed(
            self._row.id,
            self._id if self._was_there else "",
            self._cut.removed,
            total - kept,
            len(self._cut.utterances),
            track.speech_ms if track else 0,
        )

    def cut(self) -> Removed:
        """Do it."""
        removed, session, meeting_id = self.removed(), self._session, self._row.id
        later = history.disown(session, self._row, self._cut.lost_texts, self._id)
        for table in (UtteranceRow, TrackRow):
            session.execute(delete(table).where(table.meeting_id == meeting_id, table.speaker == self._id))
        for one in self._cut.utterances:
            session.merge(records.utterance_row(meeting_id, one))
        if self._cut.summary is not None:
            history.keep_notes(session, meeting_id, self._cut.summary)
        elif self._was_there:  # nobody knows what stands in notes that cannot be read
            session.execute(delete(SummaryRow).where(SummaryRow.meeting_id == meeting_id))
        if self._was_there and self._row.sound == Sound.WHOLE.value:
            self._row.sound = Sound.TRACKS.value
        here = ParticipantRow.meeting_id == meeting_id, ParticipantRow.id == self._id
        session.execute(update(ParticipantRow).where(*here).values(position=LEAVING))
        stages.supersede(session, [meeting_id])
        self._forget_word()
        database.note_deletion(session)
        return replace(removed, later=later)

    def _forget_word(self) -> None:
        """Take the person's names out of the project words of the meeting's server."""
        row = self._session.get(GuildRow, self._row.guild_id)
        if row is not None and row.words:
            names = Names(self._person.names, ())
            left = [one for one in row.words.split(",") if not names.is_in(one)]
            self._session.execute(
                update(GuildRow).where(GuildRow.guild_id == row.guild_id).values(words=",".join(left))
            )
