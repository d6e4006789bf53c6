"""Reads and writes the envelopes of the LAN RPC.

POST /rpc/handshake  {client_id, client_public_key, device_name?, prove?}
                     -> {success, hub_public_key, hub_id, hub_name, hub_proof?}
POST /rpc/query      {client_id, payload} -> {success, payload}, opened: {query, params, token}
POST /rpc/command    {client_id, payload} -> {success, payload}, opened: {command, data, token}

Keys and payloads are base64url without padding (RFC 4648 section 5): the phone refuses any other form,
and so does the hub. Source: PROTOCOL.md "Envelopes".
"""

import base64
import binascii
from collections.abc import Iterator
from mmap import mmap
from typing import TypeVar

import msgspec

from hub.core.errors import Malformed
from hub.core.phone import cipher
from hub.core.phone.keys import KEY_BYTES, PublicKey

CLIENT_ID_CHARS = 128
NAME_CHARS = 80
HANDSHAKE_BYTES_MAX = 4096
ENVELOPE_BYTES = 1024
"""What an envelope may hold beside its payload."""

_CHUNK = 3 * 256 * 1024
_ANSWER_CHUNK = 3 * 16 * 1024
"""The server holds 16 pieces for a phone that is slow to read; whoever sends waits from then on."""
_T = TypeVar("_T")


class Handshake(msgspec.Struct, frozen=True):
    """A phone asks for a session."""

    client_id: str
    client_public_key: str
    device_name: str | None = None
    prove: bool = False
    """Asks the hub to prove its identity, for an app that checks it."""

    def __post_init__(self) -> None:
        """Hold the client_id to what a header, a log and a table can carry."""
        _check_client_id(self.client_id)
        if self.device_name is not None and len(self.device_name) > NAME_CHARS:
            raise ValueError(f"device_name is longer than {NAME_CHARS} characters")


class HandshakeAnswer(msgspec.Struct, frozen=True):
    """The hub's half of a handshake."""

    success: bool
    hub_public_key: str
    hub_id: str
    hub_name: str
    hub_proof: str | msgspec.UnsetType = msgspec.UNSET
    """Only for who asked: today's app has not been seen with a field more."""


class Envelope(msgspec.Struct, frozen=True):
    """A sealed request; ``payload`` is still the JSON token, quotes included, so that it is not copied."""

    client_id: str
    payload: msgspec.Raw

    def __post_init__(self) -> None:
        """Hold the client_id to its bound."""
        _check_client_id(self.client_id)


class Query(msgspec.Struct, frozen=True):
    """An opened query; ``params`` stays JSON until its procedure reads it."""

    query: str
    params: msgspec.Raw = msgspec.Raw(b"{}")
    token: str | None = None


class Command(msgspec.Struct, frozen=True):
    """An opened command; ``data`` stays JSON until its procedure reads it."""

    command: str
    data: msgspec.Raw = msgspec.Raw(b"{}")
    token: str | None = None


def read(kind: type[_T], body: bytes | bytearray | memoryview | mmap) -> _T:
    """Read ``body`` as ``kind``; Malformed names the field, never the value."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Malformed(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed("not JSON") from None


def encode(raw: bytes) -> str:
    """Write bytes as base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")


def decode(text: bytes | memoryview) -> bytearray:
    """Read base64url without padding, piece by piece so that a large payload is held once.

    Raises Malformed for padding, other alphabets, blanks and impossible lengths.
    """
    view = memoryview(text)
    if len(view) % 4 == 1:
        raise Malformed("not base64url without padding")
    raw = bytearray(len(view) * 3 // 4)  # growing it would hold it twice
    step = 4 * (_CHUNK // 3)
    for start in range(0, len(view), step):
        piece = bytes(view[start : start + step]).translate(_FROM_URL)
        padding = b"=" * (-len(piece) % 4)
        try:
            opened = msgspec.convert((piece + padding).decode("ascii"), bytes)  # faster than binascii, and as strict
        except (msgspec.ValidationError, UnicodeDecodeError):
            raise Malformed("not base64url without padding") from None
        raw[start // 4 * 3 : (start + step) // 4 * 3] = opened
    return raw


def payload_bytes(envelope: Envelope) -> bytearray:
    """Return the sealed bytes of an envelope."""
    token = memoryview(envelope.payload)
    if len(token) < 2 or bytes(token[:1]) != b'"':  # noqa: PLR2004  two quotes
        raise Malformed("payload is not text")
    return decode(token[1:-1])


def public_key(text: str) -> PublicKey:
    """Read a public key of 32 bytes."""
    raw = decode(text.encode("utf-8", "replace"))
    if len(raw) != KEY_BYTES:
        raise Malformed(f"a public key has {KEY_BYTES} bytes")
    return PublicKey(bytes(raw))


def body_bytes(payload_bytes: int) -> int:
    """Return how many bytes the largest body has whose opened payload has so many."""
    return -(-(payload_bytes + cipher.OVERHEAD_BYTES) * 4 // 3) + ENVELOPE_BYTES


def answer_size(sealed: bytes) -> int:
    """Return how many bytes ``answer_pieces`` will give."""
    return len(_HEAD) + -(-len(sealed) * 4 // 3) + len(_TAIL)


def answer_pieces(sealed: bytes) -> Iterator[bytes]:
    """Write ``{"success": true, "payload": ...}`` piece by piece, so that the text is never whole in memory."""
    yield _HEAD
    view = memoryview(sealed)
    for start in range(0, len(view), _ANSWER_CHUNK):
        piece = binascii.b2a_base64(view[start : start + _ANSWER_CHUNK], newline=False)
        yield piece.translate(_TO_URL).rstrip(b"=")
    yield _TAIL


_HEAD = b'{"success":true,"payload":"'
_TAIL = b'"}'
_FROM_URL = bytes.maketrans(b"-_+/=", b"+/\0\0\0")
_TO_URL = bytes.maketrans(b"+/", b"-_")


def _check_client_id(client_id: str) -> None:
    if not 0 < len(client_id) <= CLIENT_ID_CHARS or not client_id.isprintable() or not client_id.isascii():
        raise ValueError(f"client_id must be 1 to {CLIENT_ID_CHARS} printable ASCII characters")
