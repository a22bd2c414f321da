"""One finding of `standup doctor`: what was looked at, how it stands, what to do next.

No clock and no I/O here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum


class Grade(str, Enum):
    """How a finding bears on the next meeting."""

    GOOD = "ok"
    DOUBTFUL = "warning"
    """The meeting goes on; something is worse than it could be."""
    BAD = "failed"
    """A meeting would not be recorded, or its notes not be made."""


MARKS = {Grade.GOOD: "✓", Grade.DOUBTFUL: "!", Grade.BAD: "✗"}


@dataclass(frozen=True, slots=True)
class Check:
    """One finding; what is not good names the next step."""

    name: str
    """What was looked at, in one or two words."""
    grade: Grade
    finding: str
    """How it stands; never a token, a password or a name of a person."""
    next_step: str = ""
    """What the operator does about it; empty when nothing is to be done."""

    def __post_init__(self) -> None:
        if not self.name or not self.finding:
            raise ValueError("a check has a name and a finding")
        if (self.grade is Grade.GOOD) == bool(self.next_step):
            raise ValueError(f"the check {self.name!r} has a next step exactly when it is not good")

    def line(self) -> str:
        """Return the check as one line of text."""
        told = f"{MARKS[self.grade]} {self.name:<12} {self.finding}"
        return f"{told}. Next: {self.next_step}" if self.next_step else told

    def serialize(self) -> dict[str, str]:
        """Return the check as JSON values."""
        return {
            "name": self.name,
            "result": self.grade.value,
            "finding": self.finding,
            "next_step": self.next_step,
        }


def good(name: str, finding: str) -> Check:
    """Return a finding about which nothing is to be done."""
    return Check(name, Grade.GOOD, finding)


def doubtful(name: str, finding: str, next_step: str) -> Check:
    """Return a finding with which a meeting still goes on."""
    return Check(name, Grade.DOUBTFUL, finding, next_step)


def bad(name: str, finding: str, next_step: str) -> Check:
    """Return a finding that would stop a meeting."""
    return Check(name, Grade.BAD, finding, next_step)


def is_go(checks: Iterable[Check]) -> bool:
    """Return whether nothing stands against the next meeting."""
    return all(one.grade is not Grade.BAD for one in checks)
