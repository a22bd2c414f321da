"""The microphones there are, and how one is named."""

from __future__ import annotations

import pytest

from standup.capture.devices import Device, devices, find
from standup.errors import InputRefused
from tests.fake_sound import FakeSound

BUILT_IN, HEADSET, OTHER = (
    Device(0, "Built-in 2", "ALSA", is_default=True),
    Device(2, "USB Headset", "ALSA"),
    Device(3, "USB Headset Pro", "ALSA"),
)


def test_only_inputs_are_listed() -> None:
    """A loudspeaker is no microphone; the default is marked."""
    found = devices(FakeSound(["Built-in", "USB Headset"]))
    assert found == (Device(0, "Built-in", "ALSA", is_default=True), Device(1, "USB Headset", "ALSA"))


def test_without_microphones_the_list_is_empty() -> None:
    """No input and no default is an empty list, not an error."""
    assert devices(FakeSound([])) == ()


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        pytest.param("2", HEADSET, id="a number goes before a part of a name"),
        pytest.param("usb headset", HEADSET, id="a whole name before a part, in any case"),
        pytest.param(" pro ", OTHER, id="a part that one alone has"),
    ],
)
def test_a_microphone_is_found(wanted: str, expected: Device) -> None:
    """A number, a whole name or a part of a name names a microphone."""
    assert find(wanted, [BUILT_IN, HEADSET, OTHER]) == expected


@pytest.mark.parametrize("wanted", ["Webcam", "", "9"])
def test_an_unknown_name_is_refused_with_the_next_step(wanted: str) -> None:
    """What nothing is called is refused, and the sentence says where the names are."""
    with pytest.raises(InputRefused, match="standup record --list"):
        find(wanted, [BUILT_IN, HEADSET])


def test_an_ambiguous_name_is_refused_with_the_numbers() -> None:
    """A part that two have is refused; their numbers tell them apart."""
    with pytest.raises(InputRefused, match="Microphones 2, 3"):
        find("usb", [BUILT_IN, HEADSET, OTHER])
