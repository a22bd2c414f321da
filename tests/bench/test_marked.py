"""Marked standups: their form."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.bench.marked import Line, Stretch, load, parse
from standup.errors import InputRefused
from standup.summarize.marks import Label

MARKED = Path(__file__).parents[1] / "data" / "standups" / "marked"
STANDUP = """
== a-small-one
people: Ann, Bo
Ann: Hi, {done: I fixed it} and {blocker@Bo: Bo is stuck}.
Bo: {action?: I'll ask}.
"""


def test_parse() -> None:
    """The marks become stretches of a text without them."""
    (standup,) = parse(STANDUP)

    assert ("a-small-one", ("Ann", "Bo")) == (standup.name, standup.people)
    assert standup.lines == (
        Line(
            "Ann",
            "Hi, I fixed it and Bo is stuck.",
            (Stretch(4, 14, Label.DONE), Stretch(19, 30, Label.BLOCKER, is_others=True)),
        ),
        Line("Bo", "I'll ask.", (Stretch(0, 8, Label.ACTION, is_arguable=True),)),
    )


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        pytest.param("Cy: Hello.", "somebody of `people:`", id="a stranger speaks"),
        pytest.param("Ann: {done@Cy: It works}.", "names somebody", id="a stranger's item"),
        pytest.param("Ann: {done: It {next: works}}.", "a brace", id="one mark in another"),
        pytest.param("Ann: {did: It works}.", "a brace", id="no kind"),
    ],
)
def test_refused(line: str, sentence: str) -> None:
    """A line that is not in the form is named by file and number."""
    with pytest.raises(InputRefused, match=f"(?s)few.txt, line 5.*{sentence}"):
        parse(f"== one\npeople: Ann, Bo\nAnn: Hi.\n\n{line}", "few.txt")


def test_a_standup_needs_its_heading() -> None:
    """Lines before the first heading are refused."""
    with pytest.raises(InputRefused, match="begins with"):
        parse("Ann: Hi.")


def test_the_marked_standups_are_in_the_form() -> None:
    """All that the tagger learns from can be read; names are unique; every label occurs often."""
    standups = load(MARKED)
    labels = [one.label for standup in standups for line in standup.lines for one in line.stretches]

    assert len(standups) == len({one.name for one in standups})
    assert min(labels.count(one) for one in Label if one is not Label.NOTHING) > 50
