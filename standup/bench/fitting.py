"""Fit the tagger to the marked standups: `python -m standup.bench.fitting tests/data/standups/marked`.

Writes `standup/summarize/weights`. Takes about an hour on two cores that multiply bfloat16 (AVX-512), three on others,
and the packages that `standup.bench.encoder` names; `--from` goes on from weights that were fitted before. Words are
judged by cross entropy; the embeddings of words stay as MiniLM has them, so that words which no marked standup holds
keep their neighbours.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from rich.progress import Progress
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from standup.bench.encoder import Encoder, base_folder, begin, read, write
from standup.bench.examples import UNKNOWN, Example, Reader
from standup.bench.marked import MarkedStandup, load
from standup.errors import StandupError
from standup.summarize.marks import LABELS
from standup.summarize.tagger import WEIGHTS

BATCH = 8
RATE, OUTPUTS_RATE = 2e-4, 1e-3
AGAIN = 0.5
"""The share of these rates for weights that were fitted before."""
WARM_STEPS = 50
SMOOTHING = 0.05
OTHERS_WEIGHT = 0.5
SORTED_BATCHES = 8
"""Examples of like length share a batch, so that little is padding; so many batches are sorted together."""


def fit(
    standups: Sequence[MarkedStandup], rounds: float, seed: int = 1, fitted: Path | None = None
) -> Encoder:
    """Return an encoder that has read all *standups* *rounds* times; the same seed, machine and torch give the same.

    It begins with MiniLM, or with the weights that were *fitted* before.
    """
    torch.manual_seed(seed)
    chance = random.Random(seed)
    reader = Reader(tokenizer(), standups, chance)
    encoder, share = Encoder(), 1.0
    if fitted is None:
        begin(encoder)
    else:
        read(encoder, fitted / "tagger.onnx")
        share = AGAIN
    encoder.words.requires_grad_(False)
    body = [one for name, one in encoder.named_parameters() if one.requires_grad and "outputs" not in name]
    groups = [
        {"params": body, "lr": share * RATE},
        {"params": list(encoder.outputs.parameters()), "lr": share * OUTPUTS_RATE},
    ]
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    steps = int(rounds * sum(reader.parts(one) for one in standups) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: pace(step, steps))
    encoder.train()
    with Progress() as progress:
        task = progress.add_task("fitting", total=steps)
        for _, batch in zip(range(steps), _batches(reader, standups, chance), strict=False):
            learn(encoder, batch, optimizer)
            schedule.step()
            progress.advance(task)
    return encoder


def tokenizer() -> Any:
    """Return MiniLM's tokenizer."""
    from tokenizers import Tokenizer

    found = Tokenizer.from_file(str(base_folder() / "tokenizer.json"))
    found.no_truncation()
    found.no_padding()
    return found


def pace(step: int, steps: int) -> float:
    """Return the share of the full rate: up at the start, then evenly down to nothing."""
    return min(1.0, (step + 1) / WARM_STEPS) * max(0.0, 1 - step / max(1, steps))


def _batches(
    reader: Reader, standups: Sequence[MarkedStandup], chance: random.Random
) -> Iterator[list[Example]]:
    """Return batches without end; each round reads every standup about once."""
    while True:
        order = [one for one in standups for _ in range(reader.parts(one))]
        chance.shuffle(order)
        examples = [reader.example(one) for one in order]
        batches: list[list[Example]] = []
        for start in range(0, len(examples), BATCH * SORTED_BATCHES):
            part = sorted(examples[start : start + BATCH * SORTED_BATCHES], key=lambda one: len(one.ids))
            batches += [part[place : place + BATCH] for place in range(0, len(part), BATCH)]
        chance.shuffle(batches)
        yield from batches


def learn(encoder: Encoder, batch: Sequence[Example], optimizer: torch.optim.Optimizer) -> float:
    """Take one step towards the answers of *batch*; return how wrong the outputs were before it."""
    is_fast = bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=is_fast):
        outputs = encoder(_padded([one.ids for one in batch], 0))
    loss = _loss(outputs.float(), batch)
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_norm_(encoder.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _loss(outputs: torch.Tensor, batch: Sequence[Example]) -> torch.Tensor:
    kinds = len(LABELS)
    labels = _padded([one.labels for one in batch], UNKNOWN)
    wanted = cross_entropy(
        outputs[..., :kinds].flatten(0, 1), labels.flatten(), ignore_index=UNKNOWN, label_smoothing=SMOOTHING
    )
    for place, weight, answers in (
        (kinds, 1.0, _padded([one.begins for one in batch], UNKNOWN)),
        (kinds + 1, OTHERS_WEIGHT, _padded([one.others for one in batch], UNKNOWN)),
    ):
        known = answers != UNKNOWN
        if known.any():
            chance = binary_cross_entropy_with_logits(outputs[..., place][known], answers[known].float())
            wanted = wanted + weight * chance
    return wanted


def _padded(rows: Sequence[list[int]], value: int) -> torch.Tensor:
    width = max(map(len, rows))
    return torch.tensor([row + [value] * (width - len(row)) for row in rows])


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, write the weights, say how long it took."""
    parser = argparse.ArgumentParser(prog="python -m standup.bench.fitting", description=__doc__)
    parser.add_argument("folder", type=Path, help="where the marked standups are")
    parser.add_argument(
        "--rounds", type=float, default=12, help="how often each is read (default: %(default)s)"
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--from", type=Path, dest="fitted", help="weights to go on from; default: MiniLM's")
    parser.add_argument(
        "--to", type=Path, default=WEIGHTS, help="where the weights go (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    began_s = time.monotonic()
    try:
        standups = load(chosen.folder)
        encoder = fit(standups, chosen.rounds, chosen.seed, chosen.fitted)
    except StandupError as refused:
        print(refused, file=sys.stderr)
        return 1
    chosen.to.mkdir(parents=True, exist_ok=True)
    write(encoder, chosen.to / "tagger.onnx")
    tokenizer().save(str(chosen.to / "tokenizer.json"))
    print(f"Fitted to {len(standups)} standups in {(time.monotonic() - began_s) / 60:.0f} min: {chosen.to}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
