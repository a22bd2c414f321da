"""Where meetings live: rows in SQL, audio in files.

`Archive` is the only thing the rest of the project holds. Each method is one transaction; the ``store_*``
methods write a stage's product together with "done, where the fence is still mine" and raise Superseded
otherwise. Safe to use from several threads and processes. Times are integer milliseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session, sessionmaker

from standup import summary as summaries
from standup.archive import adoption, database, deaths, history, records, stages
from standup.archive.audio import AudioStore
from standup.archive.erasure import Erasure, refuse_capture, refuse_repeat, row_of
from standup.archive.failures import Answer, Failure, FailureLog
from standup.archive.guilds import GuildBook
from standup.archive.history import Before
from standup.archive.manifest import Manifest
from standup.archive.models import (
    MeetingRow,
    NoticeRow,
    ParticipantRow,
    SummaryRow,
    TrackRow,
    UtteranceRow,
)
from standup.archive.people import PeopleBook
from standup.archive.records import Posted
from standup.archive.schedules import ScheduleBook
from standup.archive.stages import Claim, Refusal, Superseded
from standup.early import take_over
from standup.errors import WorkerDied
from standup.meeting import Meeting, MeetingEvent, MeetingState, Track, advance
from standup.pipeline import STAGES, Park, Retry, Stage, StageState, StageStatus
from standup.settings import Settings
from standup.summary import Summary
from standup.transcript import Transcript, Utterance

__all__ = [
    "Answer",
    "Archive",
    "Before",
    "Claim",
    "Failure",
    "FailureLog",
    "GuildBook",
    "Manifest",
    "Posted",
    "Refusal",
    "ScheduleBook",
    "Superseded",
]


class Archive:
    """The rows and the audio of all meetings."""

    def __init__(self, database_url: str, storage_url: str) -> None:
        """Prepare the connection; nothing is opened until the first use. Raises SettingsError."""
        self._engine = database.connect(database_url)
        self._sessions = sessionmaker(self._engine, expire_on_commit=False)
        self.audio = AudioStore(storage_url)
        self.failures = FailureLog(self._sessions)
        self.schedules = ScheduleBook(self._sessions)
        self.guilds = GuildBook(self._sessions)
        self.people = PeopleBook(self._sessions)
        self.erasure = Erasure(self._engine, self._sessions)

    @classmethod
    def of(cls, settings: Settings) -> Archive:
        """Return the archive that *settings* name."""
        return cls(settings.database, settings.storage)

    def migrate(self) -> None:
        """Bring the schema to the newest revision."""
        database.migrate(self._engine)

    def close(self) -> None:
        """Close the pooled connections."""
        self._engine.dispose()

    # -- meetings ---------------------------------------------------------------------------------------------

    def adopt(self, manifest: Manifest) -> None:
        """Take over what the recorder knows; may be called any number of times.

        A meeting that has ended gets its four stage rows. Rows that exist are only brought up to date: nothing
        a stage produced is lost.
        """
        with self._writing() as session:
            adoption.adopt(session, manifest)

    def meeting(self, meeting_id: str) -> Meeting:
        """Return a meeting; raise MeetingNotFound."""
        with self._reading() as session:
            return records.meeting(row_of(session, meeting_id))

    def meetings(self, limit: int = 50) -> tuple[Meeting, ...]:
        """Return the latest meetings, newest first."""
        with self._reading() as session:
            rows = session.scalars(select(MeetingRow).order_by(MeetingRow.started_at_ms.desc()).limit(limit))
            return tuple(records.meeting(row) for row in rows)

    def model_label(self, meeting_id: str) -> str:
        """Return the speech model that read a meeting; empty before it was transcribed."""
        with self._reading() as session:
            return row_of(session, meeting_id).model

    def tracks(self, meeting_id: str) -> tuple[Track, ...]:
        """Return the tracks of a meeting, by speaker id."""
        with self._reading() as session:
            rows = session.scalars(
                select(TrackRow).where(TrackRow.meeting_id == meeting_id).order_by(TrackRow.speaker)
            )
            return tuple(records.track(row) for row in rows)

    def transcript(self, meeting_id: str, from_ms: int = 0) -> Transcript:
        """Return who was there and what was said; utterances not read yet are PENDING.

        Utterances that began before *from_ms* are left out. Raises MeetingNotFound.
        """
        with self._reading() as session:
            row_of(session, meeting_id)
            people = select(ParticipantRow).filter_by(meeting_id=meeting_id).order_by(ParticipantRow.position)
            people = people.where(ParticipantRow.position >= 0)
            spoken = select(UtteranceRow).filter_by(meeting_id=meeting_id)
            spoken = spoken.where(UtteranceRow.start_ms >= from_ms)
            rows = list(session.scalars(people)), list(session.scalars(spoken))
            return records.transcript(meeting_id, *rows)

    def summary(self, meeting_id: str) -> Summary | None:
        """Return the summary of a meeting, None before there is one."""
        with self._reading() as session:
            row = session.get(SummaryRow, meeting_id)
            return summaries.parse(row.document) if row else None

    def before(self, meeting_id: str) -> Before | None:
        """Return the notes that a meeting's go on from, None where there are none; raise MeetingNotFound."""
        with self._reading() as session:
            return history.before(session, row_of(session, meeting_id))

    def recent_notes(self, meeting_id: str) -> tuple[Summary, ...]:
        """Return the last notes of a meeting's server from before it, newest first; raise MeetingNotFound."""
        with self._reading() as session:
            return history.recent(session, row_of(session, meeting_id))

    def posted(self, meeting_id: str) -> Posted:
        """Return what is known of the meeting's message."""
        with self._reading() as session:
            row = session.get(NoticeRow, meeting_id)
            return Posted(row.message_id, row.final) if row else Posted("", final=False)

    # -- stages -----------------------------------------------------------------------------------------------

    def claim(self, meeting_id: str, stage: Stage, now_ms: int, holder: str = "") -> Claim | Refusal:
        """Take a stage to work on it, or say why not (see `stages.claim`); *holder* names the worker."""
        with self._writing() as session:
            return stages.claim(session, meeting_id, stage, now_ms, holder)

    def renew(self, held: Claim, now_ms: int) -> bool:
        """Lengthen the lease; False when another worker has taken over."""
        with self._writing() as session:
            return stages.renew(session, held, now_ms)

    def fail(self, held: Claim, decision: Retry | Park, error: str, now_ms: int) -> None:
        """Record that a claimed stage failed, and what follows."""
        with self._writing() as session:
            stages.fail(session, held, decision, error, now_ms)

    def statuses(self, meeting_id: str) -> tuple[StageStatus, ...]:
        """Return the stage rows of a meeting in stage order."""
        with self._reading() as session:
            return stages.statuses(session, meeting_id)

    def open_meetings(self) -> dict[str, tuple[StageStatus, ...]]:
        """Return the stage rows of every meeting that is being processed."""
        with self._reading() as session:
            return stages.open_meetings(session)

    def mark_published(self, meeting_id: str, chain: Sequence[Stage], now_ms: int) -> None:
        """Note when the stages of a chain were put on their way."""
        with self._writing() as session:
            stages.mark_published(session, meeting_id, chain, now_ms)

    def retry(self, meeting_id: str, first: Stage | None = None) -> Stage:
        """Start a meeting's stages again from *first*, or from the first that is not done when that is earlier.

        Without *first* nothing that was read is read again. Returns the stage it begins with. Raises MeetingNotFound,
        ValueError while the meeting is still recorded, and StandupError when what *first* needs is not there.
        """
        can_capture = first is not Stage.CAPTURE or self.audio.has_journal(meeting_id)
        with self._writing() as session:
            row = row_of(session, meeting_id)
            advance(MeetingState(row.state), MeetingEvent.RETRIED)
            found = stages.statuses(session, meeting_id)
            undone = next((one.stage for one in found if one.state is not StageState.DONE), Stage.NOTIFY)
            begin = min(first or undone, undone, key=STAGES.index)
            refuse_repeat(row, begin, has_stages=bool(found))
            if undone is not Stage.CAPTURE and not can_capture:
                refuse_capture(meeting_id)
            stages.reopen(session, meeting_id, begin, anew=begin is first)
            return begin

    def crashed(
        self, meeting_id: str, stage: Stage, holder: str, error: WorkerDied, now_ms: int
    ) -> Retry | Park | None:
        """Free a stage whose worker process died under it, and what it read beside it, without waiting for the lease.

        Only while *holder* still holds it: a death that is reported late must not free another worker's claim.
        Returns what follows, None when nothing was changed.
        """
        with self._writing() as session:
            return deaths.crash(session, meeting_id, stage, holder, error, now_ms)

    # -- products ---------------------------------------------------------------------------------------------

    def store_capture(
        self,
        held: Claim,
        tracks: Iterable[Track],
        utterances: Iterable[Utterance],
        now_ms: int,
        *,
        unattributed_packets: int = 0,
    ) -> None:
        """Store the tracks and the (pending) utterances, and finish the stage.

        What was read of them while people still talked is taken over.
        """
        with self._writing() as session:
            stages.finish(session, held, now_ms)
            row_of(session, held.meeting_id).unattributed_packets = unattributed_packets
            rows = session.scalars(select(UtteranceRow).where(UtteranceRow.meeting_id == held.meeting_id))
            utterances = take_over(tuple(utterances), [records.utterance(row) for row in rows])
            for table in (TrackRow, UtteranceRow):
                session.execute(delete(table).where(table.meeting_id == held.meeting_id))
            tracks = tuple(tracks)
            records.add_missing_participants(session, held.meeting_id, [one.speaker for one in tracks])
            session.add_all(records.track_row(held.meeting_id, one) for one in tracks)
            session.add_all(records.utterance_row(held.meeting_id, one) for one in utterances)

    def keep_early(self, meeting_id: str, utterances: Iterable[Utterance]) -> bool:
        """Store utterances read while people talk; False, and nothing stored, when the meeting is over by now."""
        with self._writing() as session:
            if row_of(session, meeting_id).state != MeetingState.RECORDING.value:
                return False
            utterances = tuple(utterances)
            records.add_missing_participants(session, meeting_id, sorted({one.speaker for one in utterances}))
            records.keep_utterances(session, meeting_id, utterances)
            return True

    def keep_utterances(self, held: Claim, utterances: Iterable[Utterance], now_ms: int) -> None:
        """Store what was heard so far; the stage goes on. Raises Superseded."""
        with self._writing() as session:
            if not stages.renew(session, held, now_ms):
                raise stages.superseded(held)
            records.keep_utterances(session, held.meeting_id, utterances)

    def store_transcription(
        self, held: Claim, utterances: Sequence[Utterance], model_label: str, now_ms: int
    ) -> None:
        """Store what was heard and by which model, and finish the stage."""
        with self._writing() as session:
            stages.finish(session, held, now_ms)
            session.execute(
                update(MeetingRow).where(MeetingRow.id == held.meeting_id).values(model=model_label)
            )
            records.keep_utterances(session, held.meeting_id, utterances)

    def store_summary(self, held: Claim, summary: Summary, now_ms: int) -> None:
        """Store the summary, and finish the stage."""
        with self._writing() as session:
            stages.finish(session, held, now_ms)
            history.keep_notes(session, held.meeting_id, summary)

    def store_notice(self, held: Claim, message_id: str, now_ms: int) -> None:
        """Store that the notes are posted, finish the stage and with it the meeting."""
        with self._writing() as session:
            stages.finish(session, held, now_ms)
            session.merge(NoticeRow(meeting_id=held.meeting_id, message_id=message_id, final=True))
            row = row_of(session, held.meeting_id)
            row.state = advance(MeetingState(row.state), MeetingEvent.NOTES_POSTED).value

    # -- transactions -----------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with database.guarded(), self._sessions.begin() as session:
            yield session

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with database.guarded(), self._sessions() as session:
            session.connection(execution_options={"reading": True})
            yield session
