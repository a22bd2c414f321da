"""From datagrams and voice events to the journal, each person under their own id on each connection."""

from __future__ import annotations

import struct

import nacl.secret
import pytest

from standup.bot.listener import Listener
from standup.bot.liveness import CUT_OFF_AFTER_MS, DEAF_AFTER_MS
from standup.capture.keys import DaveDecrypt
from standup.capture.record import UNKNOWN_SPEAKER
from tests.bot.doubles import OWN, JournalDouble

ANA, BEN, SSRC = 5, 6, 4001
SPEAKING, CLIENT_DISCONNECT = 5, 13
WORD = b"\x78word"


class PlainKeys:
    """A call without end-to-end encryption and a key of 32 equal bytes."""

    mode = "aead_xchacha20_poly1305_rtpsize"
    dave_protocol_version = 0
    dave_decrypt: DaveDecrypt | None = None
    dave_users: frozenset[int] = frozenset()

    def __init__(self, byte: int = 7) -> None:
        self.secret_key = bytes([byte]) * 32


class Moment:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now_ms = 1_000_000

    def __call__(self) -> int:
        return self.now_ms * 1_000_000


def packet(payload: bytes, sequence: int, ssrc: int = SSRC, keys: PlainKeys | None = None) -> bytes:
    """Return an encrypted RTP packet."""
    header = struct.pack(">BBHII", 0x80, 0x78, sequence, sequence * 960, ssrc)
    suffix = struct.pack(">I", sequence)
    box = nacl.secret.Aead((keys or PlainKeys()).secret_key)
    return header + box.encrypt(payload, header, suffix + bytes(20)).ciphertext + suffix


@pytest.fixture
def journal() -> JournalDouble:
    return JournalDouble()


@pytest.fixture
def moment() -> Moment:
    return Moment()


@pytest.fixture
def listener(journal: JournalDouble, moment: Moment) -> Listener:
    listening = Listener(journal, monotonic_ns=moment, wall_ns=moment)
    listening.connected(PlainKeys(), OWN)
    return listening


def speaking(user_id: int, ssrc: int = SSRC, flags: int = 1) -> dict[str, object]:
    return {"op": SPEAKING, "d": {"user_id": str(user_id), "ssrc": ssrc, "speaking": flags}}


def heard(journal: JournalDouble) -> list[tuple[int, bytes]]:
    return [(one.user_id, one.payload) for one in journal.records]


def test_speech_reaches_the_journal(listener: Listener, journal: JournalDouble) -> None:
    """A packet is written under the user its SSRC was announced for."""
    listener.voice_event(speaking(ANA))

    listener.datagram(packet(WORD, 1))

    assert heard(journal) == [(ANA, WORD)]
    assert listener.heard == {ANA}
    assert listener.is_cured


def test_packets_before_the_announcement_are_kept(listener: Listener, journal: JournalDouble) -> None:
    """What came before SPEAKING is written when it arrives."""
    listener.datagram(packet(WORD, 1))

    listener.voice_event(speaking(ANA))

    assert heard(journal) == [(ANA, WORD)]


def test_nothing_is_heard_before_the_first_session(journal: JournalDouble, moment: Moment) -> None:
    """Datagrams and events before READY belong to no session."""
    listening = Listener(journal, monotonic_ns=moment, wall_ns=moment)

    listening.voice_event(speaking(ANA))
    listening.datagram(packet(WORD, 1))

    assert journal.records == []
    assert listening.deaf_ms is None


def test_a_new_session_forgets_whose_ssrc_it_was(listener: Listener, journal: JournalDouble) -> None:
    """After a region move the same SSRC may be somebody else: nothing is written under the old name."""
    listener.voice_event(speaking(ANA))
    keys = PlainKeys(8)

    listener.connected(keys, OWN)
    listener.datagram(packet(WORD, 1, keys=keys))
    listener.voice_event(speaking(BEN))

    assert heard(journal) == [(BEN, WORD)]


def test_deaf_to_announced_speech(listener: Listener, moment: Moment) -> None:
    """Speech that is announced and never comes is deafness, from the announcement on."""
    listener.voice_event(speaking(ANA))

    moment.now_ms += DEAF_AFTER_MS

    assert listener.deaf_ms == DEAF_AFTER_MS


def test_deaf_with_the_wrong_key(listener: Listener, moment: Moment, journal: JournalDouble) -> None:
    """Speech that cannot be decrypted is deafness, and is written without its content."""
    listener.voice_event(speaking(ANA, flags=0))
    for sequence in range(3):
        listener.datagram(packet(WORD, sequence, keys=PlainKeys(8)))

    moment.now_ms += DEAF_AFTER_MS

    assert listener.deaf_ms == DEAF_AFTER_MS
    assert {one.payload for one in journal.records} == {b""}


def test_deaf_to_people_never_named(listener: Listener, moment: Moment) -> None:
    """Speech whose sender is never named is not heard either."""
    for sequence in range(300):
        listener.datagram(packet(WORD, sequence))
    assert listener.deaf_ms is None

    moment.now_ms += DEAF_AFTER_MS

    assert listener.deaf_ms is not None


def test_cut_off(listener: Listener, moment: Moment) -> None:
    """A server that echoed keepalives and no longer does has been cut off."""
    listener.datagram(b"\x01" + bytes(7))

    moment.now_ms += CUT_OFF_AFTER_MS

    assert listener.deaf_ms == CUT_OFF_AFTER_MS


@pytest.mark.parametrize("how", ["muted", "gone", "the bot itself", "malformed"])
def test_nothing_expected(listener: Listener, moment: Moment, how: str) -> None:
    """Nobody is expected to be heard who is muted, gone, the bot, or never well announced."""
    if how == "malformed":
        listener.voice_event({"op": SPEAKING, "d": {"user_id": None, "speaking": 1}})
    elif how == "the bot itself":
        listener.voice_event(speaking(OWN))
    else:
        listener.voice_event(speaking(ANA))
    if how == "muted":
        listener.muted(ANA)
    if how == "gone":
        listener.voice_event({"op": CLIENT_DISCONNECT, "d": {"user_id": str(ANA)}})

    moment.now_ms += DEAF_AFTER_MS

    assert listener.deaf_ms is None


BOT = 7


def test_bots_are_not_recorded(journal: JournalDouble, moment: Moment) -> None:
    """What a music bot plays is neither kept nor expected nor counted as somebody heard."""
    listening = Listener(journal, monotonic_ns=moment, wall_ns=moment, is_kept=lambda one: one != BOT)
    listening.connected(PlainKeys(), OWN)
    listening.datagram(packet(WORD, 1))

    listening.voice_event(speaking(BOT))
    listening.datagram(packet(WORD, 2))
    moment.now_ms += DEAF_AFTER_MS

    assert journal.records == []
    assert listening.heard == frozenset()
    assert listening.deaf_ms is None
    assert listening.last_speech_ms is None


@pytest.mark.parametrize("decryptable", [True, False], ids=["heard", "undecryptable"])
def test_only_who_is_kept_is_written_expected_and_counted(
    journal: JournalDouble, moment: Moment, decryptable: bool
) -> None:
    """From the packet on from which somebody is not kept, nothing of theirs is; once they are again, all is."""
    kept = {ANA}
    listening = Listener(journal, monotonic_ns=moment, wall_ns=moment, is_kept=lambda one: one in kept)
    listening.connected(PlainKeys(), OWN)
    words = PlainKeys() if decryptable else PlainKeys(8)
    listening.voice_event(speaking(BEN, SSRC + 1))
    for sequence in range(20):
        listening.datagram(packet(WORD, sequence, SSRC + 1, words))
    moment.now_ms += DEAF_AFTER_MS

    refused = (list(journal.records), listening.heard, listening.deaf_ms)
    kept.add(BEN)
    listening.datagram(packet(b"\x78later", 21, SSRC + 1))

    assert refused == ([], frozenset(), None)
    assert heard(journal) == [(BEN, b"\x78later")]
    assert listening.heard == {BEN}


def test_a_rejoin_for_somebody_is_not_cured_by_others(listener: Listener, moment: Moment) -> None:
    """After a new connection was made for Ana, hearing Ben alone does not show that it helped."""
    listener.voice_event(speaking(ANA))
    moment.now_ms += DEAF_AFTER_MS
    listener.rejoining()
    listener.connected(PlainKeys(), OWN)

    listener.voice_event(speaking(BEN))
    listener.datagram(packet(WORD, 1))
    with_ben = listener.is_cured
    listener.voice_event(speaking(ANA, SSRC + 1))
    listener.datagram(packet(WORD, 1, SSRC + 1))

    assert (with_ben, listener.is_cured) == (False, True)


def test_what_was_announced_to_a_deafened_bot_proves_nothing(listener: Listener, moment: Moment) -> None:
    """Speech that Discord did not send is not expected once it sends again."""
    listener.voice_event(speaking(ANA))
    moment.now_ms += DEAF_AFTER_MS

    listener.undeafened()

    assert listener.deaf_ms is None


def test_how_long_ago_speech_was_heard(listener: Listener, moment: Moment) -> None:
    """The ages of the first speech on this connection and of the newest are known."""
    before = (listener.first_speech_ms, listener.last_speech_ms)
    listener.voice_event(speaking(ANA))
    for sequence in range(2):
        listener.datagram(packet(WORD, sequence))
        moment.now_ms += 20

    assert before == (None, None)
    assert (listener.first_speech_ms, listener.last_speech_ms) == (40, 20)


@pytest.mark.parametrize("ending", ["the recording ends", "a new session begins"])
def test_packets_of_nobody_are_counted(listener: Listener, journal: JournalDouble, ending: str) -> None:
    """What waited for a name in vain is written as a loss of nobody's, and makes nobody a participant."""
    listener.datagram(packet(WORD, 1))

    if ending == "the recording ends":
        listener.end()
    else:
        listener.connected(PlainKeys(8), OWN)

    assert [(one.user_id, one.is_undecryptable) for one in journal.records] == [(UNKNOWN_SPEAKER, True)]
    assert listener.heard == frozenset()


def test_a_known_voice_does_not_hide_an_unknown_one(listener: Listener, moment: Moment) -> None:
    """While one person is heard, another whose name never comes still proves that the bot does not hear all."""
    listener.voice_event(speaking(ANA))
    for sequence in range(1, 1500):
        moment.now_ms += 20
        listener.datagram(packet(WORD, sequence))
        listener.datagram(packet(WORD, sequence, ssrc=SSRC + 1))

    assert listener.deaf_ms is not None
