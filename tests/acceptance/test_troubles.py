"""What people see when something is wrong: always a message, never a loss, never a second post."""

from __future__ import annotations

from pathlib import Path

import pytest

from standup.demo import start_logged
from standup.meeting import MeetingState
from standup.settings import environment
from standup.simulator.speech import synthesize

from .conftest import House, house, told

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

DONE_WORK = "Yesterday I fixed the search bug."


async def test_nobody_spoke_and_a_stubborn_discord(tmp_path: Path) -> None:
    """A meeting of silence says so; one whose last edit meets errors and limits has its notes in one message."""
    async with house(tmp_path) as home:
        await home.record()
        message = await home.message_with("obody")
        assert message.attachments

        await home.begin()
        await home.ana.speak(_said())
        edit = "PATCH /channels/{channel_id}/messages/{message_id}"
        home.discord.fail(edit, status=500, times=2)
        home.discord.fail(edit, status=429, times=2)
        await home.end()
        message = await home.message_with("search bug")

        assert len(home.discord.messages(home.discord.text_channel_id)) == 2
        assert message.edits > 0
        assert home.discord.violations == []


async def test_redis_is_away_while_people_talk(tmp_path: Path) -> None:
    """Redis dies during the meeting and comes back after it: the notes are posted all the same."""
    async with house(tmp_path) as home:
        await home.begin()
        home.programs["redis"].kill()
        home.programs["redis"].wait(10)
        await home.ana.speak(_said())
        await home.end()
        await home.message_with("recording has ended")
        home.programs["redis"] = start_logged("redis", home.settings, dict(environment(home.settings)))
        _start_ended_workers(home)
        await home.message_with("search bug")

        assert len(home.discord.messages(home.discord.text_channel_id)) == 1


async def test_a_missing_model_is_told_and_the_audio_stays(tmp_path: Path) -> None:
    """A model that is not there parks the meeting; its message says what to do, and the track is there."""
    async with house(tmp_path, whisper_model=str(tmp_path / "no-such-model")) as home:
        await home.record(DONE_WORK)
        message = await home.message_with("standup retry")

        meeting = home.latest()
        assert meeting.state is MeetingState.PARKED
        assert meeting.id in told(message)
        tracks = list((home.settings.data_dir / "meetings" / meeting.id / "tracks").iterdir())
        assert [track.suffix for track in tracks] == [".ogg"]
        errors = (home.settings.log_dir / "errors.log").read_text()
        assert "ModelLoadError" in errors
        assert "login" not in errors


def _said() -> list[bytes]:
    return synthesize(DONE_WORK, "slt")


def _start_ended_workers(home: House) -> None:
    """Do what supervisord does: start a worker again that ended because its broker went away."""
    variables = {**environment(home.settings), "SSL_CERT_FILE": str(home.discord.ca_file)}
    for name in ("worker-cpu", "worker-gpu"):
        if home.programs[name].poll() is not None:
            home.programs[name] = start_logged(name, home.settings, variables)
