"""The tables of the archive, as SQLAlchemy 2 models.

Snowflakes are text (they exceed what JSON numbers carry safely), moments are integer milliseconds since the
epoch, enumerations their values. Schema changes are Alembic migrations under ``migrations/versions``; a test
compares them with these models.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, String, Text, true
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

ID = String(64)


class Row(DeclarativeBase):
    """Base of all tables."""


class MeetingRow(Row):
    """One standup."""

    __tablename__ = "meetings"

    id: Mapped[str] = mapped_column(ID, primary_key=True)
    guild_id: Mapped[str] = mapped_column(ID)
    voice_channel_id: Mapped[str] = mapped_column(ID)
    voice_channel_name: Mapped[str] = mapped_column(String(128), default="", server_default="")
    text_channel_id: Mapped[str] = mapped_column(ID)
    started_at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    ended_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    state: Mapped[str] = mapped_column(String(16), index=True)
    gaps: Mapped[str] = mapped_column(Text, default="[]")
    """What the recorder missed: a JSON list of [from_ms, until_ms]."""
    unattributed_packets: Mapped[int] = mapped_column(Integer, default=0)
    unsighted_people: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    model: Mapped[str] = mapped_column(String(128), default="")
    """The speech model that read it."""
    sound: Mapped[str] = mapped_column(String(8), default="whole", server_default="whole")
    """What is left of it: whole, tracks, going or gone."""


class ParticipantRow(Row):
    """Somebody who was in a meeting."""

    __tablename__ = "participants"

    meeting_id: Mapped[str] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(Integer)
    """Order of arrival; the notes keep it. Below 0: is being taken out, and named nowhere any more."""


class TrackRow(Row):
    """One speaker's audio file and what became of their packets."""

    __tablename__ = "tracks"

    meeting_id: Mapped[str] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    speaker: Mapped[str] = mapped_column(ID, primary_key=True)
    path: Mapped[str] = mapped_column(Text)
    duration_ms: Mapped[int] = mapped_column(BigInteger)
    speech_ms: Mapped[int] = mapped_column(BigInteger)
    received: Mapped[int] = mapped_column(Integer)
    lost: Mapped[int] = mapped_column(Integer)
    late: Mapped[int] = mapped_column(Integer)
    duplicated: Mapped[int] = mapped_column(Integer)
    undecryptable: Mapped[int] = mapped_column(Integer)


class UtteranceRow(Row):
    """One stretch of speech."""

    __tablename__ = "utterances"

    meeting_id: Mapped[str] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    speaker: Mapped[str] = mapped_column(ID)
    start_ms: Mapped[int] = mapped_column(BigInteger)
    end_ms: Mapped[int] = mapped_column(BigInteger)
    outcome: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(64), default="")
    text: Mapped[str] = mapped_column(Text, default="")


class SummaryRow(Row):
    """What a meeting came to, in its JSON form."""

    __tablename__ = "summaries"

    meeting_id: Mapped[str] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    document: Mapped[str] = mapped_column(Text)


class NoticeRow(Row):
    """The one message of a meeting."""

    __tablename__ = "notices"

    meeting_id: Mapped[str] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    message_id: Mapped[str] = mapped_column(ID, default="")
    final: Mapped[bool] = mapped_column(Boolean, default=False)
    """The notes are in it."""


class StageRow(Row):
    """One stage of one meeting: who works on it, how often it was tried, when it is tried next."""

    __tablename__ = "stages"
    __table_args__ = (Index("ix_stages_open", "state", "next_at_ms"),)

    meeting_id: Mapped[str] = mapped_column(ForeignKey("meetings.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str] = mapped_column(String(16), primary_key=True)
    state: Mapped[str] = mapped_column(String(16))
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    strikes: Mapped[int] = mapped_column(Integer, default=0)
    """How often it failed in a way that nobody foresaw, deaths of the worker included."""
    publishes: Mapped[int] = mapped_column(Integer, default=0)
    """How often it was put on its queue since it was last claimed."""
    holder: Mapped[str] = mapped_column(String(128), default="")
    """Host and process id of the worker that claimed it last."""
    crashes: Mapped[int] = mapped_column(Integer, default=0, server_default="0")
    """How often a worker process crashed over it."""
    fence: Mapped[int] = mapped_column(Integer, default=0)
    """Grows with every claim; a holder whose fence is old has been superseded."""
    lease_until_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    enqueued_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    next_at_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    started_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    finished_at_ms: Mapped[int | None] = mapped_column(BigInteger)
    error: Mapped[str] = mapped_column(Text, default="")
    """The sentence of the last failure: class and next step, never what was said."""


class FailureRow(Row):
    """A crash or a failed stage, for the operator and the alert thresholds."""

    __tablename__ = "failures"
    __table_args__ = (Index("ix_failures_program", "program", "code", "at_ms"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at_ms: Mapped[int] = mapped_column(BigInteger, index=True)
    program: Mapped[str] = mapped_column(String(64))
    code: Mapped[int] = mapped_column(Integer)
    meeting_id: Mapped[str] = mapped_column(ID, default="")
    stage: Mapped[str] = mapped_column(String(16), default="")
    error: Mapped[str] = mapped_column(Text, default="")
    death_id: Mapped[str | None] = mapped_column(ID, unique=True)
    """Names the death, so that noting it twice counts it once."""
    answered: Mapped[bool] = mapped_column(Boolean, default=False, server_default=true())
    """The sentinel has done what the failure asks for."""


class MeasureRow(Row):
    """What a program's next starts do differently after a failure."""

    __tablename__ = "measures"

    program: Mapped[str] = mapped_column(String(64), primary_key=True)
    recovery: Mapped[str] = mapped_column(String(32), primary_key=True)
    level: Mapped[int] = mapped_column(Integer)
    since_ms: Mapped[int] = mapped_column(BigInteger)


class ScheduleRow(Row):
    """When a voice channel holds its standup; one schedule a channel."""

    __tablename__ = "schedules"

    voice_channel_id: Mapped[str] = mapped_column(ID, primary_key=True)
    guild_id: Mapped[str] = mapped_column(ID)
    text_channel_id: Mapped[str] = mapped_column(ID)
    days: Mapped[str] = mapped_column(String(32))
    """As ``Mon,Tue,Wed``."""
    at: Mapped[str] = mapped_column(String(5))
    """Local time, as ``09:30``."""
    zone: Mapped[str] = mapped_column(String(64))
    """IANA name of the time zone."""
    since_ms: Mapped[int] = mapped_column(BigInteger)
    """No meeting at or before this moment is meant."""


class GuildRow(Row):
    """What a server has chosen; one without a row has the defaults."""

    __tablename__ = "guilds"

    guild_id: Mapped[str] = mapped_column(ID, primary_key=True)
    template: Mapped[str] = mapped_column(String(32), default="")
    """The name of its notes' template; empty without a choice."""
    words: Mapped[str] = mapped_column(Text, default="", server_default="")
    """Project words, parted by commas."""
    language: Mapped[str] = mapped_column(String(8), default="", server_default="")
    tickets: Mapped[str] = mapped_column(Text, default="", server_default="")
    """How ids are written, parted by commas."""
