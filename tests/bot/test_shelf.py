"""The recorder's own disk: manifests and journals, and what a restart finds there."""

from __future__ import annotations

import dataclasses
import json
import os
from datetime import datetime, timezone
from pathlib import Path

import pytest

from standup.archive import manifest as manifests
from standup.archive.manifest import Manifest
from standup.bot.shelf import Shelf, last_packet_at
from standup.capture.record import JournalRecord
from tests.bot.doubles import MEETING_ID, folder_of, new_meeting

SECOND_NS = 1_000_000_000


class Wakes:
    """Counts how often the dispatcher was woken."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


@pytest.fixture
def wakes() -> Wakes:
    return Wakes()


@pytest.fixture
def shelf(tmp_path: Path, wakes: Wakes) -> Shelf:
    return Shelf(tmp_path, wakes)


def record(wall_s: int) -> JournalRecord:
    return JournalRecord(5, 4001, wall_s, wall_s * 48_000, wall_s, wall_s * SECOND_NS, 0, b"\x78word")


async def test_kept_and_told(shelf: Shelf, wakes: Wakes, tmp_path: Path) -> None:
    """A stored manifest wakes the dispatcher."""
    manifest = Manifest(new_meeting(), (), "7")

    is_kept = await shelf.keep(manifest)

    assert (is_kept, wakes.count) == (True, 1)
    assert manifests.read(tmp_path, MEETING_ID) == manifest


async def test_a_disk_that_refuses(tmp_path: Path, wakes: Wakes, caplog: pytest.LogCaptureFixture) -> None:
    """A manifest that cannot be stored is an error in the log, and nothing to adopt."""
    occupied = tmp_path / "meetings"
    occupied.write_text("a file where the folder should be")

    is_kept = await Shelf(tmp_path, wakes).keep(Manifest(new_meeting()))

    assert (is_kept, wakes.count) == (False, 0)
    assert "could not be stored" in caplog.text


async def test_unreadable_manifests_do_not_hide_others(
    shelf: Shelf, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A damaged manifest is logged; the others are found."""
    good = Manifest(new_meeting())
    await shelf.keep(good)
    damaged = tmp_path / "meetings" / "20261122T095800Z-00000000"
    damaged.mkdir()
    (damaged / manifests.NAME).write_text(json.dumps({"id": "?"}))

    found = await shelf.manifests()

    assert found == (good,)
    assert len(caplog.records) == 1


async def test_last_packet(shelf: Shelf) -> None:
    """The newest arrival counts, also when the last run of the recorder heard nothing."""
    meeting = new_meeting()
    for heard_s in ((1_000, 3_000), (2_000,), ()):
        journal = await shelf.open_journal(meeting)
        for wall_s in heard_s:
            journal.append(record(wall_s))
        journal.close()

    found = await shelf.last_packet_at(meeting.id)

    assert found == datetime.fromtimestamp(2_000, timezone.utc)


@pytest.mark.parametrize(
    ("manifest_s", "segment_s"), [(2_000, 1_000), (1_000, 2_000)], ids=["manifest", "journal"]
)
async def test_last_alive(shelf: Shelf, tmp_path: Path, manifest_s: int, segment_s: int) -> None:
    """The recorder was alive when it last wrote its manifest or its journal, whichever was later."""
    meeting = new_meeting()
    (await shelf.open_journal(meeting)).close()
    await shelf.keep(Manifest(meeting))
    os.utime(folder_of(tmp_path) / manifests.NAME, (manifest_s, manifest_s))
    os.utime(folder_of(tmp_path) / "journal" / "000001.pkt", (segment_s, segment_s))

    assert await shelf.last_alive_at(meeting.id) == datetime.fromtimestamp(2_000, timezone.utc)


async def test_never_alive(shelf: Shelf) -> None:
    """Of a meeting without any file nobody knows."""
    assert await shelf.last_alive_at(MEETING_ID) is None


async def test_no_packet(shelf: Shelf, tmp_path: Path) -> None:
    """A journal that is empty or not there has no last packet."""
    journal = await shelf.open_journal(new_meeting())
    journal.close()

    assert await shelf.last_packet_at(MEETING_ID) is None
    assert last_packet_at(tmp_path / "nowhere") is None


async def test_a_meeting_that_never_began_leaves_nothing(shelf: Shelf, tmp_path: Path) -> None:
    """The empty journal of a meeting without a manifest is removed."""
    (await shelf.open_journal(new_meeting())).close()

    await shelf.discard_empty(MEETING_ID)

    assert not folder_of(tmp_path).exists()


async def test_the_manifest_of_a_meeting_that_never_began(shelf: Shelf, tmp_path: Path) -> None:
    """A manifest that is kept from the archive goes with its empty journal, and is not found again."""
    meeting = new_meeting()
    (await shelf.open_journal(meeting)).close()
    await shelf.keep(Manifest(meeting, (), "7", adopted=True))

    await shelf.discard_empty(MEETING_ID)

    assert not folder_of(tmp_path).exists()
    assert await shelf.manifests() == ()


async def test_an_ended_meeting_without_packets_stays(shelf: Shelf, tmp_path: Path) -> None:
    """What the archive has adopted is not a meeting that never began."""
    meeting = dataclasses.replace(new_meeting(), ended_at=datetime.now(timezone.utc))
    (await shelf.open_journal(meeting)).close()
    await shelf.keep(Manifest(meeting, (), "7", adopted=True))

    await shelf.discard_empty(MEETING_ID)

    assert folder_of(tmp_path).exists()


@pytest.mark.parametrize("what", ["manifest", "damaged manifest", "packet", "foreign file"])
async def test_nothing_else_is_ever_removed(shelf: Shelf, tmp_path: Path, what: str) -> None:
    """A meeting that is known or heard stays, and so does what is not ours."""
    meeting = new_meeting()
    journal = await shelf.open_journal(meeting)
    if what == "packet":
        journal.append(record(1))
    journal.close()
    if what == "manifest":
        await shelf.keep(Manifest(meeting))
    if what == "damaged manifest":
        (folder_of(tmp_path) / manifests.NAME).write_text("{")
    if what == "foreign file":
        (folder_of(tmp_path) / "notes.txt").write_text("mine")

    await shelf.discard_empty(meeting.id)

    assert folder_of(tmp_path).exists()
