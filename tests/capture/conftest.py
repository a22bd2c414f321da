"""What the capture tests share: packets from files, settable keys, a clock that stands still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from standup.capture.keys import DaveDecrypt
from standup.capture.record import JournalRecord
from standup.capture.segments import Clock

PACKETS = Path(__file__).with_name("data") / "packets"


@dataclass
class FakeKeys:
    """Keys that a test sets."""

    mode: str = "aead_xchacha20_poly1305_rtpsize"
    secret_key: bytes = bytes(range(32))
    dave_protocol_version: int = 0
    dave_decrypt: DaveDecrypt | None = None


@dataclass
class FakeClock:
    """A clock that moves when told."""

    wall_ns: int = 1_700_000_000_000_000_000
    monotonic_ns: int = 5_000_000_000

    def pass_s(self, seconds: float) -> None:
        """Let time go by on both clocks."""
        self.wall_ns += int(seconds * 1e9)
        self.monotonic_ns += int(seconds * 1e9)

    @property
    def clock(self) -> Clock:
        """The clock as the journal takes it."""
        return Clock(lambda: self.wall_ns, lambda: self.monotonic_ns)


@pytest.fixture
def packet() -> Callable[[str], bytes]:
    """Read one of the packets in `data/packets` by its name."""
    return lambda name: (PACKETS / f"{name}.bin").read_bytes()


@pytest.fixture
def keys() -> FakeKeys:
    """The key of the packets in `data/packets`, without DAVE."""
    return FakeKeys()


@pytest.fixture
def clock() -> FakeClock:
    """A clock that moves when told."""
    return FakeClock()


@dataclass
class Recording:
    """Makes records of people talking: 20 ms packets, numbered and stamped as a client would."""

    start_wall_ns: int = 1_700_000_000_000_000_000
    start_monotonic_ns: int = 5_000_000_000
    payload: bytes = b"\xfc" + bytes(40)
    made: list[JournalRecord] = field(default_factory=list)

    def talk(
        self,
        user_id: int,
        start_ms: int,
        count: int,
        *,
        sequence: int = 0,
        timestamp: int = 0,
        flags: int = 0,
    ) -> list[JournalRecord]:
        """Return *count* records from *start_ms* of the meeting on, numbered from *sequence*."""
        records = [
            JournalRecord(
                user_id=user_id,
                ssrc=user_id + 1000,
                sequence=(sequence + number) & 0xFFFF,
                timestamp=(timestamp + 960 * number) & 0xFFFFFFFF,
                monotonic_ns=self.start_monotonic_ns + (start_ms + 20 * number) * 1_000_000,
                wall_ns=self.start_wall_ns + (start_ms + 20 * number) * 1_000_000,
                flags=flags,
                payload=b"" if flags else self.payload,
            )
            for number in range(count)
        ]
        self.made += records
        return records


@pytest.fixture
def recording() -> Recording:
    """A maker of journal records."""
    return Recording()
