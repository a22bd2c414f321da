"""Both layers of encryption, against the libraries that seal and a real DAVE group."""

from __future__ import annotations

from collections.abc import Callable

import davey
import pytest

from standup.bench.capture import make_group
from standup.capture.decrypt import TransportDecrypter, is_dave_frame, open_frame
from standup.capture.keys import ConnectionKeys, Keys
from standup.capture.opus import SILENCE
from standup.capture.rtp import parse, strip
from standup.errors import AudioCaptureError

Packet = Callable[[str], bytes]
KEY = bytes(range(32))
OPUS = b"\xfcone opus packet"
XCHACHA20 = "aead_xchacha20_poly1305_rtpsize"
AES256 = "aead_aes256_gcm_rtpsize"
BOT, SPEAKER, STRANGER = 1, 2, 99


class Connection:
    """The attributes of discord.py's connection that are read."""

    def __init__(self, session: davey.DaveSession | None, version: int = 1) -> None:
        self.mode = XCHACHA20
        self.secret_key = list(KEY)
        self.dave_protocol_version = version
        self.dave_session = session


@pytest.fixture(scope="module")
def group() -> dict[int, davey.DaveSession]:
    """The bot and a speaker in one DAVE group."""
    return make_group([BOT, SPEAKER])


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("plain", XCHACHA20),
        ("csrc", XCHACHA20),
        ("extension", XCHACHA20),
        ("csrc_extension_padding", XCHACHA20),
        ("plain_aes256", AES256),
        ("extension_aes256", AES256),
    ],
)
def test_transport_opens(packet: Packet, name: str, mode: str) -> None:
    """Both modes open packets sealed by the cipher libraries themselves, whatever is in the clear part."""
    one = parse(packet(name))
    body = TransportDecrypter().open(one, mode, KEY)

    assert body is not None
    assert strip(one, body) == OPUS


@pytest.mark.parametrize(
    ("name", "mode", "key"),
    [
        pytest.param("forged", XCHACHA20, KEY, id="wrong tag"),
        pytest.param("tampered_header", XCHACHA20, KEY, id="changed header"),
        pytest.param("plain", XCHACHA20, KEY[::-1], id="other key"),
        pytest.param("plain", AES256, KEY, id="other mode"),
        pytest.param("plain_aes256", AES256, KEY[::-1], id="other key, AES"),
    ],
)
def test_transport_refuses(packet: Packet, name: str, mode: str, key: bytes) -> None:
    """What the key does not authenticate is not opened."""
    assert TransportDecrypter().open(parse(packet(name)), mode, key) is None


def test_mode_and_key_may_change_at_every_packet(packet: Packet) -> None:
    """A decrypter follows the connection to another mode and key and back."""
    decrypter = TransportDecrypter()
    plain, aes256 = parse(packet("plain")), parse(packet("plain_aes256"))
    rounds = [
        (plain, XCHACHA20, KEY),
        (plain, XCHACHA20, KEY[::-1]),
        (aes256, AES256, KEY),
        (plain, XCHACHA20, KEY),
    ]

    opened = [decrypter.open(*one) for one in rounds]

    assert opened == [OPUS, None, OPUS, OPUS]


def test_unknown_mode_is_named(packet: Packet) -> None:
    """A mode we do not know is refused by name, with the ones we know and the next step."""
    with pytest.raises(AudioCaptureError, match=r"'aead_new'.*aead_aes256_gcm_rtpsize.*join again"):
        TransportDecrypter().open(parse(packet("plain")), "aead_new", KEY)


def test_missing_key_is_named(packet: Packet) -> None:
    """Before the session description there is no key, and the message says so."""
    with pytest.raises(AudioCaptureError, match="no transport key yet"):
        TransportDecrypter().open(parse(packet("plain")), XCHACHA20, b"")


def _keys(session: davey.DaveSession | None, version: int = 1) -> Keys:
    return ConnectionKeys(Connection(session, version))


def test_dave_frame_is_opened(group: dict[int, davey.DaveSession]) -> None:
    """A frame of a group member becomes the Opus packet that was sent."""
    frame = group[SPEAKER].encrypt_opus(OPUS)

    assert frame != OPUS
    assert open_frame(_keys(group[BOT]), SPEAKER, frame) == OPUS


def test_dave_frames_are_recognised(group: dict[int, davey.DaveSession]) -> None:
    """Frames of any length that davey makes carry the trailer we look for."""
    assert all(is_dave_frame(group[SPEAKER].encrypt_opus(b"\xfc" * length)) for length in range(2, 400, 7))


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(OPUS, id="Opus"),
        pytest.param(SILENCE, id="silence"),
        pytest.param(b"\xfcends like this \xfa\xfa", id="marker by chance, impossible length"),
        pytest.param(b"\xfa\xfa", id="marker alone"),
        pytest.param(b"\x0c\xfa\xfa", id="too short for its trailer"),
    ],
)
def test_plain_frames_are_not(frame: bytes) -> None:
    """Opus is not taken for a DAVE frame."""
    assert not is_dave_frame(frame)


def test_silence_passes_in_clear(group: dict[int, davey.DaveSession]) -> None:
    """A silence frame is audio as it is, even inside an encrypted call, even without a session."""
    assert open_frame(_keys(group[BOT]), SPEAKER, SILENCE) == SILENCE
    assert open_frame(_keys(None), SPEAKER, SILENCE) == SILENCE


def test_stranger_is_not_opened(group: dict[int, davey.DaveSession]) -> None:
    """A frame of a user who is not in the group gives nothing, not its ciphertext."""
    frame = group[SPEAKER].encrypt_opus(OPUS)

    assert open_frame(_keys(group[BOT]), STRANGER, frame) is None


def test_other_group_is_not_opened(group: dict[int, davey.DaveSession]) -> None:
    """A frame from before the group was re-created gives nothing."""
    frame = make_group([BOT, SPEAKER])[SPEAKER].encrypt_opus(OPUS)

    assert open_frame(_keys(group[BOT]), SPEAKER, frame) is None


def test_plain_frame_in_encrypted_call_is_refused(group: dict[int, davey.DaveSession]) -> None:
    """Clear Opus in an encrypted call is not audio of its sender."""
    assert open_frame(_keys(group[BOT]), SPEAKER, OPUS) is None


def test_no_session_opens_nothing(group: dict[int, davey.DaveSession]) -> None:
    """In an encrypted call without a session nothing is taken for audio."""
    assert open_frame(_keys(None), SPEAKER, group[SPEAKER].encrypt_opus(OPUS)) is None


def test_version_0_is_plain() -> None:
    """Without end-to-end encryption the payload is the Opus packet."""
    assert open_frame(_keys(None, version=0), SPEAKER, OPUS) == OPUS


def test_version_0_never_takes_ciphertext(group: dict[int, davey.DaveSession]) -> None:
    """After a downgrade, encrypted frames still under way are opened if they can be, else dropped."""
    frame = group[SPEAKER].encrypt_opus(OPUS)

    assert open_frame(_keys(None, version=0), SPEAKER, frame) is None
    assert open_frame(_keys(group[BOT], version=0), SPEAKER, frame) == OPUS


def test_replaced_session_is_used(group: dict[int, davey.DaveSession]) -> None:
    """The session is asked for at each frame: a re-created group is heard at once."""
    connection = Connection(group[BOT])
    keys = ConnectionKeys(connection)
    again = make_group([BOT, SPEAKER])
    frame = again[SPEAKER].encrypt_opus(OPUS)
    connection.dave_session = again[BOT]

    assert open_frame(keys, SPEAKER, frame) == OPUS


@pytest.mark.parametrize("answer", [b"", b"\xfc" * 9 + b"\x0c\xfa\xfa"], ids=["nothing", "still encrypted"])
def test_useless_answer_is_refused(answer: bytes) -> None:
    """Whatever a session answers, nothing and ciphertext are not audio."""

    class Odd:
        mode, secret_key, dave_protocol_version = XCHACHA20, KEY, 1
        dave_decrypt = staticmethod(lambda user_id, frame: answer)

    assert open_frame(Odd(), SPEAKER, OPUS) is None


def test_session_in_use_is_no_crash() -> None:
    """A session that is being re-keyed on another thread (RuntimeError) costs one frame."""

    def busy(user_id: int, frame: bytes) -> bytes:
        raise RuntimeError("Already mutably borrowed")

    class Busy:
        mode, secret_key, dave_protocol_version, dave_decrypt = XCHACHA20, KEY, 1, staticmethod(busy)

    assert open_frame(Busy(), SPEAKER, OPUS) is None
