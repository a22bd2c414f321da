"""The live thread: what was read while people still talk, line by line, and how lines fill messages.

Pure. A message holds as many lines as Discord lets it; the last one grows until it is full. Lines stand in the order in
which people began to speak; one that is read later than what followed it is put into its place while that place is in
the last message, and at that message's beginning otherwise.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timezone

from standup.meeting import Meeting
from standup.notice.card import CONTENT_UNITS, cut, units
from standup.notice.defusing import defuse
from standup.transcript import Utterance, clock, plain

NAME_UNITS = 80
THREAD_NAME_CHARACTERS = 80
"""Discord takes 100; the day has to fit too."""
WORD_CHARACTERS = 200
"""A longer word is broken, so that every piece fits into a message whatever defusing adds."""
LATE_MS = 180_000
"""Words that began longer before those already read are read after the meeting only; more than
`standup.capture.early` looks back."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the thread."""

    start_ms: int
    text: str
    """As it is posted; at most ``CONTENT_UNITS`` units, no line break."""


FAREWELL = Line(
    sys.maxsize, "🏁 The recording has ended; the notes, with all that was said, follow in the message above."
)
"""The last line, after everything."""


def thread_name(meeting: Meeting) -> str:
    """Return the name of a meeting's thread: its voice channel and the day it began, in UTC."""
    channel = plain(meeting.voice_channel_name)[:THREAD_NAME_CHARACTERS].strip() or "Standup"
    return f"{channel} {meeting.started_at.astimezone(timezone.utc):%Y-%m-%d}"


def lines(utterance: Utterance, name: str) -> tuple[Line, ...]:
    """Return ``**Name** 0:12 text`` for *utterance*, in several lines where one message cannot hold it.

    Name and words are defused. Apart from white space, no character of the words is lost or said twice.
    """
    who = cut(defuse(name), NAME_UNITS) or "Somebody"
    head = f"**{who}** {clock(utterance.start_ms)}"
    words = defuse(" ".join(_pieces(utterance.text))).split(" ")
    return tuple(Line(utterance.start_ms, text) for text in _filled(head, words))


def pages(known: Iterable[Line], new: Iterable[Line]) -> tuple[tuple[Line, ...], ...]:
    """Return the messages that hold *known* (the lines of the last message so far) and *new*.

    The first replaces that message, the others follow it; each but the last is so full that the next line does not fit.
    Lines that begin at the same time stay in the order given, the known ones first.
    """
    made: list[list[Line]] = []
    room = 0
    for line in sorted((*known, *new), key=lambda one: one.start_ms):
        taken = units(line.text) + 1  # the line break
        if taken > room:
            made.append([])
            room = CONTENT_UNITS + 1
        made[-1].append(line)
        room -= taken
    return tuple(map(tuple, made))


def content(page: Iterable[Line]) -> str:
    """Return a message of `pages` as it is posted."""
    return "\n".join(line.text for line in page)


def unsaid(spoken: Iterable[Line], posted: Iterable[str]) -> tuple[Line, ...]:
    """Return those of the lines *spoken* that a thread with the messages *posted* still lacks.

    What began more than ``LATE_MS`` before the newest line there is not lacking: somebody has deleted it, or it stands
    in messages that were not looked at.
    """
    standing = Counter(text for one in posted for text in one.split("\n"))
    newest_ms, missing = 0, []
    for line in spoken:
        if standing[line.text]:
            standing[line.text] -= 1
            newest_ms = max(newest_ms, line.start_ms)
        else:
            missing.append(line)
    return tuple(one for one in missing if one.start_ms >= newest_ms - LATE_MS)


def _pieces(text: str) -> Iterator[str]:
    for word in plain(text).split():
        for start in range(0, len(word), WORD_CHARACTERS):
            yield word[start : start + WORD_CHARACTERS]


def _filled(head: str, words: Iterable[str]) -> Iterator[str]:
    line = head
    for word in words:
        longer = f"{line} {word}"
        if units(longer) > CONTENT_UNITS:
            yield line
            longer = f"{head} {word}"
        line = longer
    yield line
