"""The command line: what it prints, what it refuses, and its exit statuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from typer.main import get_command

from standup.archive import Archive, Claim, Manifest
from standup.cli import COMMANDS, application, main
from standup.meeting import Gap, Meeting, PacketCounts, Participant, Track
from standup.pipeline import Park, Stage
from standup.settings import load
from standup.simulator.console import HELP
from standup.summary import Item, Kind, Summary
from standup.template import RETROSPECTIVE
from standup.transcript import Utterance
from standup.work import now_ms
from tests.cli.typed import refuse, run

START = datetime(2026, 11, 23, 9, 58, tzinfo=timezone.utc)
MEETING = "20261123T095800Z-1f0c9a2b"


@pytest.fixture
def held(home: Path) -> Archive:
    """One meeting that was captured, transcribed and summarized."""
    archive = Archive.of(load())
    meeting = Meeting(
        MEETING, "1", "2", "3", START, START + timedelta(minutes=1), gaps=(Gap(0, 9_000),), unsighted_people=2
    )
    archive.adopt(Manifest(meeting, (Participant("11", "Ana"),), "777"))
    said = Utterance("u0001", "11", 1_000, 4_000)
    track = Track("11", "tracks/11.ogg", 60_000, 3_000, PacketCounts(150))
    archive.store_capture(claim(archive, Stage.CAPTURE), [track], [said], now_ms())
    archive.store_transcription(
        claim(archive, Stage.TRANSCRIBE), [said.heard("I fixed it.")], "tiny.en", now_ms()
    )
    notes = Summary((Item(Kind.DONE, "Fixed it", ("u0001",), "11"),), "rules")
    archive.store_summary(claim(archive, Stage.SUMMARIZE), notes, now_ms())
    return archive


def claim(archive: Archive, stage: Stage) -> Claim:
    found = archive.claim(MEETING, stage, now_ms())
    assert isinstance(found, Claim)
    return found


def test_every_command_teaches() -> None:
    """`--help` of each command has a sentence on what it does."""
    commands = get_command(application()).commands  # type: ignore[attr-defined]
    overview = run("--help")
    assert all(name in overview for name in commands)
    for name, command in commands.items():
        assert command.help
        assert len(run(name, "--help").split()) > 20


def test_simulate_tells_what_its_console_obeys() -> None:
    """What `standup simulate --help` names as commands are those of the console's own help, and `help` itself."""
    simulate = get_command(application("trial")).commands["simulate"]  # type: ignore[attr-defined]
    told = re.sub(r"\([^)]*\)", "", simulate.help.partition("is a command:")[2])
    listed = " ".join(line.partition("  ")[0] for line in HELP.splitlines())
    assert set(re.findall(r"[a-z]+", told)) == {*re.findall(r"[a-z]+", listed), "help"}


@pytest.mark.parametrize("module", COMMANDS)
def test_a_module_has_the_commands_that_it_is_loaded_for(module: str) -> None:
    """The table of commands, by which one is found without loading the others, is that of the modules."""
    assert tuple(get_command(application(module)).commands) == COMMANDS[module]


def test_a_launcher_loads_no_more_than_it_needs() -> None:
    """`standup run`, which eight programs begin with, loads no database, broker, Discord or numbers."""
    heavy = "{'sqlalchemy', 'celery', 'kombu', 'discord', 'aiohttp', 'numpy', 'alembic'}"
    code = f"import sys, standup.cli as cli; cli.application('operation'); print({heavy} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "set()\n"


def test_an_empty_archive_says_what_to_do(home: Path) -> None:
    """Without meetings the list names the first step."""
    assert "/standup start" in run("list")


def test_list_shows_meetings(held: Archive) -> None:
    """The list has the id, the length and the state."""
    shown = run("list")
    assert MEETING in shown
    assert "1:00" in shown
    assert "processing" in shown


def test_list_as_json(held: Archive) -> None:
    """Scripts get the same as JSON."""
    assert [one["id"] for one in json.loads(run("list", "--json"))] == [MEETING]


def test_show_has_notes_transcript_and_files(held: Archive) -> None:
    """A meeting is shown with what was noted, who said what when, and where its files lie."""
    shown = run("show", MEETING)
    assert all(word in shown for word in ("Fixed it", "I fixed it.", "Ana", "0:01", "tracks/11.ogg"))


def test_show_tells_what_was_not_recorded(held: Archive) -> None:
    """What nobody heard, and how many people were not recorded, is shown with the notes and in the JSON form."""
    shown, document = run("show", MEETING), json.loads(run("show", MEETING, "--json"))
    assert "Not heard: 0:00 to 0:09." in shown
    assert "Not recorded: 2 people" in shown
    assert document["unsighted_people"] == 2


def test_show_in_the_servers_template_or_another(held: Archive) -> None:
    """Notes are shown as they were posted, unless another template is asked for."""
    held.guilds.keep_template("1", RETROSPECTIVE)
    assert "What was done" in run("show", MEETING)
    assert "Done" in run("show", MEETING, "--template", "standup")


def test_show_as_json_has_the_counts(held: Archive) -> None:
    """The JSON form has tracks with their packet counts, stages and both documents."""
    shown = json.loads(run("show", MEETING, "--json"))
    assert shown["tracks"][0]["received"] == 150
    assert [one["state"] for one in shown["stages"]] == ["done", "done", "done", "todo"]
    assert shown["summary"]["items"][0]["evidence"] == ["u0001"]


@pytest.mark.parametrize(
    ("form", "expected"),
    [("md", "I fixed it."), ("vtt", "WEBVTT"), ("srt", "00:00:01,000"), ("json", '"start_ms": 1000')],
)
def test_export(held: Archive, form: str, expected: str) -> None:
    """Each format is written to stdout."""
    assert expected in run("export", MEETING, "--format", form)


def test_export_to_a_file(held: Archive, home: Path) -> None:
    """`-o` writes a file and prints nothing."""
    assert run("export", MEETING, "-o", "out.md") == ""
    assert "I fixed it." in (home / "out.md").read_text()


def test_retry_opens_the_parked_stage(held: Archive) -> None:
    """A parked meeting starts again where it gave up."""
    held.fail(claim(held, Stage.NOTIFY), Park(), "SettingsError: …", now_ms())
    assert "starts again from notify" in run("retry", MEETING)


def test_init_writes_a_private_file(home: Path) -> None:
    """`.env` holds the token and is readable by its owner alone."""
    run("init", "--token", "abc.def.ghi")
    assert (home / ".env").stat().st_mode & 0o777 == 0o600
    assert load().discord.require_token() == "abc.def.ghi"


@pytest.mark.parametrize(
    ("argv", "status", "told"),
    [
        pytest.param(("show", "20200101T000000Z-00000000"), 66, "standup list", id="no such meeting"),
        pytest.param(("show", "../../etc/passwd"), 66, "standup list", id="no id at all"),
        pytest.param(("retry", "x"), 66, "standup list", id="retry of nothing"),
        pytest.param(("import", "missing.wav"), 65, "nothing was imported", id="a file that is not there"),
        pytest.param(("import", "a=x.wav", "a=y.wav"), 65, "NAME=FILE", id="two files for one speaker"),
        pytest.param(("init", "--token", "two words"), 78, "not a bot token", id="no token"),
    ],
)
def test_refusals(
    home: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], status: int, told: str
) -> None:
    """What cannot be done is one sentence with the next step, and the documented exit status."""
    code, said = refuse(capsys, *argv)
    assert (code, said.count("✗")) == (status, 1)
    assert told in said


def test_init_leaves_an_existing_file_alone(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A second `init` does not overwrite a token."""
    (home / ".env").write_text("STANDUP_DISCORD_TOKEN=kept\n")
    code, told = refuse(capsys, "init", "--token", "other")
    assert (code, "--force" in told) == (78, True)
    assert "kept" in (home / ".env").read_text()


def test_a_running_meeting_is_not_retried(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A meeting that is still recorded has nothing to retry."""
    archive = Archive.of(load())
    archive.adopt(Manifest(Meeting(MEETING, "1", "2", "3", START)))
    code, told = refuse(capsys, "retry", MEETING)
    assert (code, "/standup stop" in told) == (1, True)


def test_wrong_settings_end_with_78(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A setting that is wrong is named, whatever the command."""
    monkeypatch.setenv("STANDUP_LANGUAGE", "klingon")
    code, told = refuse(capsys, "list")
    assert (code, "STANDUP_LANGUAGE" in told) == (78, True)


def test_wrong_usage_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    """An option nobody knows is a usage error."""
    with pytest.raises(SystemExit) as ended:
        main(["list", "--nonsense"])
    assert ended.value.code == 2
