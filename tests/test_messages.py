"""What becomes of meetings' messages in Discord, against a small REST server on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiohttp import web

from standup import messages
from standup.archive import Archive
from standup.messages import Fate, Message
from standup.pipeline import Stage
from standup.settings import Settings, load
from tests.empty_archives import migrated
from tests.finished_meetings import ANNABEL, NOW_MS, finished
from tests.notify.discord_rest import TOKEN, Rest, message, reply, serve

ADDRESS = "https://discord.com/channels/1/30/777"


@pytest.fixture
def rest() -> Iterator[Rest]:
    """Discord's REST interface on loopback, with the message of the meeting in it."""
    with serve() as served:
        served.messages[777] = message(777, content="Annabel Quist polished the chandelier")
        yield served


@pytest.fixture
def settings(rest: Rest, tmp_path: Path) -> Settings:
    """Settings that lead there."""
    return load(None, data_dir=tmp_path, discord_token=TOKEN, discord_api_url=rest.url)


@pytest.fixture
def archive(settings: Settings) -> Iterator[Archive]:
    """An empty archive."""
    made = migrated(Archive.of(settings))
    yield made
    made.close()


def test_a_message_is_taken_down(archive: Archive, settings: Settings, rest: Rest) -> None:
    """It is deleted; one that somebody deleted before is told apart."""
    meeting = finished(archive)
    assert messages.take_down(archive, settings, meeting) == Message(meeting, Fate.DELETED, ADDRESS)
    assert rest.messages == {}
    rest.script["DELETE"] = [reply(404, {"code": 10008, "message": "Unknown Message"})]
    assert messages.take_down(archive, settings, meeting) == Message(meeting, Fate.GONE, ADDRESS)


def test_a_message_is_revised(archive: Archive, settings: Settings, rest: Rest) -> None:
    """It says what the rows say, files included, and nobody who was taken out of them is named as silent."""
    meeting = finished(archive)
    archive.people.cut(archive.people.find(ANNABEL.id), meeting, NOW_MS)
    assert messages.revise(archive, settings, meeting, empties_thread=True) == Message(
        meeting, Fate.EDITED, ADDRESS
    )
    sent = rest.made("PATCH")[0]
    said = str(rest.messages[777]) + b"".join(sent["sent"].values()).decode()
    assert [one for one in ("Annabel", "Quist", ANNABEL.id, "chandelier") if one in said] == []
    assert all(one in said for one in ("Paint the fence", "Ben", "…"))


def test_a_message_that_was_deleted_is_not_posted_again(
    archive: Archive, settings: Settings, rest: Rest
) -> None:
    """Somebody wanted it to be gone."""
    meeting = finished(archive)
    rest.messages.clear()
    assert messages.revise(archive, settings, meeting).fate is Fate.GONE
    assert rest.messages == {}


@pytest.mark.parametrize(
    ("status", "why"), [(403, "ChannelForbidden"), (400, "NotifyError"), (401, "SettingsError")]
)
def test_what_cannot_be_reached_is_told_with_its_address(
    archive: Archive, settings: Settings, rest: Rest, status: int, why: str
) -> None:
    """Nothing is raised: the sentence says what is left where, and why."""
    meeting = finished(archive)
    answer: list[web.Response] = [reply(status, {"code": 50001, "message": "No"})]
    rest.script["DELETE"] = answer
    left = messages.take_down(archive, settings, meeting)
    assert left == Message(meeting, Fate.LEFT, ADDRESS, why)
    assert ADDRESS in left.sentence
    assert why in left.sentence


def test_a_thread_out_of_reach_keeps_no_message(archive: Archive, settings: Settings, rest: Rest) -> None:
    """The message is edited or deleted all the same, and that something is left is told with its address."""
    meeting = finished(archive)
    archive.people.cut(archive.people.find(ANNABEL.id), meeting, NOW_MS)
    refused = {"code": 50001, "message": "Missing Access"}
    rest.script["GET"] = [reply(403, refused)]
    revised = messages.revise(archive, settings, meeting, empties_thread=True)
    assert revised == Message(meeting, Fate.THREAD_LEFT, ADDRESS, "ChannelForbidden")
    assert "The thread below" in revised.sentence
    assert "chandelier" not in str(rest.messages[777])
    rest.script["GET"] = [reply(403, refused)]
    assert messages.take_down(archive, settings, meeting).fate is Fate.THREAD_LEFT
    assert rest.messages == {}


def test_a_thread_goes_before_there_are_notes(archive: Archive, settings: Settings, rest: Rest) -> None:
    """While the notes wait, the live thread says everything already; the message is left to the workers."""
    parked = finished(archive, park=Stage.SUMMARIZE)
    assert messages.revise(archive, settings, parked, empties_thread=True).fate is Fate.NONE
    login = [{}, {}]  # who we are, and our application
    assert rest.made("GET") == [*login, {}]
    assert rest.made("PATCH") == []
    rest.script["GET"] = [reply(403, {"code": 50001, "message": "Missing Access"})]
    assert messages.revise(archive, settings, parked, empties_thread=True).fate is Fate.THREAD_LEFT


def test_without_a_token_the_message_is_left(archive: Archive, tmp_path: Path) -> None:
    """No token, no call."""
    meeting = finished(archive)
    settings = load(None, data_dir=tmp_path)
    assert messages.take_down(archive, settings, meeting).why == "SettingsError"
    assert messages.keep(archive, meeting) == Message(meeting, Fate.LEFT, ADDRESS)


def test_what_was_posted_nowhere_has_no_message(archive: Archive, settings: Settings, rest: Rest) -> None:
    """An imported meeting has none; the notice of one without notes says nothing that anybody said."""
    imported = finished(archive, guild="")
    assert messages.take_down(archive, settings, imported) == Message(imported, Fate.NONE)
    assert messages.keep(archive, imported) == Message(imported, Fate.NONE)
    archive.erasure.condemn(imported, NOW_MS)
    archive.erasure.erase(imported)
    parked = finished(archive, park=Stage.SUMMARIZE)
    assert messages.revise(archive, settings, parked) == Message(parked, Fate.NONE)
    assert rest.calls == []


@pytest.mark.parametrize("fate", Fate)
def test_every_fate_is_told(fate: Fate) -> None:
    """Whatever became of a message is a sentence with the meeting's id."""
    assert Message("m1", fate, ADDRESS).sentence.startswith(
        ("The message of meeting m1", "The thread below the message of meeting m1", "Meeting m1")
    )
