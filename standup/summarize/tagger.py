"""The weights that mark which words of a standup say an item: a small BERT encoder, run by onnxruntime on the CPU.

MiniLM (Wang et al. 2020, arXiv:2002.10957; 6 layers, 384 wide), its last layer replaced by ten outputs per word
piece: one for each of `marks.LABELS`, whether an item begins, and whether it is somebody else's. Fitted by
`standup.bench.fitting` to the marked standups of tests/data/standups. Kept as bytes and computed with as float32, so
that the same text gives the same marks on every processor.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from standup.summarize.marks import LABELS, Label, Mark, Word, marked
from standup.summarize.passages import Passage, passages
from standup.summarize.turns import Turn

WEIGHTS = Path(__file__).with_name("weights")
ROOM_TOKENS = 256
"""How much the weights read at once; they were fitted to as much."""
REMEMBERED = 512
"""Of how many passages the outputs are kept: six hours of talk, 5 MB."""

# How outputs become items. Most of the words that the weights were fitted to are part of no item, so that a single word
# easily looks like nothing, and one in an item's middle would cost the item. All in nats, chosen on the dev half and on
# the marked standups of z1.txt.
LEANINGS = {Label.NOTHING: -2.5, Label.ACTION: -1.0}
"""What is added to the outputs for a label."""
BORDER = 4.0
"""What is added to the output for a beginning where a sentence begins, and taken from it where none does."""
CAUTION = dict.fromkeys(LABELS, 11.0) | {Label.TOPIC: 8.0, Label.ASSENT: 5.0}
"""What a stretch must be likelier than nothing; a yes is short, an item has more words to show itself."""
PARTING = 4.0
"""What two stretches must be likelier than one."""

_SENTENCE_START = re.compile(r"(?:\A|[.!?;:])\W*")

Floats = NDArray[np.float32]


class Tagger:
    """Marks turns; one thread at a time.

    Remembers what it made of the last passages, by a digest: no words outlast a call.
    """

    def __init__(self, session: Any, tokenizer: Any) -> None:
        """Wrap an onnxruntime session and a tokenizer; `load` makes both."""
        self._session = session
        self._tokenizer = tokenizer
        self._remembered: dict[bytes, Floats] = {}

    def skim(self, turns: Sequence[Turn], names: Mapping[str, str]) -> None:
        """Remember what will be made of *turns* when others follow them: all passages but the last."""
        heads, bodies, found = self._laid_out(turns, names)
        for passage in found[:-1]:
            self._outputs(passage, heads, bodies)

    def mark(self, turns: Sequence[Turn], names: Mapping[str, str]) -> Iterator[Mark]:
        """Return the marks on *turns*, in their order; *names* says how each speaker is called.

        Takes time in proportion to the words that are not remembered.
        """
        heads, bodies, found = self._laid_out(turns, names)
        for passage in found:
            outputs = self._outputs(passage, heads, bodies)
            for place in range(passage.begin, passage.end):
                begin, end = outputs.places[place - passage.first]
                words = _words(bodies[place], outputs.values[begin:end], turns[place].text)
                yield from marked(place, words, caution=CAUTION, parting=PARTING)

    def _laid_out(
        self, turns: Sequence[Turn], names: Mapping[str, str]
    ) -> tuple[list[Any], list[Any], tuple[Passage, ...]]:
        """Return the pieces of each turn's name and words, and the passages to read them in."""
        heads = [self._encoded(f"{names.get(one.speaker, one.speaker)} :") for one in turns]
        bodies = [self._encoded(one.text) for one in turns]
        sizes = [len(head.ids) + len(body.ids) + 1 for head, body in zip(heads, bodies, strict=True)]
        return heads, bodies, passages(sizes, ROOM_TOKENS - 1)

    def _encoded(self, text: str) -> Any:
        return self._tokenizer.encode(text, add_special_tokens=False)

    def _outputs(self, passage: Passage, heads: Sequence[Any], bodies: Sequence[Any]) -> _Outputs:
        ids = [self._tokenizer.token_to_id("[CLS]")]
        places = []
        for place in range(passage.first, passage.last):
            ids += heads[place].ids
            places.append((len(ids), len(ids) + len(bodies[place].ids)))
            ids += [*bodies[place].ids, self._tokenizer.token_to_id("[SEP]")]
        return _Outputs(places, self._values(ids))

    def _values(self, ids: Sequence[int]) -> Floats:
        fed = np.array([ids], dtype=np.int64)
        key = hashlib.blake2b(fed.tobytes()).digest()
        values: Floats | None = self._remembered.pop(key, None)
        if values is None:
            values = self._session.run(None, {"ids": fed})[0][0]
        self._remembered[key] = values  # in front stands what was not looked at for longest
        if len(self._remembered) > REMEMBERED:
            del self._remembered[next(iter(self._remembered))]
        return values


class _Outputs:
    """What the weights say of one passage, and where its turns stand in it."""

    def __init__(self, places: Sequence[tuple[int, int]], values: Floats) -> None:
        self.places = places
        self.values = values


@lru_cache(maxsize=1)
def load() -> Tagger:
    """Return the tagger of this process; the first call reads 23 MB of weights. Reaches for no network."""
    # Both take a quarter of a second to import; only who reads notes pays for it.
    import onnxruntime
    from tokenizers import Tokenizer

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(2, os.cpu_count() or 1)
    session = onnxruntime.InferenceSession(
        (WEIGHTS / "tagger.onnx").read_bytes(), options, providers=["CPUExecutionProvider"]
    )
    return Tagger(session, Tokenizer.from_file(str(WEIGHTS / "tokenizer.json")))


def _words(encoded: Any, values: Floats, text: str) -> list[Word]:
    """Return the words of a turn, each judged by the mean of its pieces."""
    if not encoded.ids:
        return []
    kinds = len(LABELS)
    outputs = values[:, :kinds] + np.array([LEANINGS.get(label, 0.0) for label in LABELS], np.float32)
    likelihoods = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    likelihoods /= likelihoods.sum(axis=1, keepdims=True)
    ids, offsets = np.array(encoded.word_ids), encoded.offsets  # each look at them makes them anew
    firsts = np.flatnonzero(np.r_[True, ids[1:] != ids[:-1]])
    starts = {found.end() for found in _SENTENCE_START.finditer(text)}
    borders = np.array([BORDER if offsets[one][0] in starts else -BORDER for one in firsts])
    begins = _chances(values[firsts, kinds] + borders)
    lasts = np.r_[firsts[1:], len(ids)] - 1
    pieces = (lasts - firsts + 1)[:, None]
    means = np.add.reduceat(likelihoods, firsts) / pieces
    others = np.add.reduceat(_chances(values[:, kinds + 1 :]), firsts) / pieces
    return [
        Word(offsets[first][0], offsets[last][1], mean, begun, other)
        for first, last, mean, begun, (other,) in zip(
            firsts, lasts, means.tolist(), begins.tolist(), others.tolist(), strict=True
        )
    ]


def _chances(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(1 / (1 + np.exp(-values)))
