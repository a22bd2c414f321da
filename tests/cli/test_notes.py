"""`standup summarize` and `standup schema`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from standup.cli import application
from standup.schemas import Document, schema
from tests.cli.typed import refuse

TRANSCRIPT = json.dumps(
    {
        "meeting": {"id": "m"},
        "participants": [{"id": "p1", "name": "Ann"}],
        "utterances": [
            {
                "id": "u1",
                "speaker": "p1",
                "start_ms": 61_000,
                "end_ms": 65_000,
                "text": "I fixed the login page.",
            }
        ],
    }
)


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A transcript, in a place to run commands in."""
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "standup.json"
    path.write_text(TRANSCRIPT)
    return path


def test_notes_as_json(file: Path) -> None:
    """Scripts get the summary's JSON form."""
    result = CliRunner().invoke(application(), ["summarize", str(file), "--json"])
    summary = json.loads(result.stdout)
    assert summary["summarizer"] == "rules"
    assert [(one["person"], one["kind"], one["evidence"]) for one in summary["items"]] == [
        ("p1", "done", ["u1"])
    ]


def test_notes_to_read(file: Path) -> None:
    """People get the notes with the moment of each item and who wrote them."""
    shown = CliRunner().invoke(application(), ["summarize", str(file)]).stdout
    assert all(word in shown for word in ("Ann", "Done", "login page", "[1:01]", "no language model"))


def test_notes_in_another_template(file: Path) -> None:
    """A template changes the headings; --markdown prints summary.md letter for letter."""
    shown = (
        CliRunner()
        .invoke(application(), ["summarize", str(file), "--template", "retrospective", "--markdown"])
        .stdout
    )
    assert shown.startswith("# Retrospective\n\n## What was done\n\n- **Ann:** ")


def test_an_unknown_template(file: Path) -> None:
    """It is wrong usage, and the known ones are named."""
    result = CliRunner().invoke(application(), ["summarize", str(file), "--template", "party"])
    assert (result.exit_code, "planning" in result.stderr) == (2, True)


def test_a_transcript_from_stdin() -> None:
    """`-` reads standard input."""
    result = CliRunner().invoke(application(), ["summarize", "-", "--json"], input=TRANSCRIPT)
    assert len(json.loads(result.stdout)["items"]) == 1


def test_a_missing_file(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 66 and says how to write one."""
    code, said = refuse(capsys, "summarize", "gone.json")
    assert (code, "standup export" in said) == (66, True)


@pytest.mark.parametrize("content", [b"", b"no JSON", b"[]", b"{}", b"\xff\xfe\x00"])
def test_what_is_no_transcript(content: bytes, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It ends with 65 and names the form."""
    file.write_bytes(content)
    code, said = refuse(capsys, "summarize", str(file))
    assert (code, "standup export --format json" in said) == (65, True)


def test_a_wrong_url(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A model's address that is none is a wrong setting."""
    code, _ = refuse(capsys, "summarize", str(file), "--model", "nonsense")
    assert code == 78


@pytest.mark.parametrize("document", list(Document))
def test_schemas_are_printed(document: Document) -> None:
    """What is printed is the schema in the package."""
    assert CliRunner().invoke(application(), ["schema", document.value]).stdout == schema(document)
