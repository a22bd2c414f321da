"""Marks made into items: owners, due dates, evidence, and what "it" stands for."""

from __future__ import annotations

import re

import pytest

from standup.meeting import Participant
from standup.summarize.marks import Label, Mark
from standup.summarize.names import Roster
from standup.summarize.reading import items
from standup.summarize.turns import Turn

NAMES = {"Ana": "1", "Ben": "2", "Cy": "3"}
_SIGN = re.compile(r"\{(?P<label>\w+)(?P<others>@)?: (?P<text>[^}]*)\}")

Told = tuple[str | None, str, str, str | None, tuple[str, ...]]


def read(script: str) -> list[Told]:
    """Return the items of lines such as ``Ana: {done: I fixed it}.``; ``@`` says that it is another's."""
    turns, marks = [], []
    for place, line in enumerate(script.strip().splitlines()):
        who, raw = line.strip().split(": ", 1)
        text = _SIGN.sub(lambda found: found["text"], raw)
        turns.append(Turn(NAMES[who], ((text, f"u{place}"),)))
        for found in _SIGN.finditer(raw):
            start = text.index(found["text"])
            label = Label(found["label"])
            marks.append(
                Mark(place, start, start + len(found["text"]), label, found["others"] is not None, 0.9)
            )
    roster = Roster([Participant(number, name) for name, number in NAMES.items()])
    return [
        (one.person, one.kind.value, one.text, one.due, one.evidence) for one in items(marks, turns, roster)
    ]


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        pytest.param(
            "Ana: Hi. {done: Yesterday I finished the login page} and {next: today I will write the tests}.",
            [
                ("1", "done", "Finished the login page", None, ("u0",)),
                ("1", "next", "Write the tests", None, ("u0",)),
            ],
            id="one's own",
        ),
        pytest.param(
            "Ana: {blocker@: Ben is stuck on the certificate}.",
            [("2", "blocker", "Stuck on the certificate", None, ("u0",))],
            id="somebody named",
        ),
        pytest.param(
            "Ana: {action@: Ben also told me he'd look at the fog}. {blocker@: Cy says that he's stuck on the tests}.",
            [
                ("2", "action", "Look at the fog", None, ("u0",)),
                ("3", "blocker", "Stuck on the tests", None, ("u0",)),
            ],
            id="what they said of themselves",
        ),
        pytest.param(
            "Ana: {next@: Ben told me the tests are next}. {done@: Cy said hello to the team}.",
            [
                ("2", "next", "The tests are next", None, ("u0",)),
                ("3", "done", "Said hello to the team", None, ("u0",)),
            ],
            id="what they said of something else",
        ),
        pytest.param(
            "Ana: Where is Cy?\nBen: {done@: He finished the exporter}.",
            [("3", "done", "He finished the exporter", None, ("u1",))],
            id="he was named before",
        ),
        pytest.param("Ana: {done@: My sister fixed the tap}.", [], id="nobody who is there"),
        pytest.param(
            "Ana: {action@: Can somebody order the laptops?}\nCy: {assent: I can}, by Friday.",
            [("3", "action", "Order the laptops", "by Friday", ("u0", "u1"))],
            id="whoever takes it",
        ),
        pytest.param(
            "Ana: {action@: Could somebody pick an icon?}\nCy: I have taste. {next: I'll pick one today}.",
            [("3", "action", "Pick an icon", "today", ("u0", "u1"))],
            id="whoever plans to",
        ),
        pytest.param(
            "Ana: {action@: Could somebody pick an icon?}\nCy: With your colours, yes, I'll do that.",
            [("3", "action", "Pick an icon", None, ("u0", "u1"))],
            id="a yes that was not marked",
        ),
        pytest.param(
            "Ana: {action@: Ben, can you order the laptops?}\nBen: No time.\nCy: Happy to. {next: I'll do it Monday}.",
            [("3", "action", "Order the laptops", "Monday", ("u0", "u2"))],
            id="whoever takes it over",
        ),
        pytest.param(
            "Ana: {action@: You've got the keys, haven't you?} {action@: Ben, can you order the laptops?}",
            [("2", "action", "Order the laptops", None, ("u0",))],
            id="no request",
        ),
        pytest.param(
            "Ana: {action@: Ben, can you order the laptops?}\nCy: Me, {next: I'll do the same in Rome}.",
            [
                ("2", "action", "Order the laptops", None, ("u0",)),
                ("3", "next", "Ben, can you order the laptops: Do the same in Rome", None, ("u0", "u1")),
            ],
            id="another's plan",
        ),
        pytest.param(
            "Ana: {blocker: I'm stuck with the maps}. {blocker: The licence isn't signed}.",
            [("1", "blocker", "Stuck with the maps. The licence isn't signed", None, ("u0",))],
            id="a blocker in two sentences",
        ),
        pytest.param(
            "Ana: {action@: Ben, can you order the laptops?}\nBen: No time.\nCy: {action: I'll do it on Monday}.",
            [("3", "action", "Order the laptops", "on Monday", ("u0", "u2"))],
            id="whoever promises it",
        ),
        pytest.param(
            "Ana: {action@: Ben, can you order the laptops?}\nCy: {action: I'll call the shop for you}.",
            [
                ("2", "action", "Order the laptops", None, ("u0",)),
                ("3", "action", "Call the shop for you", None, ("u1",)),
            ],
            id="a promise of something else",
        ),
        pytest.param(
            "Ana: {action@: Will you want a table of the dropouts from me?}\nBen: {assent: Yes, please}.",
            [("1", "action", "Want a table of the dropouts from me", None, ("u0", "u1"))],
            id="whoever offers it",
        ),
        pytest.param(
            "Ana: {action@: Can I have the table of the dropouts?}\nBen: {assent: Yes}.",
            [("2", "action", "Have the table of the dropouts", None, ("u0", "u1"))],
            id="whoever is asked for it",
        ),
        pytest.param(
            "Ana: {action@: Ben, please update the wiki tomorrow}.",
            [("2", "action", "Update the wiki", "tomorrow", ("u0",))],
            id="whoever is told",
        ),
        pytest.param(
            "Ana: {action: I'll send Ben the logs}.\nBen: {assent: Thanks}.",
            [("1", "action", "Send Ben the logs", None, ("u0", "u1"))],
            id="a promise stays with who gave it",
        ),
        pytest.param(
            "Ana: {action@: Ben will call the customer by Friday}.\nCy: {assent: Thank you, everyone}.",
            [("2", "action", "Call the customer", "by Friday", ("u0", "u1"))],
            id="a task stays with whom it names",
        ),
        pytest.param(
            "Ana: {decision: Let's ship on Thursday}.\nBen: {assent: Agreed}.\nCy: {assent: Fine}.",
            [(None, "decision", "Ship on Thursday", None, ("u0", "u1", "u2"))],
            id="a decision is the group's",
        ),
        pytest.param(
            "Ana: What about {topic: the invoices}?\nBen: {done: Sent them all}.",
            [("2", "done", "The invoices: Sent them all", None, ("u0", "u1"))],
            id="what was asked about",
        ),
        pytest.param(
            "Ana: The ministry wants the statement online. Ben, {action@: can you take it?}\nBen: {assent: Yes}.",
            [("2", "action", "The ministry wants the statement online: Take it", None, ("u0", "u1"))],
            id="what it stands for",
        ),
        pytest.param(
            "Ana: {done: I fixed the build}. Yes, {done: fixed the build}.",
            [("1", "done", "Fixed the build", None, ("u0",))],
            id="said twice",
        ),
        pytest.param(
            "Ana: {done: The docs are out. And I answered the tickets}.",
            [
                ("1", "done", "The docs are out", None, ("u0",)),
                ("1", "done", "Answered the tickets", None, ("u0",)),
            ],
            id="and something else",
        ),
        pytest.param("Ana: {next: it}", [], id="no word worth keeping"),
        pytest.param(
            "Ana: {action: I'll ask Sven about the access}.\nBen: The survey sheet waits. {action: I'll send it}.",
            [
                ("1", "action", "Ask Sven about the access", None, ("u0",)),
                ("2", "action", "The survey sheet waits: Send it", None, ("u1",)),
            ],
            id="a promise is nobody else's",
        ),
        pytest.param(
            "Ana: Who takes {topic: the release notes}?\nBen: {assent: I do}.\nCy: {done: I moved the mail server}.",
            [("3", "done", "Moved the mail server", None, ("u2",))],
            id="a topic that was answered",
        ),
        pytest.param(
            "Ana: What about {topic: the invoices}?\nBen: {assent: Yes}, {done: sent them all}.",
            [("2", "done", "The invoices: Sent them all", None, ("u0", "u1"))],
            id="a yes and more of the topic",
        ),
        pytest.param(
            "Ana: {action@: Ben can you send the list?}\nBen: {assent: Yes, by Friday}.",
            [("2", "action", "Send the list", "by Friday", ("u0", "u1"))],
            id="whoever was asked says when",
        ),
    ],
)
def test_items(script: str, expected: list[Told]) -> None:
    """Marks become these items and no other."""
    assert expected == read(script)


def test_a_late_yes_answers_nothing() -> None:
    """Who says yes long after a request has not taken it."""
    chatter = "\n".join("Cy: Nice weather." for _ in range(7))
    made = read(f"Ana: {{action@: Can somebody order the laptops?}}\n{chatter}\nBen: {{assent: Yes}}.")
    assert [(None, ("u0",))] == [(one[0], one[4]) for one in made]
