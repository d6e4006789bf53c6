r"""Locks a stream of bytes with a passphrase, in chunks, so that neither side holds more than one of them in memory.

    locked  = header + chunk*
    header  = "hikma-hub-backup 1\n"(19) + log2 of scrypt's N(1) + salt(16)
    key     = scrypt(passphrase, salt, N, r = 8, p = 1, 32 bytes)          RFC 7914
    chunk   = AES-256-GCM(65,536 bytes of plaintext, the last one 0 to 65,536) + tag(16)
    nonce   = number of the chunk from 0, big-endian(11) + 1 for the last chunk, else 0(1)

The salt is drawn for each stream, so no key meets a nonce twice. The header is each chunk's additional data. A stream
that was cut off, put together anew or lengthened does not open: this is the STREAM construction (Hoang, Reyhanitabar,
Rogaway, Vizar: "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015) as age uses it.
"""

import os
from collections.abc import Iterable, Iterator
from itertools import count

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from hub.core.errors import OperatorError

CHUNK_BYTES = 64 * 1024
PASSPHRASE_CHARS_MIN = 12
_MAGIC = b"hikma-hub-backup 1\n"
_TAG_BYTES = 16
_SALT_BYTES = 16
_HEADER_BYTES = len(_MAGIC) + 1 + _SALT_BYTES
_COST = 16
"""64 MiB and about a second on a Pi: what each guess at the passphrase costs too."""
_COST_MAX = 18
"""256 MiB: a forged header must not take all memory of the smallest board."""


def lock(passphrase: str, plain: Iterable[bytes]) -> Iterator[bytes]:
    """Return the locked stream, a chunk at a time."""
    header = _MAGIC + bytes([_COST]) + os.urandom(_SALT_BYTES)
    cipher = _cipher(passphrase, header)
    yield header
    for nonce, chunk in _numbered(_sized(plain, CHUNK_BYTES)):
        yield cipher.encrypt(nonce, chunk, header)


def unlock(passphrase: str, locked: Iterable[bytes]) -> Iterator[bytes]:
    """Return the plaintext, a chunk at a time; each was proven before it is given, the end only when it has come.

    Raises OperatorError: what is no such file, the wrong passphrase, or a file that is damaged or incomplete.
    """
    pieces = iter(locked)
    begin = b""
    while len(begin) < _HEADER_BYTES:
        piece = next(pieces, None)
        if piece is None:
            break
        begin += piece
    header, rest = begin[:_HEADER_BYTES], begin[_HEADER_BYTES:]
    if len(header) < _HEADER_BYTES or not header.startswith(_MAGIC) or not 0 < header[len(_MAGIC)] <= _COST_MAX:
        raise OperatorError("this is not a backup of a Hikma Hub, or of a newer one")
    cipher = _cipher(passphrase, header)
    for nonce, chunk in _numbered(_sized(_after(rest, pieces), CHUNK_BYTES + _TAG_BYTES)):
        try:
            yield cipher.decrypt(nonce, chunk, header)
        except InvalidTag:
            is_first = not any(nonce[:-1])
            raise OperatorError(
                "the passphrase is wrong, or the file is damaged" if is_first else "the file is damaged or cut off"
            ) from None


def is_fit(passphrase: str) -> bool:
    """Return whether a passphrase is long enough."""
    return len(passphrase) >= PASSPHRASE_CHARS_MIN


def _cipher(passphrase: str, header: bytes) -> AESGCM:
    cost, salt = header[len(_MAGIC)], header[len(_MAGIC) + 1 :]
    return AESGCM(Scrypt(salt=salt, length=32, n=2**cost, r=8, p=1).derive(passphrase.encode()))


def _numbered(chunks: Iterator[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Return each chunk with its nonce; there is always a last one, though it may be empty."""
    chunk = next(chunks, b"")
    for number in count():
        after = next(chunks, None)
        yield number.to_bytes(11, "big") + bytes([after is None]), chunk
        if after is None:
            return
        chunk = after


def _sized(pieces: Iterable[bytes], size: int) -> Iterator[bytes]:
    """Cut pieces of any size anew; only the last one is smaller."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        while len(waiting) >= size:
            yield bytes(waiting[:size])
            del waiting[:size]
    if waiting:
        yield bytes(waiting)


def _after(first: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from pieces
