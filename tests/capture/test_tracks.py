"""The capture stage: journals in, tracks and utterances out."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from standup.capture import ogg
from standup.capture.journal import JournalWriter
from standup.capture.opus import SILENCE, is_silence
from standup.capture.record import UNDECRYPTABLE, UNKNOWN_SPEAKER, JournalRecord
from standup.capture.segments import segments
from standup.capture.tracks import Capture, make_tracks
from standup.errors import AudioCaptureError, DiskFull, JournalUnreadable
from standup.meeting import PacketCounts, Track

ANA, BEN = 11, 22


class Meeting:
    """A meeting's folder, and what was said in it."""

    def __init__(self, folder: Path, recording: Any, clock: Any) -> None:
        self.journal, self.tracks = folder / "journal", folder / "tracks"
        self._recording, self._clock = recording, clock
        self.talk = recording.talk

    def record(self, records: list[JournalRecord] | None = None) -> None:
        """Write everything said so far, or *records*, as another run of the recorder."""
        journal = JournalWriter(self.journal, self._recording.start_wall_ns, clock=self._clock.clock)
        for record in self._recording.made if records is None else records:
            assert journal.append(record)
        journal.close()
        self._recording.made.clear()

    def capture(self) -> Capture:
        """Run the stage."""
        return make_tracks(self.journal, self.tracks)

    def files(self) -> dict[str, bytes]:
        """The files in the tracks' folder."""
        return {path.name: path.read_bytes() for path in sorted(self.tracks.iterdir())}


@pytest.fixture
def meeting(tmp_path: Path, recording: Any, clock: Any) -> Meeting:
    """An empty meeting."""
    return Meeting(tmp_path, recording, clock)


def test_an_empty_journal(meeting: Meeting) -> None:
    """A meeting without a packet has no tracks and no utterances."""
    meeting.record()

    assert meeting.capture() == Capture()
    assert not meeting.tracks.exists()


def test_one_track_per_speaker(meeting: Meeting) -> None:
    """Each speaker has a file of their own, with the counts and times that go with it."""
    meeting.talk(ANA, 1000, 50)
    meeting.talk(BEN, 3000, 100, sequence=65_500, timestamp=2**32 - 960)
    meeting.record()
    captured = meeting.capture()

    assert captured.tracks == (
        Track("11", "tracks/11.ogg", 2000, 1000, PacketCounts(received=50)),
        Track("22", "tracks/22.ogg", 5000, 2000, PacketCounts(received=100)),
    )
    assert list(meeting.files()) == ["11.ogg", "22.ogg"]


def test_utterances_run_over_the_meeting(meeting: Meeting) -> None:
    """Utterances of all speakers are numbered by time."""
    meeting.talk(ANA, 1000, 50)
    meeting.talk(ANA, 5000, 50, sequence=50, timestamp=960 * 50)
    meeting.talk(BEN, 3000, 50)
    meeting.record()

    assert [(one.id, one.speaker, one.start_ms, one.end_ms) for one in meeting.capture().utterances] == [
        ("u0001", "11", 1000, 2000),
        ("u0002", "22", 3000, 4000),
        ("u0003", "11", 5000, 6000),
    ]


def test_a_track_holds_the_packets_at_their_times(meeting: Meeting) -> None:
    """What is in the file are the recorded packets, unchanged, on the meeting clock."""
    said = meeting.talk(ANA, 1000, 3)
    meeting.record()
    meeting.capture()
    loud = [one for one in ogg.parse(meeting.files()["11.ogg"]) if not is_silence(one.payload)]

    assert [one.start_samples for one in loud] == [48_000, 48_960, 49_920]
    assert [one.payload for one in loud] == [record.payload for record in said]


def test_a_long_meeting_over_many_segments(meeting: Meeting) -> None:
    """A track goes on through all segments and runs of the recorder."""
    for run in range(4):
        meeting.talk(ANA, 2000 * run, 100, sequence=100 * run, timestamp=96_000 * run)
        meeting.record()
    (track,) = meeting.capture().tracks

    assert len(segments(meeting.journal)) == 4
    assert (track.duration_ms, track.counts) == (8000, PacketCounts(received=400))


def test_running_twice_changes_nothing(meeting: Meeting) -> None:
    """The stage is idempotent to the byte, and leaves nothing else behind."""
    meeting.talk(ANA, 1000, 50)
    meeting.talk(BEN, 1500, 50)
    meeting.record()
    first = (meeting.capture(), meeting.files())

    assert (meeting.capture(), meeting.files()) == first
    assert list(first[1]) == ["11.ogg", "22.ogg"]


def test_what_was_added_is_taken_in(meeting: Meeting) -> None:
    """Run again after more was said, the stage replaces the track by the longer one."""
    meeting.talk(ANA, 1000, 50)
    meeting.record()
    meeting.capture()
    meeting.talk(ANA, 3000, 50, sequence=50, timestamp=960 * 50)
    meeting.record()

    assert meeting.capture().tracks[0].duration_ms == 4000


def test_a_track_is_never_replaced_by_less(meeting: Meeting) -> None:
    """When journal segments are gone, the good track stays, and the error says what to do."""
    meeting.talk(ANA, 1000, 50)
    meeting.record()
    meeting.talk(ANA, 3000, 50, sequence=50, timestamp=960 * 50)
    meeting.record()
    meeting.capture()
    before = meeting.files()
    (meeting.journal / "000002.pkt").unlink()

    with pytest.raises(AudioCaptureError, match=r"holds 100 packets of speech, the journal only 50.*Restore"):
        meeting.capture()
    assert meeting.files() == before


def test_a_damaged_track_is_made_anew(meeting: Meeting) -> None:
    """A track file that is damaged is replaced, whatever its size."""
    meeting.talk(ANA, 1000, 50)
    meeting.record()
    meeting.capture()
    good = meeting.files()
    (meeting.tracks / "11.ogg").write_bytes(bytes(1_000_000))
    meeting.capture()

    assert meeting.files() == good


def test_only_undecryptable_packets(meeting: Meeting) -> None:
    """Somebody whose packets could not be decrypted appears, without speech, so that the notes can say so."""
    meeting.talk(ANA, 1000, 20, flags=UNDECRYPTABLE)
    meeting.record()
    captured = meeting.capture()

    assert captured == Capture((Track("11", "tracks/11.ogg", 0, 0, PacketCounts(undecryptable=20)),))
    assert [one.payload for one in ogg.parse(meeting.files()["11.ogg"])] == [SILENCE]


def test_packets_of_unknown_speakers_are_told(meeting: Meeting) -> None:
    """Packets whose sender was never found are a number of the meeting and nobody's track."""
    meeting.talk(ANA, 1000, 5)
    meeting.talk(UNKNOWN_SPEAKER, 1000, 7, flags=UNDECRYPTABLE)
    meeting.record()
    captured = meeting.capture()

    assert captured.unattributed == 7
    assert [one.speaker for one in captured.tracks] == [str(ANA)]
    assert list(meeting.files()) == [f"{ANA}.ogg"]


def test_only_unknown_speakers(meeting: Meeting) -> None:
    """A meeting of which nobody was found has no tracks, and says how much was heard of whom nobody knows."""
    meeting.talk(UNKNOWN_SPEAKER, 1000, 7, flags=UNDECRYPTABLE)
    meeting.record()

    assert meeting.capture() == Capture(unattributed=7)


def test_a_long_loss_is_told(meeting: Meeting) -> None:
    """Half a minute of somebody's talk that never came is in their counts."""
    meeting.talk(ANA, 1000, 50)
    meeting.talk(ANA, 32_000, 50, sequence=1550, timestamp=960 * 1550)
    meeting.record()

    assert meeting.capture().tracks[0].counts == PacketCounts(received=100, lost=1500)


def test_a_payload_that_is_not_opus_is_not_audio(meeting: Meeting) -> None:
    """A decrypted payload without the shape of Opus is counted as undecryptable and never in the track."""
    said = meeting.talk(ANA, 1000, 3)
    bad = JournalRecord(
        ANA, 1011, 3, 2880, said[-1].monotonic_ns + 20_000_000, said[-1].wall_ns, 0, b"\xfb\x3f"
    )
    meeting.record([*said, bad])
    (track,) = meeting.capture().tracks

    assert track.counts == PacketCounts(received=3, undecryptable=1)


def test_a_torn_journal_is_captured_and_told(meeting: Meeting) -> None:
    """A torn record and a damaged one cost themselves and are counted."""
    meeting.talk(ANA, 1000, 50)
    meeting.record()
    path = meeting.journal / "000001.pkt"
    data = bytearray(path.read_bytes()[:-5])
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    captured = meeting.capture()

    assert (captured.torn_records, captured.corrupt_records, captured.missing_segments) == (1, 1, 0)
    assert captured.tracks[0].counts == PacketCounts(received=48, lost=1)


def test_a_missing_segment_is_told(meeting: Meeting) -> None:
    """A gap in the segments' numbers is part of the result."""
    for run in range(3):
        meeting.talk(ANA, 2000 * run, 10, sequence=10 * run, timestamp=9600 * run)
        meeting.record()
    (meeting.journal / "000002.pkt").unlink()

    assert meeting.capture().missing_segments == 1


def test_an_unreadable_journal_makes_nothing(meeting: Meeting) -> None:
    """A foreign file among the segments stops the stage before anything is written."""
    meeting.talk(ANA, 1000, 5)
    meeting.record()
    (meeting.journal / "000002.pkt").write_bytes(b"something else")

    with pytest.raises(JournalUnreadable, match=r"000002\.pkt"):
        meeting.capture()
    assert not meeting.tracks.exists()


def test_an_unwritable_folder_is_named(meeting: Meeting) -> None:
    """Where no folder can be made, the error names the track and the next step."""
    meeting.talk(ANA, 1000, 5)
    meeting.record()
    meeting.tracks.write_bytes(b"a file in the way")

    with pytest.raises(AudioCaptureError, match=r"11\.ogg could not be written .*check the disk"):
        meeting.capture()


FILL = """
import errno, resource, sys
from pathlib import Path
from standup.capture.tracks import make_tracks
from standup.errors import DiskFull
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
try:
    make_tracks(Path(sys.argv[1]), Path(sys.argv[2]))
except DiskFull as full:
    print(full)
    sys.exit(full.exit_status)
"""


@pytest.mark.integration
def test_a_full_disk_is_told_and_leaves_nothing(meeting: Meeting) -> None:
    """When the system refuses to take the file, DiskFull says so, and no half track is left."""
    meeting.talk(ANA, 1000, 500)
    meeting.record()
    told = subprocess.run(
        [sys.executable, "-c", FILL, str(meeting.journal), str(meeting.tracks)],
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (told.returncode, meeting.files()) == (DiskFull.exit_status, {}), told.stderr
    assert "The disk is full" in told.stdout


KILLED = """
import os, signal, sys
from pathlib import Path
from standup.capture import ogg, tracks
serialize = ogg.serialize
def die_on_the_third_page(packets, serial):
    for number, page in enumerate(serialize(packets, serial)):
        if number == 3:
            os.kill(os.getpid(), signal.SIGKILL)
        yield page
ogg.serialize = die_on_the_third_page
tracks.make_tracks(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.mark.integration
def test_kill_9_leaves_no_half_track(meeting: Meeting) -> None:
    """A worker killed while writing leaves no file under a track's name, and the next run makes it."""
    meeting.talk(ANA, 1000, 500)
    meeting.record()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(meeting.journal), str(meeting.tracks)], timeout=60, check=False
    )
    left = [name for name in meeting.files() if name.endswith(".ogg")]
    meeting.capture()

    assert (killed.returncode, left) == (-signal.SIGKILL, [])
    assert len([one for one in ogg.parse(meeting.files()["11.ogg"]) if not is_silence(one.payload)]) == 500


@pytest.mark.integration
@pytest.mark.no_cover
def test_an_hour_stays_small(meeting: Meeting) -> None:
    """An hour of two people talking without pause takes the stage less than 400 MiB."""
    for user in (ANA, BEN):
        for minute in range(60):
            meeting.talk(user, 60_000 * minute, 3000, sequence=3000 * minute, timestamp=2_880_000 * minute)
            meeting.record()
    received, peak_mib = _capture_elsewhere(meeting)

    assert received == "[180000, 180000]"
    assert peak_mib < 400


@pytest.mark.integration
@pytest.mark.no_cover
def test_many_speakers_take_little_more_than_one(meeting: Meeting) -> None:
    """A quarter of an hour of eight people who all talk takes the stage less than 90 MiB: one timeline at a time."""
    people = range(11, 19)
    for user in people:
        meeting.talk(user, 0, 45_000)
        meeting.record()
    received, peak_mib = _capture_elsewhere(meeting)

    assert received == str([45_000] * len(people))
    assert peak_mib < 90


# Not ru_maxrss: that begins with what the parent had when it forked.
MEASURED = """
import sys
from pathlib import Path
from standup.capture.tracks import make_tracks
made = make_tracks(Path(sys.argv[1]), Path(sys.argv[2]))
status = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
print([one.counts.received for one in made.tracks], status["VmHWM"].split()[0])
"""


def _capture_elsewhere(meeting: Meeting) -> tuple[str, float]:
    """Run the stage in a process of its own; return how much was received of each, and the peak of its memory."""
    told = subprocess.run(
        [sys.executable, "-c", MEASURED, str(meeting.journal), str(meeting.tracks)],
        # Unmeasured: counting covered lines would cost more than the stage itself.
        env={name: value for name, value in os.environ.items() if not name.startswith("COV")},
        capture_output=True,
        text=True,
        timeout=110,
        check=True,
    )
    received, _, peak_kib = told.stdout.strip().rpartition(" ")
    return received, int(peak_kib) / 1024
