"""The journal's bytes: there and back, and every kind of damage."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.capture import record as records
from standup.capture.record import UNDECRYPTABLE, JournalRecord, SegmentHeader

RECORD = JournalRecord(
    1 << 63, 0xFFFFFFFF, 0xFFFF, 0xFFFFFFFF, 5_000, 1_700_000_000_000_000_000, 0, b"\xfcopus"
)
HEADER = SegmentHeader(3, 1_700_000_000_000_000_000, 1_700_000_001_000_000_000, 5_000)


@given(
    st.builds(
        JournalRecord,
        st.integers(1, 2**64 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**16 - 1),
        st.integers(0, 2**32 - 1),
        st.integers(0, 2**62),
        st.integers(0, 2**62),
        st.just(0),
        st.binary(min_size=1, max_size=1500),
    )
)
def test_records_come_back(record: JournalRecord) -> None:
    """What is written is read, to the end of the bytes."""
    data = records.serialize(record)

    assert records.parse(data, 0) == (record, len(data))


def test_undecryptable_records_come_back() -> None:
    """A flagged record has no payload and keeps its flag."""
    record = JournalRecord(1, 2, 3, 4, 5, 6, UNDECRYPTABLE, b"")

    assert records.parse(records.serialize(record), 0) == (record, records.SHORTEST_RECORD)


@pytest.mark.parametrize(("flags", "payload"), [(0, b""), (UNDECRYPTABLE, b"ciphertext")])
def test_a_payload_means_decrypted(flags: int, payload: bytes) -> None:
    """No record holds the content of a packet that was not decrypted, nor is empty without saying so."""
    with pytest.raises(ValueError, match="exactly when it could be decrypted"):
        records.serialize(JournalRecord(1, 2, 3, 4, 5, 6, flags, payload))


def test_contradicting_records_are_none() -> None:
    """Bytes with a right sum that claim to be both undecryptable and full are no record."""
    flags_at = records.SHORTEST_RECORD - 4 - 3
    data = bytearray(records.serialize(RECORD)[:-4])
    data[flags_at] = UNDECRYPTABLE

    assert records.parse(bytes(data) + zlib.crc32(data).to_bytes(4, "little"), 0) is None


@given(st.integers(0, len(records.serialize(RECORD)) - 1))
def test_a_prefix_is_cut_off(length: int) -> None:
    """Every true prefix of a record is no record, and is known as cut off."""
    data = records.serialize(RECORD)[:length]

    assert records.parse(data, 0) is None
    assert records.is_cut_off(data, 0)


@given(st.integers(0, len(records.serialize(RECORD)) * 8 - 1))
def test_a_flipped_bit_is_noticed(bit: int) -> None:
    """No single wrong bit anywhere gives a record."""
    data = bytearray(records.serialize(RECORD))
    data[bit // 8] ^= 1 << bit % 8

    assert records.parse(bytes(data), 0) is None


def test_damage_is_not_cut_off() -> None:
    """A whole record with a wrong byte at its end is damaged, not cut off."""
    data = records.serialize(RECORD)

    assert not records.is_cut_off(data[:-1] + b"\0", 0)
    assert not records.is_cut_off(b"no record at all", 0)


def test_header_comes_back() -> None:
    """The header is read as it was written, whatever follows it."""
    assert records.parse_header(records.serialize_header(HEADER) + b"more") == HEADER


@given(st.integers(0, records.HEADER_LENGTH - 1))
def test_cut_off_header(length: int) -> None:
    """A header that its writer did not finish is None: there is nothing behind it."""
    assert records.parse_header(records.serialize_header(HEADER)[:length]) is None


def test_damaged_header() -> None:
    """A header with our magic and a wrong sum is damaged, not foreign."""
    data = bytearray(records.serialize_header(HEADER))
    data[20] ^= 1

    assert records.parse_header(bytes(data)) is None


def test_foreign_header() -> None:
    """Other files are told apart."""
    with pytest.raises(ValueError, match="does not begin like a packet journal"):
        records.parse_header(b"OggS" + bytes(60))


def test_other_version(monkeypatch: pytest.MonkeyPatch) -> None:
    """A journal of a later version is named as such."""
    monkeypatch.setattr(records, "VERSION", 9)
    later = records.serialize_header(HEADER)
    monkeypatch.undo()

    with pytest.raises(ValueError, match="version 9, and this program reads 1"):
        records.parse_header(later)
