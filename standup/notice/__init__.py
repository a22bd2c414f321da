"""What is posted: one message per meeting, from the recording notice to the notes.

Pure: values in, values out. Whatever was said, and whatever people call themselves, reaches a notice
only through `defuse`; a Notice that breaks one of Discord's limits cannot exist.
"""

from standup.notice.card import Card, Field, Notice, cut, units
from standup.notice.defusing import defuse
from standup.notice.report import coverage, notes
from standup.notice.states import failure, opening, progress, recording, unheard, unsighted

__all__ = [
    "Card",
    "Field",
    "Notice",
    "coverage",
    "cut",
    "defuse",
    "failure",
    "notes",
    "opening",
    "progress",
    "recording",
    "unheard",
    "units",
    "unsighted",
]
