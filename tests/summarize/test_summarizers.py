"""What every summarizer must do: add yours to `SUMMARIZERS`, and the stage can use it.

A summarizer is one file that has the attributes and methods of `standup.summary.Summarizer`; what it finds is measured
elsewhere, by `standup bench summarize`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from standup.meeting import Participant
from standup.settings import LanguageModelSettings
from standup.summarize import choose
from standup.summarize.grounded import Grounded
from standup.summarize.rules import RulesSummarizer
from standup.summary import Kind, Summarizer, serialize
from standup.transcript import Transcript, Utterance
from tests.summarize.scripted_endpoint import MODEL, endpoint, well_behaved

PEOPLE = (Participant("100", "Ana"), Participant("101", "Ben"), Participant("102", "Silent Cy"))
SAID = (
    ("100", "Yesterday I finished the login page."),
    ("101", "I will deploy v2.4.1 today."),
    ("100", "I'm blocked by the missing VPN account."),
    ("101", "Okay, see you tomorrow."),
)
STANDUP = Transcript(
    "20261123T095800Z-1f0c9a2b",
    PEOPLE,
    tuple(
        Utterance(f"u{place:04}", who, place * 1000, place * 1000 + 900).heard(text)
        for place, (who, text) in enumerate(SAID, 1)
    ),
)
UNHEARD = Transcript(
    "m",
    PEOPLE,
    (Utterance("u1", "100", 0, 900).silent("no-speech"), Utterance("u2", "101", 0, 900).failed("crash")),
)


@contextmanager
def by_rules() -> Iterator[Summarizer]:
    """The rules alone."""
    yield RulesSummarizer()


@contextmanager
def by_checked_rules() -> Iterator[Summarizer]:
    """The rules, their items held against what was said."""
    yield Grounded(RulesSummarizer())


@contextmanager
def by_language_model() -> Iterator[Summarizer]:
    """A language model behind an endpoint that answers well."""
    with endpoint(well_behaved) as running:
        yield choose(
            LanguageModelSettings(url=running.url, model=MODEL, api_key="", timeout_s=20, context_tokens=4096)
        )


SUMMARIZERS = [
    pytest.param(by_rules, id="rules"),
    pytest.param(by_checked_rules, id="checked rules"),
    pytest.param(by_language_model, id="language model"),
]


@pytest.fixture(params=SUMMARIZERS)
def summarizer(request: pytest.FixtureRequest) -> Iterator[Summarizer]:
    """Each summarizer in turn."""
    make: Callable[[], AbstractContextManager[Summarizer]] = request.param
    with make() as made:
        yield made


def test_the_notes_can_name_it(summarizer: Summarizer) -> None:
    """It has a name of one line, which its summary bears."""
    assert summarizer.name.strip()
    assert "\n" not in summarizer.name
    assert summarizer.summarize(STANDUP).summarizer == summarizer.name


def test_each_item_cites_what_was_said(summarizer: Summarizer) -> None:
    """Something is found; evidence is never empty and in the transcript, a person is one of those present."""
    items = summarizer.summarize(STANDUP).items

    assert {Kind.DONE, Kind.NEXT, Kind.BLOCKER} <= {one.kind for one in items}
    assert all(one.evidence for one in items)
    assert {cited for one in items for cited in one.evidence} <= {one.id for one in STANDUP.utterances}
    assert {one.person for one in items if one.person} <= {"100", "101"}


@pytest.mark.parametrize(
    "transcript",
    [
        pytest.param(Transcript("m", (), ()), id="nobody came"),
        pytest.param(Transcript("m", PEOPLE, ()), id="nobody spoke"),
        pytest.param(UNHEARD, id="nothing was understood"),
    ],
)
def test_without_words_there_are_no_items(summarizer: Summarizer, transcript: Transcript) -> None:
    """An empty transcript is no error, and nothing is made up for it."""
    assert summarizer.summarize(transcript).items == ()


def test_the_same_words_give_the_same_notes(summarizer: Summarizer) -> None:
    """A stage that runs twice writes the same summary, and it can be kept as JSON."""
    first, second = summarizer.summarize(STANDUP), summarizer.summarize(STANDUP)

    assert json.dumps(serialize(first)) == json.dumps(serialize(second))
