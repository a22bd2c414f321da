"""Microphones that deliver, stop, and are opened again."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest

from standup.capture import microphone
from standup.capture.devices import MicrophoneLost
from standup.capture.microphone import Microphones, Patience
from standup.capture.segments import Clock
from standup.errors import InputRefused
from tests.fake_sound import SILENT_PCM, FakeSound

SECOND_NS = 1_000_000_000


class Hand:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_ns = 100 * SECOND_NS
        self.clock = Clock(lambda: self.now_ns, lambda: self.now_ns)


@pytest.fixture
def sound() -> FakeSound:
    return FakeSound()


@pytest.fixture
def hand() -> Hand:
    return Hand()


def microphones(
    sound: FakeSound, hand: Hand, wanted: Sequence[str | None] = (None,), open_s: float = 5.0
) -> Microphones:
    return Microphones(wanted, sound, restart=sound.restart_server, clock=hand.clock, open_s=open_s)


def test_frames_say_whose_they_are_and_when_they_came(sound: FakeSound, hand: Hand) -> None:
    """A frame holds its microphone, its opening, its arrival on both clocks and the sound."""
    opened = microphones(sound, hand, ["0", "1"])
    opened.open()
    opened.drain()
    sound.streams[1].deliver(b"\1" * 1920)
    frame = opened.read()
    assert frame is not None
    assert (frame.microphone, frame.opening, frame.monotonic_ns) == (1, 1, hand.now_ns)
    assert frame.pcm == b"\1" * 1920


def test_nothing_yet_is_none(sound: FakeSound, hand: Hand) -> None:
    """A short wait without sound is no loss."""
    opened = microphones(sound, hand)
    opened.open()
    opened.drain()
    hand.now_ns += SECOND_NS
    assert opened.read() is None


def test_two_seconds_without_sound_are_a_loss(sound: FakeSound, hand: Hand) -> None:
    """One of two microphones that delivers nothing for 2 s is lost, while the other goes on."""
    opened = microphones(sound, hand, ["0", "1"])
    opened.open()
    hand.now_ns += 2 * SECOND_NS + 1
    sound.streams[0].deliver()
    with pytest.raises(MicrophoneLost, match="Microphone 2"):
        opened.read()


def test_a_stream_that_ends_is_lost_at_once(sound: FakeSound, hand: Hand) -> None:
    """PortAudio's word that a stream has ended is not waited out, and what came before it is not lost."""
    opened = microphones(sound, hand)
    opened.open()
    sound.streams[0].finish()
    with pytest.raises(MicrophoneLost):
        opened.read()
    assert [one.pcm for one in opened.drain()] == [SILENT_PCM]


def test_reopening_restarts_everything_in_order(sound: FakeSound, hand: Hand) -> None:
    """Close, restart the sound server, have PortAudio begin anew, open."""
    opened = microphones(sound, hand)
    opened.open()
    sound.done.clear()
    opened.reopen()
    assert sound.done == ["close", "restart", "terminate", "initialize", "open", "start"]


def test_a_microphone_keeps_its_identity_when_numbers_move(sound: FakeSound, hand: Hand) -> None:
    """After a restart the same microphone is opened under whatever number it has then."""
    opened = microphones(sound, hand, ["headset"])
    opened.open()
    sound.names = ["USB Headset", "Webcam headset", "Built-in"]
    opened.reopen()
    assert [one.device for one in sound.streams] == [1, 0]


@pytest.mark.parametrize(
    "names", [pytest.param([], id="none at all"), pytest.param(["Webcam"], id="another")]
)
def test_a_microphone_that_is_gone_stays_lost(sound: FakeSound, hand: Hand, names: list[str]) -> None:
    """Reopening fails while the microphone is not among the sound system's."""
    opened = microphones(sound, hand, ["Built-in"])
    opened.open()
    sound.names = names
    with pytest.raises(MicrophoneLost):
        opened.reopen()


def test_an_error_of_portaudio_is_a_loss(sound: FakeSound, hand: Hand) -> None:
    """A microphone that another program holds cannot be opened."""
    sound.refusals = 1
    with pytest.raises(MicrophoneLost, match="cannot be opened"):
        microphones(sound, hand).open()


def test_an_open_stream_that_delivers_nothing_is_a_loss(sound: FakeSound, hand: Hand) -> None:
    """Opening means that sound comes; the silent stream is closed."""
    sound.delivers = False
    with pytest.raises(MicrophoneLost, match="delivers nothing"):
        microphones(sound, hand, open_s=0.02).open()
    assert sound.done[-1] == "close"


@pytest.mark.parametrize("wanted", [["nosuch"], ["0", "built"]], ids=["unknown", "twice"])
def test_a_wrong_name_is_refused_and_not_tried_again(sound: FakeSound, hand: Hand, wanted: list[str]) -> None:
    """A name that is wrong is the caller's mistake: no sound server is restarted for it."""
    with pytest.raises(InputRefused):
        microphones(sound, hand, wanted).open()
    assert "restart" not in sound.done


def test_overflows_are_counted_across_openings(sound: FakeSound, hand: Hand) -> None:
    """Sound that PortAudio had to drop is counted, also after the stream was replaced."""
    opened = microphones(sound, hand)
    opened.open()
    sound.streams[0].deliver(overflow=True)
    opened.reopen()
    sound.streams[1].deliver(overflow=True)
    assert opened.overflows == 2


def test_frames_nobody_takes_are_dropped_and_counted(
    sound: FakeSound, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The queue has a bound."""
    monkeypatch.setattr(microphone, "QUEUE_FRAMES", 2)
    opened = microphones(sound, hand)
    opened.open()
    for _ in range(3):
        sound.streams[0].deliver()
    assert opened.overflows == 2
    assert len(opened.drain()) == 2


def test_a_portaudio_that_hangs_is_not_waited_for(
    sound: FakeSound, hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closing that hangs fails the try after a limit, and no second call is made beside the first."""
    monkeypatch.setattr(microphone, "CALL_S", 0.05)
    opened = microphones(sound, hand)
    opened.open()
    released = threading.Event()
    sound.hanging = lambda: released.wait(30)
    with pytest.raises(MicrophoneLost, match="hangs"):
        opened.reopen()
    assert "terminate" not in sound.done
    released.set()


@pytest.mark.parametrize(
    ("lost_s", "back_s", "then_s", "left"),
    [
        pytest.param(100, 101, 105, 1, id="soon lost again: the same outage"),
        pytest.param(100, 101, 111, 3, id="steady for 10 s: three tries again"),
    ],
)
def test_patience(lost_s: float, back_s: float, then_s: float, left: int) -> None:
    """An outage has three tries; a microphone that comes and goes gets no more."""
    patience = Patience()
    patience.lost(lost_s)
    assert [patience.take(), patience.take()] == [True, True]
    patience.back(back_s)
    patience.lost(then_s)
    assert [patience.take() for _ in range(4)] == [True] * left + [False] * (4 - left)


def test_later_tries_wait_longer() -> None:
    """The first try comes at once, each later one after a longer pause."""
    patience = Patience()
    pauses = [patience.pause_s for _ in range(3) if patience.take()]
    assert pauses == [0.0, 1.0, 2.0]
