"""The notes themselves: per person done, next and blockers, then decisions and actions, and how much was heard.

Strategy: everybody gets a block before anybody gets a second line. Candidates are tried in rounds (each block's
first blocker, next, done, then each block's second …) and kept while the message holds them; what is left out
is counted where it is missing, and summary.md has it all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timezone

from standup.meeting import Meeting, Track
from standup.notice.card import FIELD_VALUE_UNITS, FIELDS, TOTAL_UNITS, Card, Field, Notice, cut, total, units
from standup.notice.defusing import defuse
from standup.notice.states import NAME_UNITS, unheard
from standup.summary import HEADINGS, Item, Kind, Summary, author, moments, people
from standup.transcript import Outcome, Transcript, clock, plain

GREEN = 0x57F287
LABEL_UNITS = 300
SILENT_UNITS = 400
#: Which of a person's items are worth the space first.
RANKED = (Kind.BLOCKER, Kind.NEXT, Kind.DONE)


@dataclass(slots=True)
class _Block:
    """One field in the making. Owned by one call of `notes`."""

    name: str
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
        return "\n".join(shown) or "No done, next or blocker was recognised."

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
) -> Notice:
    """Return the notes of a meeting, each item with the time it was said at, and what was and was not heard."""
    blocks = _blocks(summary, transcript)
    shown, rest = blocks[:FIELDS], len(blocks) - FIELDS
    unnamed = meeting.unattributed_packets
    lines = [
        coverage(transcript, tracks, unnamed),
        *filter(None, [unheard(meeting.gaps)]),
        *_silent(transcript),
    ]
    if rest > 0:
        lines.append(f"… {rest} more parts in summary.md")
    model = f" · speech model {speech_model}" if speech_model else ""
    card = Card(
        f"Standup notes · {meeting.started_at.astimezone(timezone.utc):%Y-%m-%d %H:%M UTC}"
        + (f" · {clock(meeting.duration_ms)}" if meeting.ended_at else ""),
        "\n".join(lines),
        footer=f"meeting {meeting.id} · {cut(plain(author(summary) + model), LABEL_UNITS)}",
        colour=GREEN,
    )
    _fill(shown, TOTAL_UNITS - total([card]))
    fields = tuple(block.field() for block in shown)
    return Notice(
        _headline(summary, transcript), (Card(card.title, card.description, fields, card.footer, GREEN),)
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


def _headline(summary: Summary, transcript: Transcript) -> str:
    """Return the line that a phone shows: how many people, blockers and action items."""
    if not transcript.spoken:
        unread = any(one.outcome in (Outcome.ERROR, Outcome.PENDING) for one in transcript.utterances)
        return "Standup notes: speech could not be read." if unread else "Standup notes: nobody spoke."
    count = {kind: sum(one.kind is kind for one in summary.items) for kind in Kind}
    heard = len(people(summary, transcript))
    return (
        f"Standup notes: {heard} {'person' if heard == 1 else 'people'}, {_plural(count[Kind.BLOCKER], 'blocker')}, "
        f"{_plural(count[Kind.DECISION], 'decision')}, {_plural(count[Kind.ACTION], 'action item')}."
    )


def _silent(transcript: Transcript) -> list[str]:
    """Return a line naming who was there and has no words, if anybody."""
    speakers = {one.speaker for one in transcript.spoken}
    names = [_name(transcript, one.id) for one in transcript.participants if one.id not in speakers]
    return [f"Present, no words heard: {cut(', '.join(names), SILENT_UNITS)}."] if names else []


def _blocks(summary: Summary, transcript: Transcript) -> list[_Block]:
    """Return the decisions and actions, which concern everybody, and one block per person, in reading order."""
    times = moments(summary, transcript)
    group: list[_Block] = []
    for kind, heading in ((Kind.DECISION, "Decisions"), (Kind.ACTION, "Action items")):
        lines = [("", _line(one, times, transcript)) for one in summary.items if one.kind is kind]
        if lines:
            group.append(_Block(heading, lines, list(range(len(lines)))))
    persons = [_person(summary, transcript, person, times) for person in people(summary, transcript)]
    if any(summary.of(None, kind) for kind in HEADINGS):
        persons.append(_person(summary, transcript, None, times))
    room = FIELDS - len(group)
    return [*persons[:room], *group, *persons[room:]]


def _person(
    summary: Summary, transcript: Transcript, person: str | None, times: Mapping[Item, str]
) -> _Block:
    """Return one person's block; in each round their blocker comes before their next and their done."""
    lines: list[tuple[str, str]] = []
    ranks: list[tuple[int, int, int]] = []
    for kind, heading in HEADINGS.items():
        for turn, item in enumerate(summary.of(person, kind)):
            ranks.append((turn, RANKED.index(kind), len(lines)))
            lines.append((heading, _line(item, times)))
    name = _name(transcript, person) if person is not None else "Everybody"
    return _Block(name, lines, [place for _, _, place in sorted(ranks)])


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


def _line(item: Item, times: Mapping[Item, str], owners: Transcript | None = None) -> str:
    """Return one line; with *owners* an action names its owner."""
    owner = ""
    if owners is not None and item.kind is Kind.ACTION:
        owner = f"**{_name(owners, item.person) if item.person is not None else 'no owner yet'}:** "
    due = f" — {defuse(item.due)}" if item.due else ""
    time = f" `{times[item]}`" if item in times else ""
    return f"• {owner}{defuse(item.text)}{due}{time}"


def _name(transcript: Transcript, person: str) -> str:
    return cut(defuse(transcript.name_of(person)), NAME_UNITS) or "somebody"


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _duration(time_ms: int) -> str:
    """Return seconds up to two minutes, then minutes and seconds."""
    return f"{round(time_ms / 1000)} s" if time_ms < 120_000 else clock(time_ms)
