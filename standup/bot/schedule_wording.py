"""What the monitor says before a scheduled standup, to the team and to whoever operates StandupBot.

No clock and no I/O here. A finding of `standup doctor` may name folders and addresses of the operator's machine, so it
goes to the alert channel alone. The team reads what is wrong in a word and the next step, which are fixed sentences;
of channels, which are their own, they read everything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from standup.notice import cut
from standup.notice.card import CONTENT_UNITS
from standup.schedule import Schedule

CHANNEL = "channel "
#: How the names of checks on channels begin; the id follows.


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that would stop the meeting: a failed check."""

    name: str
    finding: str
    next_step: str

    @property
    def channel_id(self) -> str:
        """The channel it is about; empty when it is about none."""
        return self.name.removeprefix(CHANNEL) if self.name.startswith(CHANNEL) else ""


def troubles_of(schedule: Schedule, troubles: Iterable[Trouble]) -> tuple[Trouble, ...]:
    """Return those of *troubles* that stop this meeting: other teams' channels do not."""
    own = ("", schedule.voice_channel_id, schedule.text_channel_id)
    return tuple(one for one in troubles if one.channel_id in own)


def no_go(schedule: Schedule, when: str, troubles: Sequence[Trouble], *, is_told: bool) -> str:
    """Return the team's message; *when* is the time in Discord's form, *is_told*: the alert channel has it all."""
    lines = [
        f"🔴 **No-go for the standup at {when}** in <#{schedule.voice_channel_id}>: "
        "as things stand, it would not be recorded, or its notes not be made."
    ]
    lines += [_public(one) for one in troubles if one.channel_id or not is_told]
    rest = [one.name for one in troubles if not one.channel_id] if is_told else []
    if rest:
        lines.append(f"• {', '.join(rest)}: whoever operates me reads in the alert channel what to do.")
    return cut("\n".join(lines), CONTENT_UNITS)


def go(schedule: Schedule, when: str) -> str:
    """Return what the team's message says once nothing is wrong any more."""
    return (
        f"🟢 **Go for the standup at {when}** in <#{schedule.voice_channel_id}>: "
        "what stood against it has been mended."
    )


def alert(schedule: Schedule, when: str, troubles: Collection[Trouble]) -> str:
    """Return the operator's message: every failed check as `standup doctor` prints it."""
    lines = [f"⚠️ No-go for the standup at {when} in <#{schedule.voice_channel_id}>."]
    lines += [f"✗ {_titled(one)}: {one.finding}. Next: {one.next_step}" for one in troubles]
    return cut("\n".join(lines), CONTENT_UNITS)


def _public(trouble: Trouble) -> str:
    told = f"{trouble.finding}; {trouble.next_step}" if trouble.channel_id else trouble.next_step
    return f"• {_titled(trouble)}: {told}."


def _titled(trouble: Trouble) -> str:
    return f"<#{trouble.channel_id}>" if trouble.channel_id else f"**{trouble.name}**"
