"""The operator's commands: `doctor`, `init`, `idle`, `run flower`."""

from __future__ import annotations

import json
import stat
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.testing import CliRunner

from standup.archive import Manifest, manifest
from standup.cli import application, main
from standup.health import Grade
from standup.meeting import Meeting
from standup.settings import load
from standup.supervision import exits

START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = "20261123T095800Z-1f0c9a2b"
MARKS = {"✓": "ok", "!": "warning", "✗": "failed"}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to run commands in, with a broker of nobody's and the model that is bundled."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STANDUP_WHISPER_MODEL", "tiny.en")
    monkeypatch.setenv("STANDUP_BROKER_URL", f"redis+socket://{tmp_path}/redis.sock")
    return tmp_path


def invoke(*argv: str) -> tuple[int, str]:
    """Return a command's exit status and what it prints."""
    result = CliRunner().invoke(application(), argv)
    return result.exit_code, result.stdout


def record(ended: bool) -> None:
    """Leave the manifest of a meeting as the recorder does."""
    end = START + timedelta(minutes=1) if ended else None
    manifest.write(load().data_dir, Manifest(Meeting(MEETING, "1", "2", "3", START, end)))


def test_doctor_says_one_line_per_check() -> None:
    """Each line has its mark; without a token the last is a ✗, and the exit status 78."""
    status, told = invoke("doctor")
    lines = told.splitlines()
    assert 78 == status
    assert len(lines) > 10
    assert all(line[0] in MARKS and line[1] == " " for line in lines)
    assert lines[-1].startswith("✗ token")
    assert all((" Next: " in line) == (line[0] != "✓") for line in lines)


def test_doctor_as_json_says_the_same() -> None:
    """Scripts get `go`, and name and result of each check."""
    _, told = invoke("doctor")
    status, document = invoke("doctor", "--json")
    report = json.loads(document)
    assert (78, False) == (status, report["go"])
    marks = [(MARKS[line[0]], line[2:].split()[0]) for line in told.splitlines()]
    assert marks == [(one["result"], one["name"].split()[0]) for one in report["checks"]]
    assert {one["result"] for one in report["checks"]} <= {one.value for one in Grade}


def test_doctor_makes_nothing(home: Path) -> None:
    """Looking leaves no file and no folder behind."""
    invoke("doctor")
    assert [] == list(home.iterdir())


def test_init_makes_a_password_for_flower(home: Path) -> None:
    """`.env` is private and holds a password that nobody was shown and no second `init` repeats."""
    passwords = []
    for _ in range(2):
        status, told = invoke("init", "--token", "abc.def.ghi", "--force")
        passwords.append(load().flower_password.get_secret_value())
        assert 0 == status
        assert passwords[-1] not in told
    assert 0o600 == stat.S_IMODE((home / ".env").stat().st_mode)
    assert len(set(passwords)) == 2
    assert min(map(len, passwords)) >= 20


def test_init_keeps_what_else_is_set(home: Path) -> None:
    """A token that is changed takes no other setting with it."""
    (home / ".env").write_text("# ours\nSTANDUP_RETENTION_AUDIO_DAYS=7\nSTANDUP_DISCORD_TOKEN=old\n")
    status, _ = invoke("init", "--token", "abc.def.ghi", "--force")
    made = load()
    assert (0, 7, "abc.def.ghi") == (status, made.retention_audio_days, made.discord_token.get_secret_value())
    assert "# ours" in (home / ".env").read_text()
    assert "old" not in (home / ".env").read_text()


def test_idle_without_meetings() -> None:
    """Where nothing was ever recorded, the recorder may be restarted."""
    assert (0, "No meeting is being recorded.\n") == invoke("idle")


def test_idle_after_a_meeting() -> None:
    """A meeting that has ended stands in nobody's way."""
    record(ended=True)
    assert 0 == invoke("idle")[0]


def test_idle_in_a_meeting() -> None:
    """A meeting that is being recorded is named, and the exit status is 75."""
    record(ended=False)
    assert (75, f"Being recorded: {MEETING}.\n") == invoke("idle")


@pytest.mark.parametrize(
    ("program", "env", "told"),
    [
        pytest.param("recorder", "STANDUP_LANGUAGE=7", "STANDUP_LANGUAGE", id="a wrong value"),
        pytest.param("flower", "", "STANDUP_FLOWER_PASSWORD", id="none for this program"),
        pytest.param("redis", "", "STANDUP_BROKER_URL", id="to be started elsewhere"),
    ],
)
def test_a_program_that_is_not_launched_is_told_of(
    home: Path,
    program: str,
    env: str,
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Where `standup run` itself finds the settings wrong, there is an exit record and one line in errors.log,
    where the readable settings say."""
    monkeypatch.setenv("STANDUP_BROKER_URL", "amqp://elsewhere//")
    (home / ".env").write_text(f"{env}\nSTANDUP_DATA_DIR=kept\nSTANDUP_LOG_DIR=said\n")
    with pytest.raises(SystemExit) as ended:
        main(["run", program])
    assert 78 == ended.value.code
    assert told in capsys.readouterr().err
    (left,) = exits.read(home / "kept" / exits.FILE_NAME)
    assert (program, 78, True) == (left.program, left.code, left.is_failure)
    (line,) = (home / "said" / "errors.log").read_text().splitlines()
    assert f"ERROR {program} is not started: " in line
    assert told in line


def test_flower_does_not_run_without_a_password(capsys: pytest.CaptureFixture[str]) -> None:
    """`standup run flower` ends with 78 and the next step, and starts nothing."""
    with pytest.raises(SystemExit) as ended:
        main(["run", "flower"])
    assert 78 == ended.value.code
    assert "STANDUP_FLOWER_PASSWORD" in capsys.readouterr().err
