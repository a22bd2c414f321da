"""Speak for the voice server in a DAVE call: the bytes of an MLS external sender.

No clock and no I/O here. What a voice server sends and reads of MLS, in the order of a call:

1. ``serialize_external_sender`` is the binary op 25 that every client gets after its session description;
2. ``parse_key_package`` checks the op 26 that a client answers with;
3. ``ExternalSender.propose_add`` and ``propose_remove`` make the op 27 that members turn into a commit;
4. ``parse_commit`` splits a member's op 28 into the commit (announced as op 29) and the Welcome (op 30).

Formats: https://www.rfc-editor.org/rfc/rfc9420 (sections in the code) and https://daveprotocol.com/.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

MLS_VERSION = 1
WIRE_PUBLIC_MESSAGE = 1
SENDER_MEMBER = 1
SENDER_EXTERNAL = 2
CONTENT_PROPOSAL = 2
CONTENT_COMMIT = 3
PROPOSAL_ADD = 1
PROPOSAL_REMOVE = 3
CREDENTIAL_BASIC = 1
PROPOSALS_APPEND = 0
LEAF_FROM_KEY_PACKAGE = 1
LEAF_FROM_COMMIT = 3
CIPHERSUITE_P256 = 2


class MalformedMls(ValueError):
    """The client's MLS bytes do not follow RFC 9420."""


@dataclass(frozen=True, slots=True)
class KeyPackage:
    """One client's offer to be added to the group."""

    user_id: int
    """Discord user id: the 8 big-endian bytes of the basic credential."""
    raw: bytes
    """The package as it came, to be put verbatim into an Add proposal."""


@dataclass(frozen=True, slots=True)
class Commit:
    """One member's commit, with the Welcome for whoever it adds."""

    group_id: bytes
    epoch: int
    """The epoch that the commit ends."""
    leaf_index: int
    """The leaf of the member that made it."""
    raw: bytes
    """The whole MLSMessage, as op 29 carries it."""
    welcome: bytes
    """The Welcome that op 30 carries; empty when nobody was added."""


def serialize_vector(content: bytes) -> bytes:
    """Put the variable-length prefix of RFC 9420 section 2.1.2 before *content*."""
    size = len(content)
    if size < 1 << 6:
        return bytes([size]) + content
    if size < 1 << 14:
        return (size | 1 << 14).to_bytes(2, "big") + content
    if size < 1 << 30:
        return (size | 2 << 30).to_bytes(4, "big") + content
    raise ValueError(f"An MLS vector holds less than 2**30 bytes, not {size}.")


@dataclass(slots=True)
class Reader:
    """Walk over MLS bytes from the front.

    Every method raises MalformedMls when the bytes end too early.
    """

    content: bytes
    offset: int = 0

    def take(self, size: int) -> bytes:
        """Return the next *size* bytes."""
        end = self.offset + size
        if end > len(self.content):
            raise MalformedMls(f"MLS bytes end at {len(self.content)}, but {end} are needed.")
        piece = self.content[self.offset : end]
        self.offset = end
        return piece

    def uint(self, size: int) -> int:
        """Return the next *size* bytes as a big-endian number."""
        return int.from_bytes(self.take(size), "big")

    def vector(self) -> bytes:
        """Return the content of the next variable-length vector."""
        first = self.uint(1)
        prefix = first >> 6
        if prefix == 3:
            raise MalformedMls("An MLS vector starts with the reserved length prefix 11.")
        length = first & 0x3F
        for _ in range((1 << prefix) - 1):
            length = length << 8 | self.uint(1)
        if prefix and length < 1 << (6 if prefix == 1 else 14):
            raise MalformedMls("An MLS vector's length is not in its shortest form.")
        return self.take(length)

    def rest(self) -> bytes:
        """Return everything that is left."""
        return self.take(len(self.content) - self.offset)


def parse_key_package(raw: bytes) -> KeyPackage:
    """Read whose key package *raw* is.

    Raises MalformedMls when it is not one MLS 1.0 key package of DAVE's cipher suite
    with a basic credential of 8 bytes (RFC 9420 section 10).
    """
    reader = Reader(raw)
    _expect(reader.uint(2), MLS_VERSION, "protocol version")
    _expect(reader.uint(2), CIPHERSUITE_P256, "cipher suite")
    reader.vector()  # init_key
    identity = _skip_leaf_node(reader)
    reader.vector()  # extensions
    reader.vector()  # signature
    if reader.rest():
        raise MalformedMls("Bytes follow the key package.")
    if len(identity) != 8:
        raise MalformedMls(f"A DAVE credential is a user id of 8 bytes, not of {len(identity)}.")
    return KeyPackage(int.from_bytes(identity, "big"), raw)


def parse_commit(raw: bytes) -> Commit:
    """Split an op 28 payload into the commit and the Welcome after it.

    Raises MalformedMls when it does not start with a member's public commit (RFC 9420 section 12.4).
    """
    reader = Reader(raw)
    _expect(reader.uint(2), MLS_VERSION, "protocol version")
    _expect(reader.uint(2), WIRE_PUBLIC_MESSAGE, "wire format")
    group_id = reader.vector()
    epoch = reader.uint(8)
    _expect(reader.uint(1), SENDER_MEMBER, "sender type")
    leaf_index = reader.uint(4)
    reader.vector()  # authenticated_data
    _expect(reader.uint(1), CONTENT_COMMIT, "content type")
    reader.vector()  # proposals
    if reader.uint(1):
        _skip_leaf_node(reader)
        reader.vector()  # the path's nodes
    for _ in ("signature", "confirmation_tag", "membership_tag"):
        reader.vector()
    end = reader.offset
    return Commit(group_id, epoch, leaf_index, raw[:end], _checked_welcome(raw[end:]))


def serialize_announcement(transition_id: int, message: bytes) -> bytes:
    """Make the payload of op 29 (commit) or op 30 (Welcome)."""
    return transition_id.to_bytes(2, "big") + message


@dataclass(frozen=True)
class ExternalSender:
    """The voice server's own voice in one MLS group (RFC 9420 section 12.1.8)."""

    group_id: bytes
    """The channel id, 8 bytes big-endian."""
    identity: bytes = b"loopback"
    _key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1()), repr=False
    )

    def package(self) -> bytes:
        """Make the op 25 payload: signature key and credential."""
        point = self._key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        credential = CREDENTIAL_BASIC.to_bytes(2, "big") + serialize_vector(self.identity)
        return serialize_vector(point) + credential

    def propose_add(self, epoch: int, key_package: bytes) -> bytes:
        """Make the op 27 payload that adds the owner of *key_package*."""
        return self._propose(epoch, PROPOSAL_ADD.to_bytes(2, "big") + key_package)

    def propose_remove(self, epoch: int, leaf_index: int) -> bytes:
        """Make the op 27 payload that removes the member at *leaf_index*."""
        return self._propose(epoch, PROPOSAL_REMOVE.to_bytes(2, "big") + leaf_index.to_bytes(4, "big"))

    def _propose(self, epoch: int, proposal: bytes) -> bytes:
        framed = self._framed(epoch, proposal)
        label = serialize_vector(b"MLS 1.0 FramedContentTBS")
        # The sender is external, so no group context follows the content (section 6.1).
        signature = self._key.sign(label + serialize_vector(framed), ec.ECDSA(hashes.SHA256()))
        message = framed + serialize_vector(signature)
        return bytes([PROPOSALS_APPEND]) + serialize_vector(message)

    def _framed(self, epoch: int, proposal: bytes) -> bytes:
        return b"".join(
            (
                MLS_VERSION.to_bytes(2, "big"),
                WIRE_PUBLIC_MESSAGE.to_bytes(2, "big"),
                serialize_vector(self.group_id),
                epoch.to_bytes(8, "big"),
                bytes([SENDER_EXTERNAL]) + (0).to_bytes(4, "big"),
                serialize_vector(b""),  # authenticated_data
                bytes([CONTENT_PROPOSAL]),
                proposal,
            )
        )


def _checked_welcome(raw: bytes) -> bytes:
    if not raw:
        return raw
    reader = Reader(raw)
    _expect(reader.uint(2), CIPHERSUITE_P256, "Welcome's cipher suite")
    reader.vector()  # secrets
    reader.vector()  # encrypted_group_info
    if reader.rest():
        raise MalformedMls("Bytes follow the Welcome.")
    return raw


def _skip_leaf_node(reader: Reader) -> bytes:
    """Step over one LeafNode (section 7.2) and return the identity in its credential."""
    reader.vector()  # encryption_key
    reader.vector()  # signature_key
    _expect(reader.uint(2), CREDENTIAL_BASIC, "credential type")
    identity = reader.vector()
    for _ in ("versions", "cipher_suites", "extensions", "proposals", "credentials"):
        reader.vector()
    source = reader.uint(1)
    if source == LEAF_FROM_KEY_PACKAGE:
        reader.take(16)  # lifetime
    elif source == LEAF_FROM_COMMIT:
        reader.vector()  # parent_hash
    reader.vector()  # extensions
    reader.vector()  # signature
    return identity


def _expect(found: int, wanted: int, field_name: str) -> None:
    if found != wanted:
        raise MalformedMls(f"The {field_name} is {found}, but {wanted} is needed here.")
