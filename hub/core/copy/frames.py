r"""Seals the entries of a journal file, and reads them back as far as the file is whole.

    file    = "hikma-hub journal 1\n" + number of the file(8) + ephemeral public key(32) + wrapped file key(32)
              + random(16) + frames                                (wrapping: encrypted_stream/recipient.py)
    frame   = head + sealed + CRC-32 of both(4)
    head    = first(8) + last(8) + is the entry's last part(1) + bytes of sealed(4)      big-endian, as all numbers
    sealed  = AES-256-GCM(a part of an entry), additional data: the file's bytes before the frames + head
    key     = HKDF-SHA256(file key(16), salt = random, info = "hikma-hub journal"), nonce: number of the frame(12)

So a frame opens at its own place of its own file alone, and which transactions an entry covers is proven with it. What
is in the clear is what the box needs to go on after a restart, when it has no key to read any more.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hub.core.copy.chain import Span
from hub.core.encrypted_stream.chunks import PieceReader
from hub.core.encrypted_stream.recipient import unwrap, wrap
from hub.core.errors import OperatorError

MAGIC = b"hikma-hub journal 1\n"
_HEADER = struct.Struct(f">{len(MAGIC)}sQ32s32s16s")
_HEAD = struct.Struct(">QQ?I")
_CRC = struct.Struct(">I")
_TAG_BYTES = 16
_SEALED_BYTES_MAX = 128 * 1024 * 1024
"""More than the largest record that a push may hold; what a stick claims beyond it is damage."""


class Frame(NamedTuple):
    """A frame of a file that is whole, as far as that can be seen without the key."""

    span: Span
    is_last: bool
    place: int
    """Its number in the file, from 0."""
    sealed: bytes


class JournalSealer:
    """Seals the frames of one new file; the key is gone with it."""

    def __init__(self, number: int, recipient: bytes) -> None:
        file_key, random = os.urandom(16), os.urandom(16)
        share, wrapped = wrap(file_key, recipient)
        self.header = _HEADER.pack(MAGIC, number, share, wrapped, random)
        self._cipher = _cipher(file_key, random)
        self._place = 0

    def seal(self, span: Span, part: bytes, *, is_last: bool) -> bytes:
        """Return the next frame."""
        head = _HEAD.pack(span.first, span.last, is_last, len(part) + _TAG_BYTES)
        sealed = self._cipher.encrypt(self._place.to_bytes(12, "big"), part, self.header + head)
        self._place += 1
        return b"".join((head, sealed, _CRC.pack(zlib.crc32(sealed, zlib.crc32(head)))))


class JournalFile:
    """A file that is read from its beginning; what a power cut left at its end is not there."""

    def __init__(self, source: PieceReader) -> None:
        self._source = source
        self._header = source.read(_HEADER.size)
        is_whole = len(self._header) == _HEADER.size and self._header.startswith(MAGIC)
        self.number = _HEADER.unpack(self._header)[1] if is_whole else None
        """None: not even the beginning is there."""
        self.is_torn = not is_whole
        """Whether something follows, or was to follow, the last whole frame; known when all frames were read."""

    def frames(self) -> Iterator[Frame]:
        """Return the frames, as far as they are whole."""
        place = 0
        while not self.is_torn:
            head = self._source.read(_HEAD.size)
            if not head:
                return
            frame = self._frame(head, place)
            self.is_torn = frame is None
            if frame:
                yield frame
                place += 1

    def _frame(self, head: bytes, place: int) -> Frame | None:
        if len(head) < _HEAD.size:
            return None
        first, last, is_last, size = _HEAD.unpack(head)
        if size > _SEALED_BYTES_MAX:
            return None
        sealed = self._source.read(size)
        crc = self._source.read(_CRC.size)
        if len(crc) < _CRC.size or _CRC.unpack(crc)[0] != zlib.crc32(sealed, zlib.crc32(head)):
            return None
        return Frame(Span(first, last), is_last, place, sealed)

    def opener(self, private: bytes) -> "Opener":
        """Return what opens the frames; raises OperatorError for the wrong passphrase."""
        _, _, share, wrapped, random = _HEADER.unpack(self._header)
        return Opener(self._header, _cipher(unwrap(share, wrapped, private), random))


class Opener:
    """Opens the frames of one file."""

    def __init__(self, header: bytes, cipher: AESGCM) -> None:
        self._header = header
        self._cipher = cipher

    def open(self, frame: Frame) -> bytes:
        """Return what was sealed; raises OperatorError for a frame that is not what was written there."""
        head = _HEAD.pack(frame.span.first, frame.span.last, frame.is_last, len(frame.sealed))
        try:
            return self._cipher.decrypt(frame.place.to_bytes(12, "big"), frame.sealed, self._header + head)
        except InvalidTag:
            raise OperatorError("the copy was changed after it was written") from None


def _cipher(file_key: bytes, random: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), 32, salt=random, info=b"hikma-hub journal").derive(file_key))
