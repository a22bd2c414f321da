"""The benchmark of the notes: its figures, its targets, and its command."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from standup.bench.matching import Prediction
from standup.bench.scoring import Notes, Relation
from standup.bench.standups import Standup, parse
from standup.bench.summarize import (
    NotesFigures,
    by_predictions,
    by_summarizer,
    describe,
    measure,
    parse_predictions,
)
from standup.cli import application, main
from standup.errors import InputRefused
from standup.summarize import choose
from standup.summary import Kind

ITEM = {"person": "p1", "kind": "blocker", "text": "Waiting for the licence", "evidence": ["u1"]}


def document(style: str, **more: Any) -> dict[str, Any]:
    """A standup of one sentence with one blocker."""
    text = "I am blocked by the licence of the compiler."
    return {
        "style": style,
        "source": "written",
        "meeting": {"id": "s01"},
        "participants": [{"id": "p1", "name": "Ann"}],
        "utterances": [{"id": "u1", "speaker": "p1", "start_ms": 0, "end_ms": 9, "text": text}],
        "gold": [{"person": "p1", "kind": "blocker", "phrases": ["licence"], "evidence": ["u1"]}],
    } | more


def standups(*styles: str) -> list[Standup]:
    return parse(
        {f"{place:02}-{style}": json.dumps(document(style)) for place, style in enumerate(styles, 1)}
    )


def measured(found: Sequence[Standup], *answered: str, known: Sequence[str] = ()) -> NotesFigures:
    """Figures of a system that finds the blocker in the standups *answered* and nothing in the others."""
    right = Notes((Prediction(Kind.BLOCKER, "licence", ("u1",), "p1"),), latency_s=0.25)
    return measure("test", found, by_predictions(dict.fromkeys(answered, right)), known)


def met(figures: NotesFigures) -> dict[str, bool]:
    return {one.name: one.is_met for one in figures.targets}


def test_figures_by_kind_style_and_source() -> None:
    """Every standup counts once in each grouping."""
    figures = measured(standups("terse", "messy"), "01-terse")
    assert (figures.overall.right, figures.overall.missed) == (1, 1)
    assert figures.kinds[Kind.BLOCKER] == figures.overall == figures.sources["written"]
    assert {style: one.recall for style, one in figures.styles.items()} == {"messy": 0, "terse": 1}


def test_targets() -> None:
    """Perfect notes meet every target; half the blockers miss two."""
    found = standups("terse", "messy")
    assert all(met(measured(found, "01-terse", "02-messy")).values())
    assert [name for name, is_met in met(measured(found, "01-terse")).items() if not is_met] == [
        "F1",
        "blocker recall",
    ]


def test_an_invention_and_a_wrong_person_miss_their_targets() -> None:
    """One of either is one too many."""
    invented = Notes((Prediction(Kind.DONE, "Painted 7 sheds", ("u1",), "p1"),))
    wrong = Notes((Prediction(Kind.BLOCKER, "licence", ("u1",), None),))
    for notes, name in ((invented, "invented"), (wrong, "attribution")):
        figures = measure("test", standups("terse"), by_predictions({"01-terse": notes}), ())
        assert met(figures)[name] is False


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        pytest.param(["terse"], 1.0, id="right on the known style only"),
        pytest.param(["messy"], -1.0, id="right on the unseen style only"),
        pytest.param(["terse", "messy"], None, id="no unseen style"),
        pytest.param([], None, id="no known style"),
    ],
)
def test_the_drop_on_unseen_styles(known: list[str], expected: float | None) -> None:
    """F1 on the styles of the dev half minus F1 on the others, where there are both."""
    figures = measured(standups("terse", "messy"), "01-terse", known=known)
    assert figures.drop == expected
    assert met(figures)["drop on unseen styles"] is (expected is None or expected <= 0.05)


def test_latencies_are_those_that_were_measured() -> None:
    """Median and maximum are told in milliseconds, and null where nothing was measured."""
    found = standups("terse", "messy")
    assert describe(measured(found, "01-terse"))["latency_ms"] == {"median": 250.0, "max": 250.0}
    assert describe(measured(found))["latency_ms"] == {"median": None, "max": None}


def test_a_missing_prediction_counts_as_empty_notes() -> None:
    """What a system leaves out is missed, and is told."""
    figures = measured(standups("terse"))
    assert (figures.overall.missed, figures.authors) == (1, {"(missing)": 1})


def test_the_rules_are_measured() -> None:
    """A summarizer's own notes are scored, with their author and the time they took."""
    figures = measure("dev", standups("terse"), by_summarizer(choose()), ())
    assert figures.authors == {"rules": 1}
    assert figures.latencies_s[0] > 0
    assert figures.overall.right == 1


def test_the_json_form_holds_scores_only() -> None:
    """Nothing that was said is in it."""
    text = json.dumps(describe(measured(standups("terse", "messy"), "01-terse")))
    assert "licence" not in text
    assert json.loads(text)["each"]["01-terse"]["f1"] == 1


def test_predictions_are_read() -> None:
    """Evidence, person and due may lack; continuity and latency are taken where they are."""
    relation = {"relation": "carried", "yesterday": "a", "today": None}
    text = json.dumps(
        {
            "a": {"items": [ITEM, {"kind": "done", "text": "x"}]},
            "b": {"items": [], "continuity": [relation], "latency_s": 2},
        }
    )
    read = parse_predictions(text)
    assert read["a"].items[1] == Prediction(Kind.DONE, "x")
    assert read["a"].continuity is None
    assert (read["b"].continuity, read["b"].latency_s) == ((Relation("carried", "a", None),), 2.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"a": []}',
        '{"a": {}}',
        '{"a": {"items": [{"kind": "idea", "text": "x"}]}}',
        '{"a": {"items": [1]}}',
    ],
)
def test_other_predictions_are_refused(text: str) -> None:
    """Anything but the form is refused with a sentence."""
    with pytest.raises(InputRefused, match="not in the form"):
        parse_predictions(text)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with both halves, in a place to run commands in."""
    monkeypatch.chdir(tmp_path)
    for half in ("dev", "test"):
        (tmp_path / half).mkdir()
        (tmp_path / half / "01-terse.json").write_text(json.dumps(document("terse")))
    return tmp_path


def bench(data: Path, *argv: str) -> Result:
    return CliRunner().invoke(application(), ["bench", "summarize", "--data", str(data), *argv])


def predictions(data: Path, **item: str) -> str:
    path = data / "predictions.json"
    path.write_text(json.dumps({"01-terse": {"items": [ITEM | item]}}))
    return str(path)


def test_the_command_shows_scores_and_targets(data: Path) -> None:
    """The table has kinds and styles, the targets are beneath, and the figures are kept."""
    result = bench(data)
    assert result.exit_code == 0
    assert all(
        word in result.stdout for word in ("blocker", "terse", "precision", "✓ F1: 1.000", "rules (1)")
    )
    kept = json.loads(next((data / "data" / "bench").glob("summarize-*.json")).read_text())
    assert kept["figures"]["overall"]["f1"] == 1


def test_a_missed_target_ends_with_1_on_the_test_half(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """On the dev half it is shown only."""
    path = predictions(data, kind="done")
    assert bench(data, "--predictions", path).exit_code == 0
    with pytest.raises(SystemExit, match="1"):
        main(["bench", "summarize", "--data", str(data), "--half", "test", "--predictions", path])
    assert "miss a target" in capsys.readouterr().err


def test_the_command_prints_json(data: Path) -> None:
    """Scripts get the figures alone on stdout."""
    result = bench(data, "--json", "--predictions", predictions(data))
    assert json.loads(result.stdout)["figures"]["authors"] == {"predictions": 1}


@pytest.mark.parametrize("wanted", ["terse", "01-terse"])
def test_mistakes_are_listed(data: Path, wanted: str) -> None:
    """Misses come with what was said, false alarms with what was noted."""
    shown = bench(data, "--show", wanted, "--predictions", predictions(data, kind="done")).stdout
    assert "missed   blocker  Ann        licence" in shown
    assert "I am blocked by the licence of the compiler." in shown
    assert "wrong    done     Ann        Waiting for the licence" in shown


def test_the_test_half_is_not_shown(data: Path) -> None:
    """Asking to see into the held-out half is a usage error, before anything is read."""
    result = bench(data, "--half", "test", "--show", "terse")
    assert result.exit_code == 2
    assert "held out" in result.stderr


def test_an_unknown_style_lists_the_known(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says what can be shown."""
    with pytest.raises(SystemExit, match="66"):
        main(["bench", "summarize", "--data", str(data), "--show", "fancy"])
    assert "the styles are: terse" in capsys.readouterr().err


def test_a_model_and_predictions_exclude_each_other(data: Path) -> None:
    """Only one system is measured at a time."""
    assert bench(data, "--model", "http://127.0.0.1:9/v1", "--predictions", predictions(data)).exit_code == 2
