"""Reading action items: who was asked, who was told, and who promised. Pure.

An owner is a participant or nobody; a name that is no participant's stays in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from standup.summarize.due import find_due, without_due
from standup.summarize.names import NOT_NAMES, Roster

_NAME = r"(?P<name>[^\W\d_][\w'-]*)(?:\s+(?-i:[A-Z])[\w'-]+)?"
_POLITE = r"(?:(?:please|maybe|also|quickly|perhaps|then)\s+)*"
_MODAL = (
    r"(?:'ll|\s+(?:will|should|shall|is going to|is gonna|needs to|has to|must|agreed to|volunteered to|"
    r"offered to|can|to))"
)


def _patterns(*sources: str) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(source, re.IGNORECASE) for source in sources)


#: Somebody is asked by name; the named word must be a participant.
_ASKED = _patterns(
    rf"^{_NAME}\s*,?\s+(?:can|could|would|will) you\s+{_POLITE}(?P<what>.+)",
    rf"^{_NAME}\s*,?\s+you(?:'ll|\s+(?:will|should|need to|"
    rf"have to))\s+{_POLITE}(?P<what>.+?)(?:,\s*(?:right|okay|ok))?$",
    rf"^(?:please\s+)?{_NAME}\s*,?\s+please\s+(?P<what>.+)",
    rf"^please,?\s+{_NAME}\s*,\s*(?P<what>.+)",
    rf"^(?:can|could|would)\s+{_NAME}\s+{_POLITE}(?P<what>.+)",
    rf"^(?:can|could|would) you\s+{_POLITE}(?P<what>.+?)\s*,?\s+{_NAME}$",
    rf"^(?:i|we)(?:'d like|\s+(?:need|want|would like))\s+{_NAME}\s+to\s+(?P<what>.+)",
)
#: Somebody is told off to a task; the named word must be a participant.
_TOLD = _patterns(
    rf"^{_NAME}(?:\s+and\s+(?P<other>[^\W\d_][\w'-]*))?{_MODAL}\s+(?:also\s+|then\s+)*(?P<what>.+)",
    rf"^{_NAME}\s+(?P<what>(?:takes?|owns?|handles)\s+.+)",
    rf"^{_NAME}\s+is\s+(?:responsible for|in charge of|on the hook for)\s+(?P<what>.+)",
    rf"^(?:action items?|to-?do|task)\s+(?:is\s+)?(?:for|on)\s+{_NAME}\s*(?:[:,]|is\s+to|"
    rf"to)?\s+(?P<what>.+)",
    rf"^(?:let's\s+)?assign(?:ing)?\s+(?P<what>.+)\s+to\s+{_NAME}$",
)
#: A task that is announced; what follows may still name its owner.
_LABEL = re.compile(
    r"^(?:the |an |one |next )?action items?\b(?:\s+(?:is|are))?\s*[:,]?\s*(?:to\s+)?(?P<what>.+)",
    re.IGNORECASE,
)
_LABELLED = re.compile(rf"^{_NAME}\s+(?P<what>[a-z]+s\b.+)", re.IGNORECASE)
#: A task without a name.
_OPEN = _patterns(
    r"^(?:can|could|would|will) you\s+(?:please\s+|maybe\s+|also\s+)*(?P<what>.+)",
    r"^please\s+(?P<what>.+)",
    r"^it would be (?:great|nice|good|helpful) if (?:someone|somebody|you) (?:could|can)\s+(?P<what>.+)",
    r"^(?:someone|somebody)\s+(?:needs to|should|has to|must|has got to|please)\s+(?P<what>.+)",
    r"^(?:we|i)\s+need\s+(?:someone|somebody)\s+to\s+(?P<what>.+)",
    r"^(?:can|could)\s+(?:someone|somebody|anyone)\s+(?:please\s+)?(?P<what>.+)",
)
_TEAM = re.compile(
    r"^(?:we|the team|everyone|everybody)(?:'ll|\s+(?:need to|have to|should|must|will))\s+(?P<what>.+)", re.I
)
_PROMISED = re.compile(
    r"^i(?:'ll|'m going to|\s+(?:will|can|am going to))\s+(?:also\s+|then\s+|just\s+)*(?P<what>.+)",
    re.IGNORECASE,
)
_TO_SOMEONE = re.compile(
    r"^(?:send|share|give|show|e-?mail|mail|message|forward|hand|pass|tell|ask|ping|remind|call|notify|"
    r"let|get back to|follow up|follow-up|check with|write to|write|bring|get|help|post|put|prepare|"
    r"set up|arrange|schedule)\b",
    re.IGNORECASE,
)
_TAKEN = re.compile(
    r"^(?:take care of|take on|take over|take the|take it\b|handle|own|follow up|file (?:a|the)|"
    r"open an? (?:ticket|issue)|create an? (?:ticket|issue)|raise an?|set up a (?:meeting|call)|"
    r"schedule a|organi[sz]e)\b",
    re.IGNORECASE,
)
_YOU = re.compile(r"\b(?:you|him|her|them|everyone|everybody|the team)\b", re.IGNORECASE)
#: What follows "can you" where it runs the call and gives no task.
_COURTESY = re.compile(
    r"^(?:like to|go\b|start$|start (?:us|off)|begin|tell us|give us|hear|see (?:my|me|it)|share your|"
    r"repeat|speak|(?:un)?mute|say)\b",
    re.IGNORECASE,
)
#: What follows "Ben will" or "Ben can" in a statement about Ben and not a task.
_STATE = re.compile(
    r"^(?:be\b(?!\s+\w+ing)|not\b|have\b|never\b|probably be|also be|join|miss|go (?:first|next)|start$|"
    r"speak|tell you|confirm that)",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"^(?:do|take|handle|look at|look into|go|hear|see|fix|check|get|start|begin|repeat|say|"
    r"tell)?\s*(?:it|that|this|so|me|us|them|again|ahead|first|next|started|over|on|of|care|to|a|the|"
    r"on it|on that|take care of (?:it|that))?(?:\s+(?:again|now|then|it|that))?$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Assignment:
    """A task and who has it."""

    what: str
    """Without the due words where those stand at its edge."""
    owner: str | None
    due: str | None
    is_request: bool = False
    """Whether it waits for an answer: accepting makes it the answerer's, refusing undoes it."""


def assignments(text: str, speaker: str, roster: Roster) -> tuple[Assignment, ...]:
    """Return the tasks that the clause *text*, said by *speaker*, gives; mostly none or one, two for two owners."""
    due = find_due(text)
    lead = without_due(text, due) if due and text.lower().startswith(due.lower()) else text
    for reading in (_asked, _told, _labelled, _open, _promised):
        found = tuple(
            Assignment(without_due(what, due), owner, due, reading in (_asked, _labelled, _open))
            for what, owner in reading(lead, speaker, roster)
            if not (_EMPTY.match(without_due(what, due)) or _COURTESY.match(what))
        )
        if found:
            return found
    return ()


def is_vacuous(text: str) -> bool:
    """Return whether *text*, an answer without its subject, names no task of its own ("do it")."""
    return _EMPTY.match(text.strip(" ,.!")) is not None


def _asked(text: str, _speaker: str, roster: Roster) -> Iterator[tuple[str, str | None]]:
    for pattern in _ASKED:
        found = pattern.match(text)
        owner = roster.find(found["name"]) if found else None
        if found and owner is not None:
            yield found["what"], owner
            return


def _told(text: str, _speaker: str, roster: Roster) -> Iterator[tuple[str, str | None]]:
    for pattern in _TOLD:
        found = pattern.match(text)
        if found is None or _STATE.match(found["what"]):
            continue
        owner = roster.find(found["name"])
        other = roster.find(found.groupdict().get("other") or "")
        if owner is not None:
            yield from ((found["what"], one) for one in dict.fromkeys((owner, other)) if one is not None)
            return
        if pattern is _TOLD[0] and find_due(text) and _is_name(found["name"]):
            yield text, None
            return


def _labelled(text: str, speaker: str, roster: Roster) -> Iterator[tuple[str, str | None]]:
    found = _LABEL.match(text)
    if found is None:
        return
    what = found["what"]
    owned = next((one for reading in (_asked, _told) for one in reading(what, speaker, roster)), None)
    named, promised = _LABELLED.match(what), _PROMISED.match(what)
    if owned is None and named and roster.find(named["name"]) is not None:
        owned = (named["what"], roster.find(named["name"]))
    if owned is None and promised:
        owned = (promised["what"], speaker)
    yield owned or (what, None)


def _open(text: str, _speaker: str, _roster: Roster) -> Iterator[tuple[str, str | None]]:
    found = next(filter(None, (pattern.match(text) for pattern in _OPEN)), None)
    if found is None and find_due(text, deadline_only=True):
        found = _TEAM.match(text)
    if found is not None:
        yield found["what"], None


def _promised(text: str, speaker: str, roster: Roster) -> Iterator[tuple[str, str | None]]:
    found = _PROMISED.match(text)
    if found is None:
        return
    what = found["what"]
    is_to_someone = roster.mentioned(what) is not None or _YOU.search(what) is not None
    if _TAKEN.match(what) or (_TO_SOMEONE.match(what) and is_to_someone):
        yield what, speaker


def _is_name(word: str) -> bool:
    return word[0].isupper() and word.casefold() not in NOT_NAMES
