"""Seals a stream in chunks, so that neither side holds more than two of them: the STREAM construction, as age uses it.

    nonce = number of the chunk from 0, big-endian(11) + 1 for the last chunk, else 0(1)
    chunk = AEAD(65,536 bytes of plaintext, the last one 0 to 65,536) + tag(16)

A stream that was cut off, reordered or lengthened does not open (Hoang, Reyhanitabar, Rogaway, Vizar: "Online
Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", 2015).
"""

from collections.abc import Iterable, Iterator
from itertools import count
from typing import Protocol

from cryptography.exceptions import InvalidTag

from hub.core.errors import OperatorError, WrongPassphrase

CHUNK_BYTES = 64 * 1024
TAG_BYTES = 16


class Aead(Protocol):
    """An authenticated cipher, as ``cryptography`` offers them."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return ciphertext and tag."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes | None) -> bytes:
        """Return the plaintext; raises InvalidTag."""


class PieceReader:
    """Reads bytes that arrive in pieces of any size."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._waiting = bytearray()

    def starts_with(self, magic: bytes) -> bool:
        """Return whether these are the next bytes; takes none away."""
        return self._fill(len(magic)) and self._waiting.startswith(magic)

    def read(self, size: int) -> bytes:
        """Take the next ``size`` bytes, fewer at the end; a file to a reader of archives."""
        self._fill(size)
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        return taken

    def read_line(self, most: int) -> bytes:
        """Take the next line without its LF; raises OperatorError where none ends within ``most`` bytes."""
        self._fill(most)
        end = self._waiting.find(b"\n", 0, most)
        if end < 0:
            raise OperatorError("the header of the backup is damaged")
        return self.read(end + 1)[:-1]

    def _fill(self, size: int) -> bool:
        while len(self._waiting) < size:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._waiting += piece
        return True


def seal(cipher: Aead, plain: Iterable[bytes], header: bytes | None = None) -> Iterator[bytes]:
    """Return the chunks of ``plain``; ``header`` is authenticated with each."""
    for nonce, chunk in _numbered(PieceReader(plain), CHUNK_BYTES):
        yield cipher.encrypt(nonce, chunk, header)


def unseal(cipher: Aead, sealed: PieceReader, header: bytes | None = None) -> Iterator[bytes]:
    """Return the plaintext chunk by chunk, each authenticated; raises OperatorError."""
    for nonce, chunk in _numbered(sealed, CHUNK_BYTES + TAG_BYTES):
        is_first = not any(nonce[:-1])
        try:
            plain = cipher.decrypt(nonce, chunk, header)
        except InvalidTag:
            if is_first:
                raise WrongPassphrase("the passphrase is wrong, or the file is damaged") from None
            raise OperatorError("the file is damaged or cut off") from None
        if not plain and not is_first:  # age allows an empty end to an empty file alone
            raise OperatorError("the file is damaged or cut off")
        yield plain


def _numbered(source: PieceReader, size: int) -> Iterator[tuple[bytes, bytes]]:
    """Return each chunk with its nonce; there is always a last one, though it may be empty."""
    chunk = source.read(size)
    for number in count():
        after = source.read(size)
        yield number.to_bytes(11, "big") + bytes([not after]), chunk
        if not after:
            return
        chunk = after
