"""The annotated standups of the notes benchmark: transcripts with what their notes must hold.

The form and the annotation guide are in tests/data/standups/README.md. Only `load` touches the disk.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from standup import transcript as transcripts
from standup.errors import InputRefused
from standup.summary import Kind
from standup.transcript import Transcript

HALVES = ("dev", "test")
RELATIONS = ("finished", "still_blocked", "unblocked", "carried", "dropped")
"""What can become of yesterday's items."""


@dataclass(frozen=True, slots=True)
class Gold:
    """One item that the notes of a standup must hold."""

    kind: Kind
    phrases: tuple[str, ...]
    """What any right wording contains, as it stands in the evidence."""
    evidence: tuple[str, ...]
    person: str | None = None
    is_optional: bool = False
    """Arguable: neither required nor wrong."""
    spoken: tuple[str, ...] = ()
    """The phrases as they were spoken, where the text is recognised speech; as many, in the same order."""

    @property
    def wordings(self) -> tuple[tuple[str, ...], ...]:
        """The phrases in every wording that counts."""
        return (self.phrases, self.spoken) if self.spoken else (self.phrases,)


@dataclass(frozen=True, slots=True)
class GoldRelation:
    """What became of an item of the day before."""

    relation: str
    """One of RELATIONS."""
    yesterday: Gold
    today: Gold | None
    """None where nobody spoke of it again."""


@dataclass(frozen=True, slots=True)
class Standup:
    """One annotated standup. Its repr shows nothing that was said: a failing test must not show the held-out half."""

    id: str
    """The file's stem, e.g. ``07-messy``."""
    style: str
    source: str
    """``written`` or ``recognised``."""
    transcript: Transcript = field(repr=False)
    gold: tuple[Gold, ...] = field(repr=False)
    said: Mapping[str, str] = field(repr=False)
    """Utterance id -> what was spoken, where the text is recognised speech."""
    previous: str = ""
    """The id of the same team's standup on the day before."""
    continuity: tuple[GoldRelation, ...] = field(default=(), repr=False)


def load(folder: Path, half: str) -> list[Standup]:
    """Return the standups of one half under *folder*, sorted by id.

    Raises InputRefused, naming the file, for one that is not in the form, and when there is none.
    """
    documents = {path.stem: path.read_bytes() for path in sorted((folder / half).glob("*.json"))}
    if not documents:
        raise InputRefused(f"{folder / half} holds no standups; name the folder of both halves with --data.")
    return parse(documents)


def parse(documents: Mapping[str, bytes | str]) -> list[Standup]:
    """Return the standups in *documents* (id -> JSON text), in that order; raise InputRefused as `load` does."""
    raw = {name: _object(name, text) for name, text in documents.items()}
    return [_standup(name, raw, documents[name]) for name in raw]


def _object(name: str, text: bytes | str) -> dict[str, Any]:
    try:
        value = json.loads(text)
    except ValueError as cause:
        raise InputRefused(f"Standup {name} is not JSON.") from cause
    if not isinstance(value, dict):
        raise InputRefused(f"Standup {name} is no JSON object.")
    return value


def _standup(name: str, raw: Mapping[str, dict[str, Any]], text: bytes | str) -> Standup:
    document = raw[name]
    try:
        previous = str(document.get("previous", ""))
        gold = [_gold(one) for one in document["gold"]]
        return Standup(
            id=name,
            style=str(document["style"]),
            source=str(document["source"]),
            transcript=transcripts.parse(text),
            gold=tuple(gold),
            said={one["id"]: str(one["said"]) for one in document["utterances"] if "said" in one},
            previous=previous,
            continuity=tuple(_relation(one, raw[previous], gold) for one in document.get("continuity", ())),
        )
    except (LookupError, TypeError, ValueError) as cause:
        raise InputRefused(
            f"Standup {name} is not in the form of tests/data/standups/README.md ({type(cause).__name__})."
        ) from cause


def _gold(raw: Mapping[str, Any]) -> Gold:
    return Gold(
        Kind(raw["kind"]),
        tuple(raw["phrases"]),
        tuple(raw["evidence"]),
        raw["person"],
        bool(raw.get("optional", False)),
        tuple(raw.get("spoken", ())),
    )


def _relation(raw: Mapping[str, Any], before: Mapping[str, Any], gold: Sequence[Gold]) -> GoldRelation:
    if raw["relation"] not in RELATIONS:
        raise ValueError("unknown relation")
    today = None if raw["today"] is None else gold[raw["today"]]
    return GoldRelation(raw["relation"], _gold(before["gold"][raw["yesterday"]]), today)
