"""The stretches of a recording in which the bot could not hear, and how its notice tells them.

No clock and no I/O here. Times are milliseconds on the meeting clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from standup.bot.endings import SENTENCES, Ending
from standup.meeting import Meeting
from standup.notice import Card, Notice
from standup.transcript import clock

SHOWN_GAPS = 10
ORANGE = 0xE67E22


@dataclass(frozen=True, slots=True)
class Gap:
    """One stretch that is missing for everybody."""

    from_ms: int
    until_ms: int

    def __post_init__(self) -> None:
        if not 0 <= self.from_ms <= self.until_ms:
            raise ValueError("a gap ends after it begins")

    def __str__(self) -> str:
        return f"{clock(self.from_ms)} to {clock(self.until_ms)}"


class GapLog:
    """The gaps of one recording, and the one that is going on. One owner; not thread-safe."""

    def __init__(self) -> None:
        self.closed: list[Gap] = []
        self.since_ms: int | None = None
        #: When the present gap began; None while the bot hears.

    def begin(self, since_ms: int) -> bool:
        """Begin a gap at *since_ms*; return False when one is going on already."""
        if self.since_ms is not None:
            return False
        self.since_ms = max(0, since_ms)
        return True

    def end(self, now_ms: int) -> bool:
        """End the present gap; return False when there is none."""
        if self.since_ms is None:
            return False
        self.closed.append(Gap(self.since_ms, max(self.since_ms, now_ms)))
        self.since_ms = None
        return True


def deaf(meeting: Meeting, since_ms: int) -> Notice:
    """Return the notice while the bot cannot hear: it never claims to record."""
    text = (
        f"Since {clock(since_ms)} nothing of what is said is kept. I am rejoining the voice channel; "
        "this message tells when I can hear again."
    )
    card = Card("Not recording", text, footer=f"meeting {meeting.id}", colour=ORANGE)
    return Notice("🟠 **I cannot hear this voice channel at the moment.**", (card,))


def paused(meeting: Meeting) -> Notice:
    """Return the notice of a recorder that is being restarted: it never claims to record."""
    text = "Nothing of what is said is kept until the recorder is back; it then goes on with this meeting."
    card = Card("Not recording", text, footer=f"meeting {meeting.id}", colour=ORANGE)
    return Notice("⏸️ **The recorder is being restarted.**", (card,))


def with_gaps(notice: Notice, gaps: Sequence[Gap]) -> Notice:
    """Return *notice* with the *gaps* below its first card's text, the latest ones when there are many."""
    if not gaps or not notice.cards:
        return notice
    shown = ", ".join(map(str, gaps[-SHOWN_GAPS:]))
    more = f"{len(gaps) - SHOWN_GAPS} earlier ones, " if len(gaps) > SHOWN_GAPS else ""
    first, *others = notice.cards
    told = replace(first, description=f"{first.description}\n\n⚠️ Not heard: {more}{shown}.")
    return replace(notice, cards=(told, *others))


def with_ending(notice: Notice, ending: Ending) -> Notice:
    """Return *notice* headed by why the recording ended, unless somebody asked for it."""
    if ending is Ending.ASKED:
        return notice
    return replace(notice, content=f"{SENTENCES[ending]} {notice.content}")
