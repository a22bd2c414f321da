"""The meeting and what belongs to it: participants, tracks, and the table of its life.

No clock and no I/O here: time and randomness come in as arguments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timezone
from enum import Enum

MEETING_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}")


class MeetingState(str, Enum):
    """Where a meeting is in its life."""

    RECORDING = "recording"  # packets arrive
    PROCESSING = "processing"  # ended; stages are being worked off
    DONE = "done"  # the notes are posted
    PARKED = "parked"  # a stage gave up; the audio is safe and `standup retry` starts it again


class MeetingEvent(str, Enum):
    """What can happen to a meeting."""

    ENDED = "ended"
    NOTES_POSTED = "notes posted"
    GAVE_UP = "gave up"
    RETRIED = "retried"
    CONTINUED = "continued"


#: state x event -> state; a pair that is not here cannot happen. The diagram in the docs is drawn from it.
TRANSITIONS: dict[tuple[MeetingState, MeetingEvent], MeetingState] = {
    (MeetingState.RECORDING, MeetingEvent.ENDED): MeetingState.PROCESSING,
    (MeetingState.PROCESSING, MeetingEvent.NOTES_POSTED): MeetingState.DONE,
    (MeetingState.PROCESSING, MeetingEvent.GAVE_UP): MeetingState.PARKED,
    (MeetingState.PROCESSING, MeetingEvent.CONTINUED): MeetingState.RECORDING,
    (MeetingState.PROCESSING, MeetingEvent.RETRIED): MeetingState.PROCESSING,
    (MeetingState.PARKED, MeetingEvent.RETRIED): MeetingState.PROCESSING,
    (MeetingState.DONE, MeetingEvent.RETRIED): MeetingState.PROCESSING,
}


def advance(state: MeetingState, event: MeetingEvent) -> MeetingState:
    """Return the state that follows *event*; raise ValueError for a pair outside ``TRANSITIONS``."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        raise ValueError(f"a meeting that is {state.value} cannot take {event.value!r}") from None


def meeting_id(now: datetime, suffix: str) -> str:
    """Return an id such as ``20261123T095800Z-1f0c9a2b``: UTC basic ISO time plus 8 random hex digits.

    It sorts by time and is safe in a path, a URL and a log. *now* must be aware.
    """
    if now.tzinfo is None:
        raise ValueError("a meeting id needs an aware time")
    made = f"{now.astimezone(timezone.utc):%Y%m%dT%H%M%SZ}-{suffix}"
    return check_meeting_id(made)


def check_meeting_id(text: str) -> str:
    """Return *text* when it is a meeting id; raise ValueError otherwise (ids become paths)."""
    if not MEETING_ID.fullmatch(text):
        raise ValueError(f"{text!r} is not a meeting id such as 20261123T095800Z-1f0c9a2b")
    return text


@dataclass(frozen=True, slots=True)
class Participant:
    """Somebody who was in the meeting."""

    id: str
    """Discord user id (a snowflake in decimal), or the name of an imported track."""
    name: str
    """Display name at the time of the meeting; never written to a log."""

    def __post_init__(self) -> None:
        if not self.id or "/" in self.id:
            raise ValueError("a participant id is a non-empty text without slashes")


@dataclass(frozen=True, slots=True)
class PacketCounts:
    """What became of one speaker's packets; stays with the meeting as its honest coverage."""

    received: int = 0
    """Packets that reached the track."""
    lost: int = 0
    """Sequence numbers inside talk spurts that never came."""
    late: int = 0
    """Packets that came out of order; they are in the track all the same, at their place."""
    duplicated: int = 0
    """Copies of a packet already held; dropped."""
    undecryptable: int = 0
    """Packets that could not be decrypted; never in the track."""

    def __post_init__(self) -> None:
        if min(self.received, self.lost, self.late, self.duplicated, self.undecryptable) < 0:
            raise ValueError("packet counts cannot be negative")


@dataclass(frozen=True, slots=True)
class Track:
    """One speaker's audio on the meeting clock."""

    speaker: str
    """Participant id."""
    path: str
    """Where the Ogg Opus file lies, relative to the meeting's folder."""
    duration_ms: int
    """From the start of the meeting to the end of the speaker's last packet."""
    speech_ms: int
    """Milliseconds in which packets arrived."""
    counts: PacketCounts = field(default_factory=PacketCounts)


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch of a meeting in which the recorder heard nobody, in milliseconds on the meeting clock."""

    from_ms: int
    until_ms: int

    def __post_init__(self) -> None:
        if not 0 <= self.from_ms <= self.until_ms:
            raise ValueError("a gap ends after it begins")


@dataclass(frozen=True, slots=True)
class Meeting:
    """One standup."""

    id: str
    guild_id: str
    voice_channel_id: str
    text_channel_id: str
    """Where the notes are posted; empty when they are not posted (an imported recording)."""
    started_at: datetime
    """Aware UTC; zero of the meeting clock."""
    ended_at: datetime | None = None
    state: MeetingState = MeetingState.RECORDING
    gaps: tuple[Gap, ...] = ()
    """What the recorder missed, in order: a restart, a lost connection."""
    unattributed_packets: int = 0
    """Packets that came from nobody who could be named; they are in no track."""
    unsighted_people: int = 0
    """How many were there and not recorded, for as long as they could not see the text channel with the notice."""
    voice_channel_name: str = ""
    """As it was called when the meeting began; empty where that is not known. Never written to a log."""

    def __post_init__(self) -> None:
        check_meeting_id(self.id)
        for moment in (self.started_at, self.ended_at):
            if moment is not None and moment.tzinfo is None:
                raise ValueError("meeting times are aware UTC")

    @property
    def duration_ms(self) -> int:
        """Wall span in milliseconds; 0 while the meeting goes on."""
        if self.ended_at is None:
            return 0
        return max(0, round((self.ended_at - self.started_at).total_seconds() * 1000))
