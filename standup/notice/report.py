"""The notes themselves: what the template shows of each person and of everybody, and how much was heard.

Strategy: everybody gets a block before anybody gets a second line. Candidates are tried in rounds (each block's
first blocker, next, done, then each block's second …, last of all what became of earlier items) and kept while the
message holds them; what is left out is counted where it is missing, and summary.md has it all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timezone

from standup.arrangement import Age, Group, Line, Part, arrange, ordinal
from standup.meeting import Meeting, Track
from standup.notice.card import FIELD_VALUE_UNITS, FIELDS, TOTAL_UNITS, Card, Field, Notice, cut, total, units
from standup.notice.defusing import defuse
from standup.notice.states import NAME_UNITS, unheard, unsighted
from standup.summary import Kind, Summary, author, people
from standup.template import STANDUP, Template
from standup.transcript import Outcome, Transcript, clock, plain

GREEN = 0x57F287
LABEL_UNITS = 300
SILENT_UNITS = 400
#: Which of a person's items are worth the space first.
RANKED = (Kind.BLOCKER, Kind.ACTION, Kind.NEXT, Kind.DECISION, Kind.DONE, None)
LAST_ROUND = 1000
"""What became of earlier items comes after all of today's."""
LIST_UNITS = FIELD_VALUE_UNITS - 40
"""How much of a list one field takes, with a place for the line that counts what is left out."""
EARLIER_UNITS = 120
"""How much is shown of an earlier item; it is known from the meeting before."""


@dataclass(slots=True)
class _Block:
    """One field in the making. Owned by one call of `notes`."""

    name: str
    nothing: str
    """What the field says without any line."""
    lines: list[tuple[str, str]]
    """Group heading and line, in reading order; one heading may be empty."""
    order: list[int]
    """Places in *lines*, the most wanted first."""
    kept: set[int] = field(default_factory=set)

    def value(self, kept: set[int]) -> str:
        """Return the field's text with these lines; what is missing is counted at its end."""
        shown: list[str] = []
        heading = ""
        for place in sorted(kept):
            group, line = self.lines[place]
            if group != heading:
                shown.append(f"**{group}**")
                heading = group
            shown.append(line)
        missing = len(self.lines) - len(kept)
        if missing:
            shown.append(f"… {missing} more in summary.md")
        return "\n".join(shown) or self.nothing

    def field(self) -> Field:
        """Return the block as it stands."""
        return Field(self.name, self.value(self.kept))


def notes(
    meeting: Meeting,
    summary: Summary,
    transcript: Transcript,
    tracks: Sequence[Track] = (),
    *,
    speech_model: str = "",
    template: Template = STANDUP,
) -> Notice:
    """Return the notes of a meeting, each item with the time it was said at, and what was and was not heard.

    *template* says what is shown, and in which order.
    """
    parts = arrange(summary, transcript, template, meeting.started_at)
    blocks = [_block(one) for one in _fitting(parts)]
    shown, rest = blocks[:FIELDS], len(blocks) - FIELDS
    unnamed = meeting.unattributed_packets
    lines = [
        coverage(transcript, tracks, unnamed),
        *filter(None, [unheard(meeting.gaps), unsighted(meeting.unsighted_people)]),
        *_silent(transcript),
    ]
    if rest > 0:
        lines.append(f"… {rest} more parts in summary.md")
    model = f" · speech model {speech_model}" if speech_model else ""
    card = Card(
        f"{template.title} notes · {meeting.started_at.astimezone(timezone.utc):%Y-%m-%d %H:%M UTC}"
        + (f" · {clock(meeting.duration_ms)}" if meeting.ended_at else ""),
        "\n".join(lines),
        footer=f"meeting {meeting.id} · {cut(plain(author(summary) + model), LABEL_UNITS)}",
        colour=GREEN,
    )
    _fill(shown, TOTAL_UNITS - total([card]))
    fields = tuple(block.field() for block in shown)
    return Notice(
        _headline(summary, transcript, template),
        (Card(card.title, card.description, fields, card.footer, GREEN),),
    )


def coverage(transcript: Transcript, tracks: Sequence[Track] = (), unattributed_packets: int = 0) -> str:
    """Return one honest sentence on how much of the meeting was captured and read.

    Without *tracks* it speaks of the transcript alone. *unattributed_packets* came from nobody who could be named.
    """
    unread = sum(one.outcome in (Outcome.ERROR, Outcome.PENDING) for one in transcript.utterances)
    read = f"{_plural(unread, 'utterance')} could not be read" if unread else "every utterance was read"
    if not tracks:
        return f"{_plural(len(transcript.spoken), 'utterance')} with words; {read}."
    lost = sum(one.counts.lost for one in tracks)
    locked = sum(one.counts.undecryptable for one in tracks)
    unnamed = unattributed_packets
    parts = [f"{_plural(lost, 'packet')} lost"] if lost else [] if unnamed else ["no packet lost"]
    parts += [f"{_plural(unnamed, 'packet')} of somebody who could not be told apart"] if unnamed else []
    parts += [f"{_plural(locked, 'packet')} could not be decrypted"] if locked else []
    speakers = len({one.speaker for one in tracks})
    speech = _duration(sum(one.speech_ms for one in tracks))
    return f"Captured {_plural(speakers, 'speaker')}, {speech} of speech; {', '.join([*parts, read])}."


def _headline(summary: Summary, transcript: Transcript, template: Template) -> str:
    """Return the line that a phone shows: how many people, blockers and action items."""
    if not transcript.spoken:
        unread = any(one.outcome in (Outcome.ERROR, Outcome.PENDING) for one in transcript.utterances)
        return f"{template.title} notes: {'speech could not be read' if unread else 'nobody spoke'}."
    count = {kind: sum(one.kind is kind for one in summary.items) for kind in Kind}
    heard = len(people(summary, transcript))
    return (
        f"{template.title} notes: {heard} {'person' if heard == 1 else 'people'}, "
        f"{_plural(count[Kind.BLOCKER], 'blocker')}, "
        f"{_plural(count[Kind.DECISION], 'decision')}, {_plural(count[Kind.ACTION], 'action item')}."
    )


def _silent(transcript: Transcript) -> list[str]:
    """Return a line naming who was there and has no words, if anybody."""
    speakers = {one.speaker for one in transcript.spoken}
    names = [_name(one.name) for one in transcript.participants if one.id not in speakers]
    return [f"Present, no words heard: {cut(', '.join(names), SILENT_UNITS)}."] if names else []


def _fitting(parts: Sequence[Part]) -> list[Part]:
    """Return the parts with those of everybody before the persons that a message has no place for."""
    cut_up = [piece for part in parts for piece in _pieces(part)]
    pieces = cut_up if len(cut_up) <= FIELDS else parts
    room = FIELDS - sum(not one.is_name for one in pieces)
    places = [place for place, one in enumerate(pieces) if one.is_name][max(0, room) :]
    return [one for place, one in enumerate(pieces) if place not in places] + [pieces[one] for one in places]


def _pieces(part: Part) -> Iterator[Part]:
    """Cut a list that concerns everybody where a field is full; a person has one field."""
    title, taken = part.title, 0
    lines: list[Line] = []
    for line in part.groups[0].lines if _is_list(part) else ():
        length = units(_line(line)) + 1
        if lines and taken + length > LIST_UNITS:
            yield replace(part, title=title, groups=(Group("", tuple(lines)),))
            title, taken, lines = f"{part.title} (continued)", 0, []
        taken += length
        lines.append(line)
    yield replace(part, title=title, groups=(Group("", tuple(lines)),)) if lines else part


def _is_list(part: Part) -> bool:
    return len(part.groups) == 1 and not part.groups[0].heading


def _block(part: Part) -> _Block:
    """Return a part as a block; in each round a person's blocker comes before their next and their done."""
    lines: list[tuple[str, str]] = []
    ranks: list[tuple[int, int, int]] = []
    turns: Counter[Kind | None] = Counter()
    for group in part.groups:
        for line in group.lines:
            turn = turns[line.kind] if line.kind else LAST_ROUND
            ranks.append((turn, RANKED.index(line.kind) if group.heading else 0, len(lines)))
            turns[line.kind] += 1
            lines.append((group.heading, _line(line)))
    name = _name(part.title) if part.is_name else part.title
    return _Block(name, part.nothing, lines, [place for _, _, place in sorted(ranks)])


def _fill(blocks: Sequence[_Block], budget_units: int) -> None:
    """Keep as many lines as the fields and the message hold, round by round."""
    spent = sum(block.field().length_units for block in blocks)
    rounds = max((len(block.order) for block in blocks), default=0)
    for turn in range(rounds):
        for block in blocks:
            if turn >= len(block.order):
                continue
            wider = block.kept | {block.order[turn]}
            value = units(block.value(wider))
            grown = spent + value - units(block.value(block.kept))
            if value <= FIELD_VALUE_UNITS and grown <= budget_units:
                block.kept, spent = wider, grown


def _line(line: Line) -> str:
    owner = f"**{_name(line.owner)}:** " if line.owner else ""
    due = f" — {defuse(line.due)}" if line.due else ""
    remarks = ", ".join(filter(None, (line.remark, _age(line.age) if line.age else "")))
    time = f" `{line.time}`" if line.time else ""
    text = defuse(line.text) if line.kind else cut(defuse(line.text), EARLIER_UNITS)
    return f"{line.mark or '•'} {owner}{text}{due}{f' ({remarks})' if remarks else ''}{time}"


def _age(age: Age) -> str:
    """Return since when, in a form that Discord shows each reader in their own time zone."""
    return f"since <t:{int(age.since.timestamp())}:d>, {ordinal(age.day)} day"


def _name(name: str) -> str:
    return cut(defuse(name), NAME_UNITS) or "somebody"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _duration(time_ms: int) -> str:
    """Return seconds up to two minutes, then minutes and seconds."""
    return f"{round(time_ms / 1000)} s" if time_ms < 120_000 else clock(time_ms)
