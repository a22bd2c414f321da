"""The Grafana dashboard."""

from __future__ import annotations

import json

from tests.checkout import ROOT
from tests.documents.contents.table import table


def dashboard_table() -> str:
    """Return the panels of docs/grafana.json with what they ask Prometheus for."""
    panels = json.loads((ROOT / "docs/grafana.json").read_text(encoding="utf-8"))["panels"]
    return table(
        ("panel", "query", "what it tells"),
        (
            (
                one["title"],
                " ".join(f"`{target['expr']}`" for target in one["targets"]),
                one.get("description", ""),
            )
            for one in panels
        ),
    )
