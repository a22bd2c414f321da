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
from standup.capture.record import UNKNOWN_SPEAKER, JournalRecord
from standup.capture.speakers import DEPARTED_NS, HOLD_PACKETS, SELDOM, TRIES
from standup.simulator.transport import XCHACHA20, Header, make_cipher, seal_relayed

Packet = Callable[[str], bytes]
KEY = bytes(range(32))
OPUS = b"\xfcone opus packet"
SSRC = 0x01020304
BOT, ANA, BEN, CLEO = 1, 11, 22, 33


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
    connection = Connection(KEY, group[BOT])
    connection.dave_session = None  # type: ignore[assignment]
    receiver = Receiver(ConnectionKeys(connection), BOT)
    receiver.receive(_sealed(group[ANA].encrypt_opus(OPUS)), 0, 0)
    connection.dave_session = group[BOT]

    assert _payloads(receiver.voice_event(_speaking(ANA), 0)) == [OPUS]


class Call:
    """An encrypted call of the bot and *people*, none of whom was announced."""

    def __init__(self, *people: int) -> None:
        self.group = make_group([BOT, *people])
        self.session = self.group[BOT]
        self.tried: list[tuple[int, bytes]] = []
        self.connection = Connection(KEY, self)  # type: ignore[arg-type]
        self.receiver = Receiver(ConnectionKeys(self.connection), BOT)

    def get_user_ids(self) -> list[str]:
        """The members, as davey's session names them."""
        return self.session.get_user_ids()

    def decrypt(self, user_id: int, media: Any, frame: bytes) -> bytes:
        """Decrypt as davey's session does, and note who was tried."""
        self.tried.append((user_id, frame))
        return self.session.decrypt(user_id, media, frame)

    def say(self, user_id: int, text: bytes, *, ssrc: int, sequence: int = 0) -> list[tuple[int, bytes]]:
        """Send what *user_id* says; return the users and payloads of the records that come of it."""
        return self.send(self.group[user_id].encrypt_opus(text), ssrc=ssrc, sequence=sequence)

    def send(self, frame: bytes, *, ssrc: int, sequence: int = 0) -> list[tuple[int, bytes]]:
        """Send *frame* as it is."""
        datagram = _sealed(frame, ssrc=ssrc, sequence=sequence)
        return [(one.user_id, one.payload) for one in self.receiver.receive(datagram, sequence, 0)]


def test_dave_names_who_nobody_named() -> None:
    """Who was talking before the bot came and is never announced is recorded from the first packet on."""
    call = Call(ANA, BEN, CLEO)

    assert call.say(BEN, OPUS + b"1", ssrc=7) == [(BEN, OPUS + b"1")]
    assert call.say(BEN, OPUS + b"2", ssrc=7, sequence=1) == [(BEN, OPUS + b"2")]


def test_wrong_tries_harm_nobody() -> None:
    """Trying a frame with the wrong members leaves their ratchets as they were: each is found, all is heard."""
    call = Call(ANA, BEN, CLEO)
    said = [(user, OPUS + bytes([user, number])) for number in range(30) for user in (CLEO, BEN, ANA)]
    got = [
        one
        for number, (user, text) in enumerate(said)
        for one in call.say(user, text, ssrc=100 + user, sequence=number // 3)
    ]

    assert len({user for user, frame in call.tried if frame == call.tried[0][1]}) == 3
    assert got == said


def test_the_owner_is_asked_alone_from_then_on() -> None:
    """Once the owner of an SSRC is found, no packet is tried with anybody else."""
    call = Call(ANA, BEN, CLEO)
    call.say(CLEO, OPUS, ssrc=7)
    call.tried.clear()
    call.say(CLEO, OPUS, ssrc=7, sequence=1)

    assert [user for user, _ in call.tried] == [CLEO]


def test_what_waited_for_the_key_is_opened_in_order() -> None:
    """Frames that came before the group did are opened, oldest first, when it is there: a ratchet never goes back."""
    call = Call(ANA, BEN)
    call.connection.dave_session = None  # type: ignore[assignment]
    early = [call.say(BEN, OPUS + bytes([number]), ssrc=7, sequence=number) for number in range(5)]
    call.connection.dave_session = call  # type: ignore[assignment]

    assert early == [[]] * 5
    assert call.say(BEN, OPUS + b"\5", ssrc=7, sequence=5) == [
        (BEN, OPUS + bytes([number])) for number in range(6)
    ]


def test_frames_of_an_earlier_group_hide_nothing() -> None:
    """Frames that nobody's key opens are passed over, and flagged once their sender is known."""
    call, before = Call(ANA, BEN), make_group([ANA, BEN])
    for number in range(3):
        call.send(before[BEN].encrypt_opus(OPUS), ssrc=7, sequence=number)

    assert call.say(BEN, OPUS, ssrc=7, sequence=3) == [*[(BEN, b"")] * 3, (BEN, OPUS)]


def test_a_new_ssrc_of_somebody_known() -> None:
    """Who has an SSRC and comes back on another is found too, after those who have none."""
    call = Call(ANA, BEN, CLEO)
    call.say(ANA, OPUS, ssrc=7)
    call.tried.clear()

    assert call.say(ANA, OPUS, ssrc=8) == [(ANA, OPUS)]
    assert [user for user, _ in call.tried] == [BEN, CLEO, ANA]


def test_silence_in_clear_names_nobody() -> None:
    """Silence travels in clear, so it proves nothing about its sender; it waits for the name."""
    call = Call(ANA)

    assert call.send(SILENCE, ssrc=7) == []
    assert call.tried == []
    assert call.say(ANA, OPUS, ssrc=7, sequence=1) == [(ANA, SILENCE), (ANA, OPUS)]


def test_the_search_is_bounded_and_reaches_everybody() -> None:
    """In a big group each packet costs few tries, and still everybody's turn comes."""
    people = range(100, 103 + TRIES)
    call = Call(*people)
    most, got = 0, []
    for number in range(20):
        call.tried.clear()
        got += call.say(people[-1], OPUS + bytes([number]), ssrc=7, sequence=number)
        most = max(most, len(call.tried) - len(got))

    assert got == [(people[-1], OPUS + bytes([number])) for number in range(20)]
    assert 0 < most <= TRIES


def test_frames_of_nobody_stay_bounded_for_ever() -> None:
    """An SSRC that no member's key opens costs ever fewer tries, is told, and found when its sender's key comes."""
    call, other = Call(*range(100, 103 + TRIES)), make_group([ANA, BEN])
    told, tried = [], []
    for number in range(3 * HOLD_PACKETS):
        call.tried.clear()
        told += call.send(other[ANA].encrypt_opus(OPUS), ssrc=7, sequence=number)
        tried.append(len(call.tried))
    more = range(3 * HOLD_PACKETS, 5 * HOLD_PACKETS)
    found = [one for number in more for one in call.say(100, OPUS, ssrc=7, sequence=number)]

    assert told == [(UNKNOWN_SPEAKER, b"")] * 2 * HOLD_PACKETS
    assert max(tried) == TRIES
    assert 0 < sum(tried[HOLD_PACKETS:]) <= TRIES * 2 * HOLD_PACKETS // SELDOM
    assert found[-1] == (100, OPUS)


def test_dropped_packets_are_told(keys: Any) -> None:
    """A packet whose sender was not found in time leaves a record without user and content, silence none."""
    receiver = Receiver(keys, BOT)
    records = [
        one
        for number in range(HOLD_PACKETS + 3)
        for one in receiver.receive(_sealed(OPUS if number else SILENCE, sequence=number), number, 100)
    ]

    assert records == [
        JournalRecord(UNKNOWN_SPEAKER, SSRC, number, 960 * number, number, 100, 1, b"") for number in (1, 2)
    ]


def test_what_waits_at_the_end_is_told(keys: Any) -> None:
    """When the connection ends, packets that still wait leave their records, once."""
    receiver = Receiver(keys, BOT)
    for number, content in enumerate((OPUS, SILENCE, OPUS)):
        receiver.receive(_sealed(content, sequence=number), number, 0)

    assert [(one.user_id, one.sequence, one.payload) for one in receiver.end()] == [
        (UNKNOWN_SPEAKER, 0, b""),
        (UNKNOWN_SPEAKER, 2, b""),
    ]
    assert (receiver.end(), receiver.counts.held, receiver.counts.held_dropped) == ([], 0, 3)


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
