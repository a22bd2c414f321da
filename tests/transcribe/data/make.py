"""Make the tracks in this folder anew: ``python tests/transcribe/data/make.py`` (needs flite and ffmpeg)."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from standup.bench.rehearsal import rehearse

HERE = Path(__file__).parent
SENTENCES = (
    "I finished the login page.",
    "I am waiting for access to the database.",
    "Yes.",
    "No blockers today.",
)


def main() -> None:
    """Write one track per voice, and who says what when."""
    rehearsal = rehearse(HERE, minutes=0.16, sentences=SENTENCES)
    utterances = [{**asdict(one), "outcome": one.outcome.value} for one in rehearsal.utterances]
    (HERE / "standup.json").write_text(json.dumps(utterances, indent=2) + "\n", encoding="utf-8")
    whole = rehearsal.tracks["rms"].read_bytes()
    (HERE / "truncated.ogg").write_bytes(whole[: len(whole) * 7 // 10])


if __name__ == "__main__":
    main()
