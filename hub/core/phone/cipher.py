"""Seals and opens one message: AES-256-GCM (NIST SP 800-38D).

sealed = nonce(12) + ciphertext + tag(16); the direction is the additional data.
"""

import os
from collections.abc import Iterable
from enum import Enum

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, CipherContext, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from hub.core.errors import Unauthorised
from hub.core.phone.keys import SessionKey

NONCE_BYTES = 12
TAG_BYTES = 16
OVERHEAD_BYTES = NONCE_BYTES + TAG_BYTES

_FIRST_COUNTER = b"\0\0\0\2"  # counter 1 masks the tag, counter 2 the first block (SP 800-38D section 7.1)
_PIECE_BYTES = 256 * 1024
_JSON_STARTS = b"{ \t\r\n"


class Direction(Enum):
    """What a message is; sealed as additional data, so that one cannot pass for another."""

    QUERY = b"query"
    QUERY_RESPONSE = b"query_response"
    COMMAND = b"command"
    COMMAND_RESPONSE = b"command_response"


def seal(key: SessionKey, plaintext: bytes, direction: Direction) -> bytes:
    """Seal ``plaintext`` under a fresh nonce."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plaintext, direction.value)


def open_sealed(key: SessionKey, sealed: bytes | bytearray | memoryview, direction: Direction) -> bytes:
    """Open what ``seal`` made.

    Raises Unauthorised when it is too short or was not sealed with this key for this direction.
    """
    view = memoryview(sealed)
    if len(view) < OVERHEAD_BYTES:
        raise Unauthorised("sealed message too short")
    try:
        return AESGCM(key).decrypt(view[:NONCE_BYTES], view[NONCE_BYTES:], direction.value)
    except InvalidTag:
        raise Unauthorised("sealed message does not open") from None


def may_fit(key: SessionKey, sealed: bytes | bytearray | memoryview) -> bool:
    """Judge by one block whether ``key`` can be the right one: the plaintext must begin like a JSON object.

    A phone has several live keys and names none of them. Trying each on 64 MB would let anybody
    with a captured client_id spend minutes of a Pi's time with one request; this turns 16 of 17 tries away
    at the cost of one AES block. It proves nothing: ``open_sealed`` does.
    """
    if len(sealed) < OVERHEAD_BYTES + 1:
        return False
    # One block in ECB is the keystream of GCM's first block; no data is encrypted with it.
    block = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305
    stream = block.update(bytes(sealed[:NONCE_BYTES]) + _FIRST_COUNTER)
    return (sealed[NONCE_BYTES] ^ stream[0]) in _JSON_STARTS


def open_with_any(keys: Iterable[SessionKey], sealed: bytearray, direction: Direction) -> tuple[SessionKey, bytearray]:
    """Open a message where it lies, with whichever of ``keys`` fits; returns that key too.

    ``sealed`` becomes the plaintext, so that 64 MB are in memory once. Raises Unauthorised when no key fits; ``sealed``
    is as it was then.
    """
    for key in keys:
        if may_fit(key, sealed) and _opens(key, sealed, direction):
            return key, sealed
    raise Unauthorised("no key of this device opens it")


def _opens(key: SessionKey, sealed: bytearray, direction: Direction) -> bool:
    nonce, tag = bytes(sealed[:NONCE_BYTES]), bytes(sealed[-TAG_BYTES:])
    opening = Cipher(algorithms.AES(key), modes.GCM(nonce, tag)).decryptor()
    opening.authenticate_additional_data(direction.value)
    _pass(opening, sealed)
    try:
        opening.finalize()
    except InvalidTag:
        _pass(Cipher(algorithms.AES(key), modes.GCM(nonce)).encryptor(), sealed)  # the same key stream takes it back
        return False
    del sealed[-TAG_BYTES:]
    del sealed[:NONCE_BYTES]
    return True


def _pass(stream: CipherContext, sealed: bytearray) -> None:
    """Pass the ciphertext through a stream cipher, in pieces: other threads go on between them."""
    with memoryview(sealed) as whole, whole[NONCE_BYTES:-TAG_BYTES] as text:
        for at in range(0, len(text), _PIECE_BYTES):
            with text[at : at + _PIECE_BYTES] as piece:
                stream.update_into(piece, piece)
