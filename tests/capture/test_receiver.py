"""The receive path, step by step, from datagram to record."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

import davey
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.bench.capture import Connection, make_group
from standup.capture.keys import ConnectionKeys
from standup.capture.opus import SILENCE
from standup.capture.receiver import Receiver
from standup.capture.record import JournalRecord
from standup.capture.speakers import DEPARTED_NS, HOLD_PACKETS
from standup.simulator.transport import XCHACHA20, Header, make_cipher, seal_relayed

Packet = Callable[[str], bytes]
KEY = bytes(range(32))
OPUS = b"\xfcone opus packet"
SSRC = 0x01020304
BOT, ANA, BEN = 1, 11, 22


def _speaking(user_id: int, ssrc: int = SSRC) -> dict[str, object]:
    return {"op": 5, "d": {"user_id": str(user_id), "ssrc": ssrc, "speaking": 1}}


def _sealed(payload: bytes, ssrc: int = SSRC, sequence: int = 0, key: bytes = KEY) -> bytes:
    header = Header(0x78, sequence, 960 * sequence, ssrc)
    return seal_relayed(make_cipher(XCHACHA20, key), header, payload, count=sequence, extension=b"\x51\0\0\0")


@pytest.fixture
def receiver(keys: Any) -> Receiver:
    """A receiver that knows Ana's SSRC, in a call without DAVE."""
    one = Receiver(keys, BOT)
    one.voice_event(_speaking(ANA), 0)
    return one


def _payloads(records: list[JournalRecord]) -> list[bytes]:
    return [record.payload for record in records]


@pytest.mark.parametrize(
    "name", ["plain", "marker", "csrc", "extension", "padding", "csrc_extension_padding"]
)
def test_packets_become_records(receiver: Receiver, packet: Packet, name: str) -> None:
    """A packet of a known speaker, in any shape the relay sends, becomes a record with its Opus payload."""
    records = receiver.receive(packet(name), 5, 7)

    assert records == [JournalRecord(ANA, SSRC, 513, 960, 5, 7, 0, OPUS)]


def test_other_mode(receiver: Receiver, keys: Any, packet: Packet) -> None:
    """The transport mode is read at each packet."""
    keys.mode = "aead_aes256_gcm_rtpsize"

    assert _payloads(receiver.receive(packet("extension_aes256"), 0, 0)) == [OPUS]


@pytest.mark.parametrize(
    "name",
    [
        "rtcp_sender_report",
        "rtcp_receiver_report",
        "ip_discovery",
        "keepalive",
        "video",
        "version_1",
        "empty",
    ],
)
def test_other_traffic_is_ignored(receiver: Receiver, packet: Packet, name: str) -> None:
    """What is not audio leaves no record and is no fault."""
    assert receiver.receive(packet(name), 0, 0) == []
    assert (receiver.counts.ignored, receiver.counts.malformed) == (1, 0)


@pytest.mark.parametrize(
    "name",
    [
        "truncated_csrc",
        "truncated_extension",
        "no_room_for_tag",
        "padding_too_long",
        "padding_zero",
        "only_padding",
        "extension_too_long",
    ],
)
def test_malformed_packets_are_counted(receiver: Receiver, packet: Packet, name: str) -> None:
    """A defective packet is counted, and the next is received."""
    assert receiver.receive(packet(name), 0, 0) == []
    assert receiver.counts.malformed == 1
    assert _payloads(receiver.receive(packet("plain"), 0, 0)) == [OPUS]


@pytest.mark.parametrize("name", ["forged", "tampered_header"])
def test_unauthentic_packets_are_flagged(receiver: Receiver, packet: Packet, name: str) -> None:
    """A packet that the key does not open is recorded as undecryptable, without content."""
    (record,) = receiver.receive(packet(name), 0, 0)

    assert (record.is_undecryptable, record.payload) == (True, b"")
    assert receiver.counts.undecryptable == 1


def test_a_new_key_is_used_at_once(receiver: Receiver, keys: Any) -> None:
    """After a region move the next packet is opened with the next key."""
    other = KEY[::-1]
    keys.secret_key = other

    assert _payloads(receiver.receive(_sealed(OPUS, key=other), 0, 0)) == [OPUS]


def test_unknown_mode_is_a_problem_and_no_crash(receiver: Receiver, keys: Any, packet: Packet) -> None:
    """An unknown mode flags the packets and tells the operator why, until it is over."""
    keys.mode = "aead_new"
    (record,) = receiver.receive(packet("plain"), 0, 0)
    problem = receiver.problem
    keys.mode = XCHACHA20
    receiver.receive(packet("plain"), 0, 0)

    assert record.is_undecryptable
    assert "aead_new" in (problem or "")
    assert receiver.problem is None


def test_packets_wait_for_their_user(keys: Any) -> None:
    """Packets that come before SPEAKING come out with it, in order, with their own times."""
    receiver = Receiver(keys, BOT)
    before = [receiver.receive(_sealed(OPUS, sequence=number), number, 100 + number) for number in range(3)]
    records = receiver.voice_event(_speaking(ANA), 50)

    assert before == [[], [], []]
    assert [(one.user_id, one.sequence, one.monotonic_ns, one.wall_ns) for one in records] == [
        (ANA, number, number, 100 + number) for number in range(3)
    ]


def test_held_packets_survive_a_new_key(keys: Any) -> None:
    """Waiting packets were opened when they came, so a new transport key does not lose them."""
    receiver = Receiver(keys, BOT)
    receiver.receive(_sealed(OPUS), 0, 0)
    keys.secret_key = KEY[::-1]

    assert _payloads(receiver.voice_event(_speaking(ANA), 1)) == [OPUS]


def test_too_many_held_packets_are_counted(keys: Any) -> None:
    """More than a hundred waiting packets of one SSRC drop the oldest, and the number is kept."""
    receiver = Receiver(keys, BOT)
    for number in range(HOLD_PACKETS + 3):
        receiver.receive(_sealed(OPUS, sequence=number), 0, 0)

    assert (receiver.counts.held, receiver.counts.held_dropped) == (HOLD_PACKETS, 3)


def test_forged_packets_take_no_place(keys: Any, packet: Packet) -> None:
    """Packets of an unknown SSRC that do not authenticate are not held."""
    receiver = Receiver(keys, BOT)
    receiver.receive(packet("forged"), 0, 0)

    assert (receiver.counts.held, receiver.counts.undecryptable) == (0, 1)


def test_several_ssrcs_are_one_user(receiver: Receiver) -> None:
    """Who comes back with another SSRC is still the same user."""
    receiver.voice_event(_speaking(ANA, 77), 0)
    records = [*receiver.receive(_sealed(OPUS), 0, 0), *receiver.receive(_sealed(OPUS, ssrc=77), 0, 0)]

    assert [(one.user_id, one.ssrc) for one in records] == [(ANA, SSRC), (ANA, 77)]


def test_own_packets_are_ignored(keys: Any) -> None:
    """The bot is not recorded, whether its SSRC was named before or after its packets."""
    receiver = Receiver(keys, BOT)
    receiver.receive(_sealed(OPUS), 0, 0)
    released = receiver.voice_event(_speaking(BOT), 0)

    assert released == receiver.receive(_sealed(OPUS), 0, 0) == []
    assert (receiver.counts.ignored, receiver.counts.held, receiver.last_speaking_ns) == (1, 0, None)


def test_video_ssrcs_are_ignored(receiver: Receiver) -> None:
    """SSRCs named as video or its retransmission leave no record; the audio SSRC beside them is named."""
    streams = [{"ssrc": 31, "rtx_ssrc": 32}]
    event = {"user_id": str(BEN), "audio_ssrc": 29, "video_ssrc": 30, "streams": streams}
    receiver.voice_event({"op": 12, "d": event}, 0)

    records = [receiver.receive(_sealed(OPUS, ssrc=ssrc), 0, 0) for ssrc in (29, 30, 31, 32)]

    assert [len(one) for one in records] == [1, 0, 0, 0]
    assert (records[0][0].user_id, receiver.counts.ignored) == (BEN, 3)


def test_a_leavers_ssrc_waits_for_a_name(receiver: Receiver) -> None:
    """Some seconds after somebody left, packets on their SSRC are not attributed to them."""
    receiver.voice_event({"op": 13, "d": {"user_id": str(ANA)}}, 0)
    soon = receiver.receive(_sealed(OPUS), DEPARTED_NS, 0)
    later = receiver.receive(_sealed(OPUS, sequence=1), DEPARTED_NS + 1, 0)
    named = receiver.voice_event(_speaking(BEN), DEPARTED_NS + 2)

    assert [[one.user_id for one in records] for records in (soon, later, named)] == [[ANA], [], [BEN]]


def test_who_returns_is_known(receiver: Receiver) -> None:
    """CLIENTS_CONNECT of somebody who just left keeps their SSRC."""
    receiver.voice_event({"op": 13, "d": {"user_id": str(ANA)}}, 0)
    receiver.voice_event({"op": 11, "d": {"user_ids": [str(ANA)]}}, 1)

    assert _payloads(receiver.receive(_sealed(OPUS), 10 * DEPARTED_NS, 0)) == [OPUS]


@pytest.mark.parametrize(
    "message",
    [
        {"op": 5, "d": {"ssrc": 5}},
        {"op": 5, "d": {"user_id": "-3", "ssrc": 5}},
        {"op": 5, "d": {"user_id": str(1 << 64), "ssrc": 5}},
        {"op": 5, "d": None},
        {"op": 11, "d": {"user_ids": ["?"]}},
        {"op": 13, "d": []},
    ],
    ids=["no user", "negative", "over 64 bits", "no data", "not a number", "a list"],
)
def test_broken_events_are_counted(receiver: Receiver, message: dict[str, object]) -> None:
    """A voice event that breaks the protocol is counted, and packets are received as before."""
    assert receiver.voice_event(message, 0) == []
    assert receiver.counts.malformed == 1
    assert _payloads(receiver.receive(_sealed(OPUS), 0, 0)) == [OPUS]


@pytest.mark.parametrize("message", [{"op": 8, "d": {"heartbeat_interval": 5}}, {"op": 6}, {}])
def test_other_events_change_nothing(receiver: Receiver, message: dict[str, object]) -> None:
    """Operations that do not concern speakers are passed over."""
    assert receiver.voice_event(message, 0) == []
    assert receiver.counts.malformed == 0


def test_liveness_is_decrypted_packets(receiver: Receiver, packet: Packet) -> None:
    """Only decrypted packets move the proof of hearing; SPEAKING moves the other mark."""
    receiver.voice_event(_speaking(ANA), 3)
    receiver.receive(packet("forged"), 4, 0)
    deaf = receiver.last_decrypted_ns
    receiver.receive(packet("plain"), 5, 0)

    assert (deaf, receiver.last_decrypted_ns, receiver.last_speaking_ns) == (None, 5, 3)


def test_dave_frames_are_decrypted() -> None:
    """In an encrypted call the record holds what the speaker's client encoded, and silence as it came."""
    group = make_group([BOT, ANA])
    receiver = Receiver(ConnectionKeys(Connection(KEY, group[BOT])), BOT)
    receiver.voice_event(_speaking(ANA), 0)
    frames = [group[ANA].encrypt_opus(OPUS), SILENCE]

    records = [one for frame in frames for one in receiver.receive(_sealed(frame), 0, 0)]

    assert _payloads(records) == [OPUS, SILENCE]


def test_ciphertext_never_gets_through() -> None:
    """A frame of another group, or attributed to another user, is flagged and empty."""
    group, other = make_group([BOT, ANA, BEN]), make_group([BOT, ANA])
    receiver = Receiver(ConnectionKeys(Connection(KEY, group[BOT])), BOT)
    receiver.voice_event(_speaking(BEN), 0)
    frames = [group[ANA].encrypt_opus(OPUS), other[ANA].encrypt_opus(OPUS), OPUS]

    records = [one for frame in frames for one in receiver.receive(_sealed(frame), 0, 0)]

    assert [(one.is_undecryptable, one.payload) for one in records] == [(True, b"")] * 3


def test_held_packets_are_decrypted_for_their_user() -> None:
    """DAVE needs the user: packets that waited are decrypted once it is known."""
    group = make_group([BOT, ANA])
    receiver = Receiver(ConnectionKeys(Connection(KEY, group[BOT])), BOT)
    receiver.receive(_sealed(group[ANA].encrypt_opus(OPUS)), 0, 0)

    assert _payloads(receiver.voice_event(_speaking(ANA), 0)) == [OPUS]


@given(
    datagrams=st.lists(st.binary(max_size=120) | st.binary(max_size=90).map(lambda rest: b"\x90\x78" + rest))
)
def test_no_datagram_stops_the_receiver(datagrams: list[bytes]) -> None:
    """Whatever comes in, nothing is raised, nothing of it is taken for audio, and real packets go on."""
    receiver = Receiver(ConnectionKeys(Connection(KEY, None)), BOT)
    receiver.voice_event(_speaking(ANA), 0)
    payloads = [one.payload for datagram in datagrams for one in receiver.receive(datagram, 0, 0)]

    assert not any(payloads)
    assert _payloads(receiver.receive(_sealed(SILENCE), 0, 0)) == [SILENCE]


def test_events_wait_for_the_packet_in_hand(packet: Packet) -> None:
    """While a packet is between its steps, an event on another thread changes nothing under it."""
    inside, leave, named = threading.Event(), threading.Event(), threading.Event()

    class SlowKeys:
        secret_key, dave_protocol_version, dave_decrypt = KEY, 0, None

        @property
        def mode(self) -> str:
            inside.set()
            assert leave.wait(10)
            return XCHACHA20

    receiver = Receiver(SlowKeys(), BOT)
    receiving = threading.Thread(target=receiver.receive, args=(packet("plain"), 0, 0))
    naming = threading.Thread(target=lambda: (receiver.voice_event(_speaking(ANA), 0), named.set()))
    receiving.start()
    assert inside.wait(10)
    naming.start()
    was_named = named.wait(0.1)
    leave.set()
    receiving.join(10)
    naming.join(10)

    assert (was_named, named.is_set(), receiver.counts.held, receiver.counts.decrypted) == (False, True, 0, 1)


def test_two_threads_lose_nothing() -> None:
    """Datagrams on one thread and voice events on another: each packet comes out exactly once."""
    count, people = 400, range(100, 120)
    receiver = Receiver(ConnectionKeys(Connection(KEY, make_group([BOT])[BOT])), BOT)
    datagrams = [_sealed(SILENCE, ssrc=people[n % len(people)], sequence=n) for n in range(count)]
    ready = threading.Barrier(2, timeout=10)
    released: list[JournalRecord] = []

    def name_people() -> None:
        ready.wait()
        for user in people:
            released.extend(receiver.voice_event(_speaking(user, user), 0))

    thread = threading.Thread(target=name_people)
    thread.start()
    ready.wait()
    received = [one for datagram in datagrams for one in receiver.receive(datagram, 0, 0)]
    thread.join(10)
    for user in people:
        released.extend(receiver.voice_event(_speaking(user, user), 0))

    assert sorted(one.sequence for one in [*received, *released]) == list(range(count))
    assert all(one.user_id == one.ssrc for one in [*received, *released])


def test_davey_refuses_replays() -> None:
    """A copy of a packet fails in DAVE: the timeline counts such copies as duplicates, not as unreadable."""
    group = make_group([BOT, ANA])
    frame = group[ANA].encrypt_opus(OPUS)
    group[BOT].decrypt(ANA, davey.MediaType.audio, frame)

    with pytest.raises(ValueError, match=r".+"):
        group[BOT].decrypt(ANA, davey.MediaType.audio, frame)


@pytest.mark.integration
def test_the_recorder_stays_light() -> None:
    """Importing the receive path brings neither numpy nor PyAV, torch, faster-whisper or discord.py."""
    script = (
        "import sys, standup.capture.receiver, standup.capture.journal, standup.capture.keys;"
        "print(sorted({'numpy', 'av', 'torch', 'faster_whisper', 'discord'} & set(sys.modules)))"
    )
    answer = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )

    assert answer.stdout.strip() == "[]"
