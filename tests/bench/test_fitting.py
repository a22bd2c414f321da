"""What the tagger learns from, and how its network reads."""

from __future__ import annotations

import random

import pytest
import torch
from tokenizers import Tokenizer

from standup.bench.encoder import OUTPUTS, Encoder
from standup.bench.examples import MASKED, UNKNOWN, Example, Reader
from standup.bench.fitting import WARM_STEPS, learn, pace
from standup.bench.marked import MarkedStandup, parse
from standup.summarize.marks import LABELS, Label
from standup.summarize.tagger import ROOM_TOKENS, WEIGHTS

STANDUP = "== one\npeople: Ann, Bo\nAnn: Hi, {done: I fixed it} and {next@Bo: Bo goes on}. {done?: So what}."


TOKENIZER = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))


class Unlucky(random.Random):
    """Chance that lets nothing unlikely happen: a standup is read as it stands."""

    def random(self) -> float:
        """Return nearly one."""
        return 0.99


def reader(standups: list[MarkedStandup], seed: int = 1) -> Reader:
    """Return a reader with the tokenizer of the shipped weights."""
    return Reader(TOKENIZER, standups, random.Random(seed))


def answers(example: Example, label: Label) -> list[tuple[int, int]]:
    """Return begins and other of the pieces with *label*."""
    place = LABELS.index(label)
    rows = zip(example.labels, example.begins, example.others, strict=True)
    return [(begins, other) for one, begins, other in rows if one == place]


def test_answers() -> None:
    """Each word has its label; the first of an item begins it; arguable words and the speaker's name have none."""
    standups = parse(STANDUP)
    plain = Reader(TOKENIZER, standups, Unlucky()).example(standups[0])

    assert [(1, 0), (0, 0), (0, 0)] == answers(plain, Label.DONE)
    assert [(1, 1), (0, 1), (0, 1)] == answers(plain, Label.NEXT)
    assert [UNKNOWN] * 3 == plain.labels[:3]
    assert UNKNOWN in plain.labels[-5:-1]
    assert len(plain.ids) == len(plain.labels) == len(plain.begins) == len(plain.others)


def test_some_pieces_are_hidden() -> None:
    """About one in ten is; where a text begins and a line ends can always be seen, and the answers stay."""
    standups = parse("== one\npeople: Ann\n" + "Ann: {done: I fixed the login page of the shop}.\n" * 12)
    mask, sep = (TOKENIZER.token_to_id(one) for one in ("[MASK]", "[SEP]"))
    examples = [reader(standups, seed).example(standups[0]) for seed in range(30)]
    seen = [one for example in examples for one in example.ids]

    assert seen.count(mask) / len(seen) == pytest.approx(MASKED, abs=0.03)
    assert seen.count(sep) == 12 * len(examples)
    assert all(len(one.ids) == len(one.labels) for one in examples)


def test_the_same_seed_gives_the_same_examples() -> None:
    """Chance has one source."""
    standups = parse(STANDUP)
    assert reader(standups).example(standups[0]) == reader(standups).example(standups[0])


def test_a_long_standup_is_read_in_parts() -> None:
    """No example is longer than what the network reads at once."""
    standups = parse("== one\npeople: Ann\n" + "Ann: {done: I fixed the login page of the shop}.\n" * 100)
    examples = [reader(standups, seed).example(standups[0]) for seed in range(10)]

    assert max(len(one.ids) for one in examples) <= ROOM_TOKENS
    assert len({len(one.ids) for one in examples}) > 1
    assert reader(standups).parts(standups[0]) > 3


def test_padding_changes_nothing() -> None:
    """A row reads the same alone and beside a longer one."""
    torch.manual_seed(1)
    encoder = Encoder().eval()
    short, long = torch.randint(1, 1000, (1, 5)), torch.randint(1, 1000, (1, 9))
    padded = torch.cat([torch.cat([short, torch.zeros(1, 4, dtype=torch.long)], 1), long])
    with torch.no_grad():
        alone, together = encoder(short), encoder(padded)

    assert (1, 5, OUTPUTS) == tuple(alone.shape)
    assert torch.allclose(alone[0], together[0, :5], atol=1e-4)


@pytest.mark.integration
def test_learning() -> None:
    """After a few steps on one example the loss is smaller."""
    torch.manual_seed(1)
    standups = parse(STANDUP)
    encoder = Encoder(dropout=0.0)
    optimizer = torch.optim.SGD(encoder.parameters(), lr=0.05)
    example = reader(standups).example(standups[0])
    losses = [learn(encoder, [example], optimizer) for _ in range(5)]

    assert losses[-1] < losses[0]


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 1 / WARM_STEPS), (WARM_STEPS, 0.5), (2 * WARM_STEPS, 0.0)]
)
def test_pace(step: int, expected: float) -> None:
    """The rate rises at the start and falls to nothing at the end."""
    assert expected == pytest.approx(pace(step, 2 * WARM_STEPS))
