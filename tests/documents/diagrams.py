"""Mermaid's diagrams, drawn by Mermaid itself in headless Chromium.

Needs what `./setup.sh --dev` installs: Chromium, and Mermaid from npm in the version of `package-lock.json`.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.browser import browse

MERMAID = Path(__file__).parent / "node_modules/@mermaid-js/tiny/dist/mermaid.tiny.js"
PATIENCE = "--virtual-time-budget=60000"
#: What the page's script may take, in milliseconds of its own clock.
RESULT = re.compile(r'<script type="application/json">(?P<json>.*?)</script>', re.DOTALL)

PAGE = """<!DOCTYPE html>
<meta charset="utf-8">
<style>body {{ font-family: sans-serif }} figure {{ margin: 2em 0; border: 1px solid #ccc }}</style>
<script src="{mermaid}"></script>
<body>{figures}
<script type="module">
mermaid.initialize({{ startOnLoad: false, securityLevel: "strict" }});
const drawn = [];
for (const [number, figure] of document.querySelectorAll("figure").entries()) {{
    try {{
        const text = figure.textContent;
        const {{ diagramType }} = await mermaid.parse(text);
        figure.innerHTML = (await mermaid.render(`drawing-${{number}}`, text)).svg;
        const box = figure.firstElementChild.getBoundingClientRect();
        drawn.push({{ type: diagramType, problem: "", width: box.width, height: box.height }});
    }} catch (error) {{
        drawn.push({{ type: "", problem: String(error.message ?? error), width: 0, height: 0 }});
    }}
}}
const result = document.createElement("script");
result.type = "application/json";
result.textContent = JSON.stringify(drawn);
document.body.append(result);
</script>
"""


@dataclass(frozen=True)
class Drawing:
    """What became of one diagram."""

    type: str
    """Mermaid's name of its kind; empty where it does not parse."""
    problem: str
    """What Mermaid says of it; empty when it was drawn."""
    width: float
    """In CSS pixels."""
    height: float


def draw(texts: Sequence[str], folder: Path, picture: Path | None = None) -> list[Drawing]:
    """Return what becomes of each diagram; *folder* takes the page, *picture* (PNG) shows it."""
    figures = "".join(f"<figure>{html.escape(one)}</figure>" for one in texts)
    page = folder / "diagrams.html"
    page.write_text(PAGE.format(mermaid=MERMAID.as_uri(), figures=figures), encoding="utf-8")
    if picture:
        browse(page.as_uri(), folder, PATIENCE, f"--screenshot={picture}", "--window-size=1400,8000")
    found = RESULT.search(browse(page.as_uri(), folder, PATIENCE, "--dump-dom"))
    if found is None:
        raise RuntimeError("Chromium ended before every diagram was drawn.")
    return [Drawing(**one) for one in json.loads(found["json"])]
