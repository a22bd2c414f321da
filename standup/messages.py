"""The messages of meetings in Discord, when a meeting or somebody in it is deleted.

Nothing here fails a deletion: what could not be reached is told with its address, to be deleted by hand.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum

from standup import work
from standup.archive import Archive
from standup.errors import StandupError
from standup.meeting import Meeting
from standup.notify.discord_channel import Attachment, DiscordChannel
from standup.settings import Settings

TIMEOUT_S = 60.0

Change = Callable[[DiscordChannel, Meeting, int], bool]
"""Changes the message with this id; False when it is gone."""


class Fate(str, Enum):
    """What became of a meeting's message."""

    NONE = "none"  # the meeting was posted nowhere, or its notes are yet to be
    DELETED = "deleted"
    EDITED = "edited"
    GONE = "gone"  # somebody had deleted it
    THREAD_LEFT = "thread left"  # it is changed, the live thread below it could not be emptied
    LEFT = "left"  # it could not be reached, or was to be kept


@dataclass(frozen=True, slots=True)
class Message:
    """The message of one meeting and what became of it."""

    meeting_id: str
    fate: Fate
    address: str = ""
    """Opens it in Discord."""
    why: str = ""
    """The class of the error for which something was left; empty where it was to be kept."""

    @property
    def sentence(self) -> str:
        """What became of it, and what is left to do."""
        told = {
            Fate.NONE: f"Meeting {self.meeting_id} has no notes in Discord.",
            Fate.DELETED: f"The message of meeting {self.meeting_id} in Discord is deleted.",
            Fate.EDITED: f"The message of meeting {self.meeting_id} in Discord says what is left.",
            Fate.GONE: f"The message of meeting {self.meeting_id} in Discord had been deleted before.",
        }
        cause = f" ({self.why})" if self.why else ""
        what = "thread below the message" if self.fate is Fate.THREAD_LEFT else "message"
        left = f"The {what} of meeting {self.meeting_id} is as it was{cause}; delete it in Discord: {self.address}"
        return told.get(self.fate, left)


def take_down(archive: Archive, settings: Settings, meeting_id: str) -> Message:
    """Delete the message of a meeting, which still has its row, and what the live thread below it says."""

    def delete(channel: DiscordChannel, meeting: Meeting, message_id: int) -> bool:
        return channel.delete(int(meeting.text_channel_id), message_id, timeout_s=TIMEOUT_S)

    return _changed(archive, settings, meeting_id, Fate.DELETED, delete, empties_thread=True)


def revise(archive: Archive, settings: Settings, meeting_id: str, *, empties_thread: bool = False) -> Message:
    """Make the message of a meeting say what its rows say.

    One that has no notes yet holds nothing that anybody said: it is left to the workers. Where somebody was taken
    out, what the live thread below it says goes as a whole: the others' words stand in the transcript.
    """
    has_notes = archive.posted(meeting_id).final
    if not (has_notes or empties_thread):
        return Message(meeting_id, Fate.NONE)

    def edit(channel: DiscordChannel, meeting: Meeting, message_id: int) -> bool:
        if not has_notes:
            return True
        notice, documents = work.rendered(archive, meeting)
        return channel.revise(
            int(meeting.text_channel_id),
            message_id,
            notice,
            files=tuple(Attachment(name, text.encode()) for name, text in documents.items()),
            timeout_s=TIMEOUT_S,
        )

    fate = Fate.EDITED if has_notes else Fate.NONE
    return _changed(archive, settings, meeting_id, fate, edit, empties_thread=empties_thread)


def keep(archive: Archive, meeting_id: str) -> Message:
    """Leave the message of a meeting as it is."""
    return _message(archive, meeting_id, Fate.LEFT)


def _message(archive: Archive, meeting_id: str, fate: Fate) -> Message:
    meeting, message_id = archive.meeting(meeting_id), archive.posted(meeting_id).message_id
    if not (meeting.text_channel_id and message_id):
        return Message(meeting_id, Fate.NONE)
    address = f"https://discord.com/channels/{meeting.guild_id}/{meeting.text_channel_id}/{message_id}"
    return Message(meeting_id, fate, address)


def _changed(
    archive: Archive, settings: Settings, meeting_id: str, fate: Fate, change: Change, *, empties_thread: bool
) -> Message:
    """Do *change*, and empty the thread whatever came of it: neither keeps the other back."""
    known = _message(archive, meeting_id, fate)
    if not known.address:
        return known
    channel, message_id = DiscordChannel(settings.discord), int(archive.posted(meeting_id).message_id)
    try:
        if not change(channel, archive.meeting(meeting_id), message_id):
            known = replace(known, fate=Fate.GONE)
    except StandupError as problem:
        known = replace(known, fate=Fate.LEFT, why=type(problem).__name__)
    try:
        if empties_thread:
            channel.empty_thread(message_id, timeout_s=TIMEOUT_S)
    except StandupError as problem:
        if known.fate is not Fate.LEFT:
            return replace(known, fate=Fate.THREAD_LEFT, why=type(problem).__name__)
    return known
