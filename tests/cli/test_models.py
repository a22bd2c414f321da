"""`standup models`: what it lists, fetches, writes and refuses, against a hub on the loopback."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from standup.cli import application
from tests.cli.typed import refuse
from tests.transcribe.loopback_hub import MODEL, LoopbackHub, serving

SMALL = "Systran/faster-whisper-small"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackHub]:
    """A hub with the model `small` and a repository without one; an empty cache and folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STANDUP_WHISPER_DEVICE", "cpu")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    with serving(LoopbackHub({SMALL: MODEL, "somebody/texts": {"config.json": b"{}"}})) as served:
        # The client makes the second out of the first when it is imported.
        files = served.address + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", served.address)
        monkeypatch.setattr("huggingface_hub.constants.HUGGINGFACE_CO_URL_TEMPLATE", files)
        yield served


def run(*argv: str) -> Result:
    """Return what a command that must end with 0 says."""
    result = CliRunner().invoke(application(), ["models", *argv], env={"COLUMNS": "200"})
    assert result.exit_code == 0, result.output
    return result


@pytest.mark.parametrize("name", ["list", "download", "use", "check"])
def test_every_command_teaches(name: str) -> None:
    """`--help` says more than the command's name."""
    assert len(run(name, "--help").stdout.split()) > 30


def test_the_list_marks_what_is_used_and_names_the_next_step(hub: LoopbackHub) -> None:
    """Before a download the bundled model is used; afterwards the one that was wanted."""
    before = run("list").stdout
    run("download", "small")
    after = run("list").stdout

    assert next(line for line in before.splitlines() if "→" in line).split()[1] == "tiny.en"
    assert "`standup models download small`" in before
    assert next(line for line in after.splitlines() if "→" in line).split()[1] == "small"
    assert "download" not in after


def test_the_list_as_json(hub: LoopbackHub) -> None:
    """Scripts get every model, and what is used and why."""
    shown = json.loads(run("list", "--json").stdout)
    bundled, *others = shown["models"]

    assert (shown["setting"], shown["device"], shown["wanted"], shown["used"]) == (
        "auto",
        "cpu",
        "small",
        "tiny.en",
    )
    assert (bundled["name"], bundled["size_bytes"] > 10**7, Path(bundled["path"]).is_dir()) == (
        "tiny.en",
        True,
        True,
    )
    assert all(one["path"] is None for one in others)


def test_a_model_that_is_there_is_not_fetched_again(hub: LoopbackHub) -> None:
    """The second download says where it is and asks nobody."""
    assert "Fetched small" in run("download", "small").stdout
    asked = len(hub.asked)

    assert "small is on this disk already" in run("download", "small").stdout
    assert len(hub.asked) == asked


def test_a_damaged_model_is_refused_and_mended_by_a_download(
    hub: LoopbackHub, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither `use` nor `check` takes it; both name the cure, which works."""
    run("download", "small")
    (weights,) = (tmp_path / "cache").glob("models--*/snapshots/*/model.bin")
    weights.write_bytes(b"rot")
    used, checked = refuse(capsys, "models", "use", "small"), refuse(capsys, "models", "check", "small")
    run("download", "small")

    assert used[0] == checked[0] == 1
    assert all("`standup models download small`" in said for _, said in (used, checked))
    assert "STANDUP_WHISPER_MODEL=small" in run("use", "small").stdout


@pytest.mark.parametrize(
    ("argv", "status", "told"),
    [
        pytest.param(["download", "largest"], 66, "standup models list", id="no such name"),
        pytest.param(["download", "no/where"], 66, "no/where", id="no such repository"),
        pytest.param(["download", "somebody/texts"], 66, "CTranslate2", id="a repository of something else"),
        pytest.param(["use", "medium"], 66, "standup models download medium", id="using what is not there"),
        pytest.param(
            ["check", "medium"], 66, "standup models download medium", id="checking what is not there"
        ),
    ],
)
def test_what_is_not_there_is_told_with_the_next_step(
    hub: LoopbackHub, capsys: pytest.CaptureFixture[str], argv: list[str], status: int, told: str
) -> None:
    """One sentence and 66."""
    code, said = refuse(capsys, "models", *argv)

    assert code == status
    assert told in said


def test_without_a_network_a_download_ends_with_69(
    hub: LoopbackHub, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hub that is not there is named."""
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", "http://127.0.0.1:9")
    code, said = refuse(capsys, "models", "download", "small")

    assert code == 69
    assert "http://127.0.0.1:9 does not answer" in said


@pytest.mark.parametrize("name", ["auto", "tiny.en", "small"])
def test_use_writes_one_line_and_says_what_to_restart(hub: LoopbackHub, tmp_path: Path, name: str) -> None:
    """The programs read it from `.env`; every other line stays."""
    run("download", "small")
    (tmp_path / ".env").write_text("STANDUP_DISCORD_TOKEN=secret\nSTANDUP_WHISPER_MODEL=tiny\n# end\n")
    said = run("use", name).output

    assert "supervisorctl restart worker-gpu" in said
    assert "secret" not in said
    assert (tmp_path / ".env").read_text() == (
        f"STANDUP_DISCORD_TOKEN=secret\nSTANDUP_WHISPER_MODEL={name}\n# end\n"
    )


def test_use_without_a_settings_file_prints_the_line(hub: LoopbackHub, tmp_path: Path) -> None:
    """Nothing is written, and that is said; the line alone is on stdout."""
    result = run("use", "tiny.en")

    assert result.stdout == "STANDUP_WHISPER_MODEL=tiny.en\n"
    assert "nothing was written" in result.stderr
    assert not (tmp_path / ".env").exists()


def test_use_tells_that_the_environment_wins(
    hub: LoopbackHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that overrides the file is named, so that nobody waits for a change."""
    (tmp_path / ".env").touch()
    monkeypatch.setenv("STANDUP_WHISPER_MODEL", "medium")

    assert "the environment sets STANDUP_WHISPER_MODEL" in run("use", "tiny.en").stderr


@pytest.mark.integration
def test_looking_choosing_and_checking_ask_nobody(hub: LoopbackHub, tmp_path: Path) -> None:
    """`list`, `use` and `check` as programs make no request, the model loads, and its seconds are real."""
    (tmp_path / ".env").touch()
    variables = {
        "HF_ENDPOINT": hub.address,
        "HF_HOME": str(tmp_path / "home"),
        "HF_HUB_OFFLINE": "0",
        "PYTHONPATH": str(ROOT),
    }
    outputs = [
        subprocess.run(
            [sys.executable, "-m", "standup", "models", *argv],
            env={**os.environ, **variables},
            cwd=tmp_path,
            timeout=100,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for argv in (["list"], ["use", "tiny.en"], ["check", "--json"])
    ]
    checked = json.loads(outputs[2])

    assert hub.asked == []
    assert (checked["model"], checked["is_sound"], len(checked["files"])) == ("tiny.en", True, 4)
    assert 0 < checked["trial"]["load_s"] < 100
