"""`standup delete` and `standup forget`, as a user types them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from standup.archive import Archive, Manifest, manifest
from standup.draft import FOLDER
from standup.meeting import Meeting
from standup.settings import load
from tests.cli.typed import refuse, run
from tests.finished_meetings import ANNABEL, BEN, files_of, finished
from tests.notify.discord_rest import TOKEN, Rest, message, serve

ADDRESS = "https://discord.com/channels/1/30/777"


@pytest.fixture
def archive(home: Path) -> Iterator[Archive]:
    """The archive of that folder."""
    made = Archive.of(load())
    yield made
    made.close()


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rest]:
    """A Discord with the meetings' message, that the settings lead to."""
    with serve() as served:
        served.messages[777] = message(777)
        monkeypatch.setenv("STANDUP_DISCORD_TOKEN", TOKEN)
        monkeypatch.setenv("STANDUP_DISCORD_API_URL", served.url)
        yield served


def test_a_meeting_is_deleted_everywhere(home: Path, archive: Archive, rest: Rest) -> None:
    """Rows, files and the message are gone, and the command says so."""
    meeting = finished(archive, files=home / "data")
    told = run("delete", meeting, "--yes")
    assert f"Meeting {meeting} is deleted" in told
    assert "in Discord is deleted" in told
    assert (archive.meetings(), rest.messages) == ((), {})
    assert not manifest.meeting_folder(home / "data", meeting).exists()


def test_the_message_may_be_kept(home: Path, archive: Archive, rest: Rest) -> None:
    """With the option nothing is asked of Discord, and its address is told."""
    assert ADDRESS in run("delete", finished(archive), "--yes", "--keep-message")
    assert (archive.meetings(), rest.calls) == ((), [])


def test_a_message_out_of_reach_keeps_nothing_else(home: Path, archive: Archive) -> None:
    """Without a token the meeting is deleted all the same, and what is left is told."""
    told = run("delete", finished(archive), "--yes")
    assert ADDRESS in told
    assert "SettingsError" in told
    assert archive.meetings() == ()


def test_nobody_to_ask_deletes_nothing(
    home: Path, archive: Archive, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal both commands want --yes."""
    meeting = finished(archive, files=home / "data")
    before = files_of(home / "data", meeting)
    for argv in (("delete", meeting), ("forget", ANNABEL.id)):
        code, told = refuse(capsys, *argv)
        assert (code, "--yes" in told) == (1, True)
    assert [one.id for one in archive.meetings()] == [meeting]
    assert files_of(home / "data", meeting) == before


def test_what_is_being_recorded_is_not_deleted(
    home: Path, archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    """A meeting in Discord, also one that the archive does not know yet, ends with 75 and the next step."""
    running = Meeting("20261123T095800Z-1f0c9a2b", "1", "2", "30", datetime.now(timezone.utc))
    manifest.write(home / "data", Manifest(running, (ANNABEL,)))
    code, told = refuse(capsys, "delete", running.id, "--yes")
    assert (code, "/standup stop" in told) == (75, True)
    assert files_of(home / "data", running.id) == {"meeting.json"}


def test_a_microphone_that_records_is_not_deleted(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A draft is no meeting yet; it is refused as one that is being recorded."""
    name = "20261123T095800Z-1f0c9a2b"
    manifest.meeting_folder(home / "data" / FOLDER, name).mkdir(parents=True)
    code, told = refuse(capsys, "delete", name, "--yes")
    assert (code, "Ctrl-C" in told) == (75, True)


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        pytest.param(("delete", "20200101T000000Z-00000000", "--yes"), "standup list", id="no such meeting"),
        pytest.param(("delete", "../../etc", "--yes"), "standup list", id="no id at all"),
        pytest.param(("forget", "Zoe", "--yes"), "standup show", id="nobody"),
    ],
)
def test_what_is_not_there_ends_with_66(
    home: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], told: str
) -> None:
    """The sentence says where to look, and repeats no name."""
    code, said = refuse(capsys, *argv)
    assert (code, told in said, "Zoe" in said) == (66, True, False)


def test_somebody_is_forgotten_and_told_as_json(home: Path, archive: Archive, rest: Rest) -> None:
    """A script reads what was taken from which meeting, and what became of the messages."""
    meeting = finished(archive, files=home / "data")
    told = run("forget", ANNABEL.name, "--yes", "--json")
    assert json.loads(told) == {
        "meetings": [{"id": meeting, "utterances": 1, "items": 3, "mentions": 1, "speech_ms": 900}],
        "messages": [{"meeting": meeting, "fate": "edited", "address": ADDRESS}],
        "waiting": [],
    }
    assert files_of(home / "data", meeting) == {f"tracks/{BEN.id}.ogg"}
    assert [one.id for one in archive.transcript(meeting).participants] == [BEN.id]


def test_the_table_tells_the_same(home: Path, archive: Archive) -> None:
    """People read a line for each meeting, and what is left in Discord."""
    meeting = finished(archive)
    told = run("forget", ANNABEL.id, "--yes", "--keep-messages")
    (line,) = [one for one in told.splitlines() if one.strip().startswith(meeting)]
    assert line.split() == [meeting, "1", "3", "1", "0:00", "left"]
    assert ADDRESS in told


def test_looking_first_changes_nothing(home: Path, archive: Archive, rest: Rest) -> None:
    """`--dry-run` asks nobody, shows the same numbers and leaves everything."""
    meeting = finished(archive, files=home / "data")
    before = files_of(home / "data", meeting)
    seen = json.loads(run("forget", ANNABEL.id, "--dry-run", "--json"))
    assert (seen["meetings"][0]["utterances"], seen["messages"]) == (1, [])
    assert archive.people.find(ANNABEL.id)
    assert (files_of(home / "data", meeting), rest.calls) == (before, [])


def test_what_must_wait_ends_with_75(
    home: Path, archive: Archive, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other meetings are done, and the sentence says that the same command takes up the rest."""
    done = finished(archive)
    running = Meeting("20261201T095800Z-00000000", "1", "2", "30", datetime.now(timezone.utc))
    archive.adopt(Manifest(running, (ANNABEL,)))
    code, told = refuse(capsys, "forget", ANNABEL.id, "--yes")
    assert (code, running.id in told, "same command" in told) == (75, True, True)
    assert ANNABEL.id not in [one.id for one in archive.transcript(done).participants]
