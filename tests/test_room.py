"""People in one room, from frames to a meeting on disk; PortAudio is the test's own."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from threading import Event

import pytest

from standup import draft
from standup.archive import Archive, manifest
from standup.bot.shelf import JOURNAL
from standup.capture import microphone
from standup.capture.journal import read
from standup.capture.microphone import Microphones
from standup.errors import AudioCaptureError
from standup.meeting import Meeting
from standup.pipeline import Stage
from standup.room import Reading, Recording, hand_over, open_up, peak
from tests.fake_sound import SILENT_PCM, FakeSound

MEETING = "20261123T095800Z-1f0c9a2b"


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(microphone, "PAUSE_S", 0.0)
    # These streams deliver when the test says so; a busy machine must not look like a lost microphone.
    monkeypatch.setattr(microphone, "QUIET_S", 60.0)


@pytest.fixture
def sound() -> FakeSound:
    return FakeSound()


def record(
    folder: Path, sound: FakeSound, act: Callable[[int, Event], None], people: tuple[str, ...] = ("Ana",)
) -> Meeting:
    """Record until *act*, which is told the number of each reading from 1 on, sets the event."""
    opened = Microphones([str(one) for one in range(len(people))], sound, restart=sound.restart_server)
    open_up(opened)
    meeting = Meeting(MEETING, "", "", "", datetime.now(timezone.utc))
    recording = Recording(folder, meeting, people, opened)
    stop = Event()
    rounds: list[Reading] = []

    def tell(reading: Reading) -> None:
        rounds.append(reading)
        act(len(rounds), stop)

    return recording.run(stop, 30_000, tell)


def test_frames_become_packets_of_their_speaker(tmp_path: Path, sound: FakeSound) -> None:
    """Each microphone is a participant; its frames stand in the journal under the participant's number."""

    def act(number: int, stop: Event) -> None:
        if number == 1:
            sound.streams[0].deliver()
            sound.streams[1].deliver()
            sound.streams[1].deliver()
        elif number == 3:
            stop.set()

    record(tmp_path, sound, act, ("Ana", "Ben"))
    journal = read(manifest.meeting_folder(tmp_path, MEETING) / JOURNAL)
    assert [one.record.user_id for one in journal.records()] == [2, 1, 2]
    assert [(one.id, one.name) for one in manifest.read(tmp_path, MEETING).participants] == [
        ("1", "Ana"),
        ("2", "Ben"),
    ]


def test_an_outage_is_a_gap(tmp_path: Path, sound: FakeSound) -> None:
    """A microphone that stops and comes back leaves one gap, in the manifest too."""

    def act(number: int, stop: Event) -> None:
        if number == 1:
            sound.streams[0].finish()
            sound.refusals = 2
        elif len(sound.streams) == 2 and number > 5:
            stop.set()

    meeting = record(tmp_path, sound, act)
    assert sound.done.count("restart") == 3
    assert len(meeting.gaps) == 1
    assert manifest.read(tmp_path, MEETING).meeting.gaps == meeting.gaps


def test_after_three_tries_it_is_over_and_kept(tmp_path: Path, sound: FakeSound) -> None:
    """Lost for good: AudioCaptureError with the next step; the meeting has ended, with its gap."""

    def act(number: int, stop: Event) -> None:
        if number == 1:
            sound.streams[0].finish()
            sound.refusals = 9

    with pytest.raises(AudioCaptureError, match=rf"{MEETING}.*3 tries.*standup record --list"):
        record(tmp_path, sound, act)
    assert sound.done.count("restart") == 3
    kept = manifest.read(tmp_path, MEETING).meeting
    assert kept.ended_at is not None
    assert len(kept.gaps) == 1


def test_stopping_ends_an_outage(tmp_path: Path, sound: FakeSound) -> None:
    """Whoever stops while the microphones are lost gets the meeting, not an error."""

    def act(number: int, stop: Event) -> None:
        if number == 1:
            sound.streams[0].finish()
        else:
            stop.set()

    assert record(tmp_path, sound, act).ended_at is not None
    assert "restart" not in sound.done


def test_nothing_is_made_when_no_microphone_opens(tmp_path: Path, sound: FakeSound) -> None:
    """One opening and three tries; then a sentence that says that nothing was recorded."""
    sound.refusals = 9
    with pytest.raises(AudioCaptureError, match="Nothing was recorded"):
        record(tmp_path, sound, lambda number, stop: None)
    assert sound.done.count("open") == 4
    assert list(tmp_path.iterdir()) == []


def test_a_handed_over_recording_waits_for_its_capture(tmp_path: Path, sound: FakeSound) -> None:
    """The archive has the meeting and its rows; handing over twice changes nothing."""
    record(tmp_path, sound, lambda number, stop: stop.set())
    archive = Archive(f"sqlite:///{tmp_path / 'standup.sqlite3'}", str(tmp_path))
    hand_over(archive, tmp_path)
    hand_over(archive, tmp_path)
    assert [one.stage for one in archive.statuses(MEETING)] == list(Stage)
    assert archive.meeting(MEETING).text_channel_id == ""
    archive.close()


def test_no_draft_is_left(tmp_path: Path, sound: FakeSound) -> None:
    """What has ended is nothing for `rescue`."""
    record(tmp_path, sound, lambda number, stop: stop.set())
    assert draft.rescue(tmp_path) == ()


@pytest.mark.parametrize(
    ("samples", "expected"),
    [([], 0.0), ([0, 0], 0.0), ([5, -16384], 0.5), ([16384, -5], 0.5), ([-32768], 1.0)],
)
def test_peak(samples: list[int], expected: float) -> None:
    """The loudest sample counts, whatever its sign."""
    assert peak(array("h", samples).tobytes()) == expected


def test_silence_has_no_peak() -> None:
    """A silent frame shows an empty meter."""
    assert peak(SILENT_PCM) == 0.0
