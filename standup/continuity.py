"""What became of the items of the meeting before: finished, carried on, still blocked, unblocked or dropped.

A relation holds the texts of both items and nothing else of the earlier meeting, so that it can be read after
that meeting is gone. People are their ids, never names. No clock and no I/O here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import Enum
from typing import Any

DAY = timedelta(days=1)


class Became(str, Enum):
    """What can become of an earlier item."""

    FINISHED = "finished"  # what was planned is done
    CARRIED = "carried"  # what was planned is planned still
    STILL_BLOCKED = "still_blocked"  # what was in the way is in the way still
    UNBLOCKED = "unblocked"  # what was in the way is gone
    DROPPED = "dropped"  # what was planned was given up, or nobody spoke of it again


@dataclass(frozen=True, slots=True)
class Relation:
    """One item of the meeting before, and what became of it."""

    became: Became
    yesterday: str
    """The text of the earlier item."""
    person: str | None = None
    """Participant id of whoever the earlier item belonged to; None for the group."""
    today: str | None = None
    """The text of the item of this meeting that tells it; None where no item does."""
    evidence: tuple[str, ...] = ()
    """Ids of the utterances of this meeting in which it was told; empty where nobody spoke of it."""
    since: datetime | None = None
    """Aware: when the first meeting began that had the item; None where that is not known."""

    def __post_init__(self) -> None:
        if not self.yesterday.strip():
            raise ValueError("a relation needs the text of the earlier item")
        if self.since is not None and self.since.tzinfo is None:
            raise ValueError("a relation's moment is aware")


def day_number(since: datetime, now: datetime) -> int:
    """Return on which day of it we are: 1 on the first; a day is 24 hours, rounded, so that no time zone matters."""
    return max(1, 1 + round((now - since) / DAY))


def serialize(relation: Relation) -> dict[str, Any]:
    """Return the JSON form."""
    since = relation.since
    return {
        "relation": relation.became.value,
        "person": relation.person,
        "yesterday": relation.yesterday,
        "today": relation.today,
        "evidence": list(relation.evidence),
        "since": since.astimezone(timezone.utc).isoformat() if since else None,
    }


def parse(raw: Mapping[str, Any]) -> Relation:
    """Read the JSON form; raise KeyError, ValueError or TypeError when it is not one."""
    since = raw.get("since")
    return Relation(
        Became(raw["relation"]),
        str(raw["yesterday"]),
        raw.get("person"),
        None if raw.get("today") is None else str(raw["today"]),
        tuple(raw.get("evidence") or ()),
        datetime.fromisoformat(since) if since else None,
    )
