"""How `standup bench summarize` shows its figures: scores, targets, and the mistakes behind them."""

from __future__ import annotations

import statistics

from rich.console import Console
from rich.table import Table
from rich.text import Text

from standup.bench.scoring import Tally
from standup.bench.summarize import NotesFigures, Sheet
from standup.bench.targets import Target
from standup.errors import MeetingNotFound
from standup.transcript import clock


def table(figures: NotesFigures) -> Table:
    """Return the scores by kind, style and source, and over all."""
    columns = ("", "items", "precision", "recall", "F1", "attribution", "invented")
    shown = Table(*columns, box=None, header_style="bold")
    kinds = {kind.value: tally for kind, tally in figures.kinds.items()}
    for group in (kinds, figures.styles, figures.sources):
        for name, tally in group.items():
            shown.add_row(name, *_cells(tally))
        shown.add_row()
    shown.add_row("all", *_cells(figures.overall), style="bold")
    if figures.continuity:
        shown.add_row("day before", *_cells(figures.continuity))
    if figures.continuity_of_gold:
        shown.add_row("day before, gold items", *_cells(figures.continuity_of_gold))
    return shown


def print_verdicts(console: Console, figures: NotesFigures) -> None:
    """Print who wrote the notes, how long one standup took, and which targets are met."""
    authors = ", ".join(f"{name} ({count})" for name, count in figures.authors.items())
    _print(console, f"\nWritten by: {authors}.")
    latencies = figures.latencies_s
    if latencies:
        _print(
            console,
            f"A standup took {1000 * statistics.median(latencies):.1f} ms (median), "
            f"{1000 * max(latencies):.1f} ms at most.",
        )
    for one in figures.targets:
        console.print(verdict(one))


def print_mistakes(console: Console, figures: NotesFigures, wanted: str) -> None:
    """Print what was missed, wrong or invented in the standups of one style or id.

    Raises MeetingNotFound when there are none.
    """
    chosen = [one for one in figures.sheets if wanted in (one.standup.id, one.standup.style)]
    if not chosen:
        known = ", ".join(sorted(figures.styles))
        raise MeetingNotFound(f"No standup has this style or id; the styles are: {known}.")
    for one in chosen:
        _print(console, f"\n{one.standup.id} ({one.standup.source})")
        _print_sheet(console, one)


def verdict(target: Target) -> Text:
    """Return whether a target is met, as a line."""
    sign, colour = ("✓", "green") if target.is_met else ("✗", "red")
    if target.value is None:
        return Text(f"– {target.name}: not measured", "dim")
    return Text.assemble(
        (sign, colour), f" {target.name}: {target.value:.3f} (wanted: {target.bound} {target.wanted:g})"
    )


def _print_sheet(console: Console, sheet: Sheet) -> None:
    transcript = sheet.standup.transcript
    spoken = {one.id: one for one in transcript.spoken}

    def told(sign: str, kind: str, person: str | None, what: str, evidence: tuple[str, ...]) -> None:
        name = "–" if person is None else transcript.name_of(person)
        _print(console, f"  {sign:<9}{kind:<9}{name:<10} {what}  {' '.join(evidence)}")

    for gold in sheet.score.missed:
        told("missed", gold.kind.value, gold.person, " | ".join(gold.phrases), gold.evidence)
        for place in gold.evidence:
            said = spoken[place]
            console.print(Text(f"{'':20}[{clock(said.start_ms)}] {said.text}", "dim"), soft_wrap=True)
    for one in sheet.score.wrong:
        sign = "invented" if one in sheet.score.invented else "wrong"
        told(sign, one.kind.value, one.person, one.text, one.evidence)


def _cells(tally: Tally) -> list[str]:
    shares = (tally.precision, tally.recall, tally.f1, tally.attribution)
    return [str(tally.required), *(f"{one:.3f}" for one in shares), str(tally.invented)]


def _print(console: Console, line: str) -> None:
    console.print(line, markup=False, highlight=False, soft_wrap=True)
