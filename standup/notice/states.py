"""The message before the notes: recording, being worked on, or failed."""

from __future__ import annotations

from collections.abc import Sequence

from standup.meeting import Gap, Meeting
from standup.notice.card import DESCRIPTION_UNITS, Card, Notice, cut
from standup.notice.defusing import defuse
from standup.transcript import clock

RED, AMBER, BLUE = 0xED4245, 0xFEE75C, 0x5865F2
NAME_UNITS = 80
SHOWN_GAPS = 10

RECORDED = "🔴 **This voice channel is being recorded.**"
CONSENT = (
    "Everybody who speaks is recorded on a track of their own, for the notes that are posted here.\n"
    "To end the recording use `/standup stop`. Whoever does not want to be recorded leaves the voice channel or "
    "stays muted."
)

LIVE = "What is said is also written, half a minute later, in a thread below this message."


def opening(meeting: Meeting, started_by: str, *, is_live: bool = False) -> Notice:
    """Return the recording notice; it must stand in the channel before the first packet is kept.

    *started_by* is a display name; *is_live* tells of the live thread.
    """
    who = cut(defuse(started_by), NAME_UNITS) or "Somebody"
    return Notice(f"{RECORDED}\nStarted by {who}.", (_card(meeting.id, "Recording", _consent(is_live), RED),))


def recording(
    meeting: Meeting,
    people: int,
    elapsed_ms: int,
    *,
    is_degraded: bool = False,
    unsighted: int = 0,
    is_live: bool = False,
) -> Notice:
    """Return the notice while people talk: how many have been heard, for how long, and whether all is kept.

    *unsighted* people are in the voice channel and not recorded, because they cannot see this; *is_live* tells of the
    live thread.
    """
    heard = f"{_count(people, 'person', 'people')} heard · {clock(elapsed_ms)}"
    kept = (
        "⚠️ the recorder has trouble keeping up; gaps are possible"
        if is_degraded
        else "✓ every packet is kept"
    )
    told = "\n\n".join(filter(None, (f"{heard} · {kept}", _exempt(unsighted), _consent(is_live))))
    return Notice(RECORDED, (_card(meeting.id, "Recording", told, RED),))


def _consent(is_live: bool) -> str:
    return f"{CONSENT}\n{LIVE}" if is_live else CONSENT


def progress(meeting: Meeting, stages: Sequence[str], finished: int) -> Notice:
    """Return the notice after the recording: *stages* in their order, the first *finished* of them done."""
    marks = [("✓" if place < finished else "▸" if place == finished else "·") for place in range(len(stages))]
    steps = "  ".join(f"{mark} {stage}" for mark, stage in zip(marks, stages, strict=True))
    spoken = f"The recording has ended after {clock(meeting.duration_ms)}; the notes follow here."
    return Notice(spoken, (_card(meeting.id, "Working on the notes", steps, BLUE),))


def unheard(gaps: Sequence[Gap]) -> str:
    """Return the sentence on what nobody recorded, the latest stretches when there are many; empty without any."""
    if not gaps:
        return ""
    shown = ", ".join(f"{clock(one.from_ms)} to {clock(one.until_ms)}" for one in gaps[-SHOWN_GAPS:])
    more = f"{len(gaps) - SHOWN_GAPS} earlier ones, " if len(gaps) > SHOWN_GAPS else ""
    return f"⚠️ Not heard: {more}{shown}."


def unsighted(people: int) -> str:
    """Return the sentence on how many were not recorded because they could not see the notice; empty without any."""
    if not people:
        return ""
    who = _count(people, "person", "people")
    return f"⚠️ Not recorded: {who}, for as long as they could not see the recording notice."


def failure(meeting_id: str, sentence: str, next_step: str, *, code: str = "") -> Notice:
    """Return the notice of a meeting that could not be worked off: what happened and what to do.

    *sentence* and *next_step* are texts of ours, such as an error's message; *code* is a failure code.
    """
    cause = f"{defuse(sentence)} (code {defuse(code)})" if code else defuse(sentence)
    words = cut(f"{cause} {defuse(next_step)}", DESCRIPTION_UNITS - 200)
    text = f"{words}\n\nThe audio is kept."
    return Notice(
        "⚠️ The notes of this standup could not be made.", (_card(meeting_id, "Failed", text, AMBER),)
    )


def _exempt(people: int) -> str:
    """Return the sentence on who is in the voice channel and not recorded; empty without anybody."""
    if not people:
        return ""
    verbs = "cannot see this channel and is" if people == 1 else "cannot see this channel and are"
    return f"⚠️ {_count(people, 'person', 'people')} in the voice channel {verbs} not recorded."


def _card(meeting_id: str, title: str, description: str, colour: int) -> Card:
    return Card(title, description, footer=f"meeting {meeting_id}", colour=colour)


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
