"""What the meeting's message says beyond `standup.notice`: that nothing is recorded, and why.

No clock and no I/O here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from standup.bot.endings import SENTENCES, Ending
from standup.meeting import Gap, Meeting
from standup.notice import Card, Notice, unheard
from standup.transcript import clock

ORANGE = 0xE67E22


def deaf(meeting: Meeting, since_ms: int) -> Notice:
    """Return the notice while the bot cannot hear: it never claims to record."""
    text = (
        f"Since {clock(since_ms)} nothing of what is said is kept. I am rejoining the voice channel; "
        "this message tells when I can hear again."
    )
    return _not_recording(meeting, "🟠 **I cannot hear this voice channel at the moment.**", text)


def deafened(meeting: Meeting, since_ms: int) -> Notice:
    """Return the notice while a moderator has the bot deafened: it never claims to record."""
    text = (
        f"Since {clock(since_ms)} nothing of what is said is kept. Whoever may deafen members undoes "
        "**Server Deafen** on me in the voice channel; I then go on by myself."
    )
    return _not_recording(meeting, "🟠 **I have been deafened in this voice channel.**", text)


def paused(meeting: Meeting) -> Notice:
    """Return the notice of a recorder that is being restarted: it never claims to record."""
    text = "Nothing of what is said is kept until the recorder is back; it then goes on with this meeting."
    return _not_recording(meeting, "⏸️ **The recorder is being restarted.**", text)


def not_begun(meeting: Meeting, sentence: str) -> Notice:
    """Return the notice of a recording that never began; *sentence* is an error's message."""
    return _not_recording(meeting, "⚪ **Nothing was recorded.**", sentence)


def with_gaps(notice: Notice, gaps: Sequence[Gap]) -> Notice:
    """Return *notice* with the *gaps* below its first card's text."""
    if not gaps or not notice.cards:
        return notice
    first, *others = notice.cards
    told = replace(first, description=f"{first.description}\n\n{unheard(gaps)}")
    return replace(notice, cards=(told, *others))


def with_ending(notice: Notice, ending: Ending) -> Notice:
    """Return *notice* headed by why the recording ended, unless somebody asked for it."""
    if ending is Ending.ASKED:
        return notice
    return replace(notice, content=f"{SENTENCES[ending]} {notice.content}")


def _not_recording(meeting: Meeting, content: str, text: str) -> Notice:
    card = Card("Not recording", text, footer=f"meeting {meeting.id}", colour=ORANGE)
    return Notice(content, (card,))
