"""A disk that loses what was not flushed: a server of the network block device protocol in front of a card's image.

Writes stay in memory until a FLUSH or a write with FUA takes them to the file, as the cache of a card or an SSD does.
SIGUSR1 is the power cut: a random half of the sectors that were not flushed reach the file, the others never do.
SIGTERM is a restart of the board, in which the card keeps its power: all of them do.
``--kept-from``: what lies before this byte is never written to the file, flushed or not.
Source: the NBD protocol, doc/proto.md of github.com/NetworkBlockDevice/nbd, fixed newstyle.
"""

import argparse
import os
import random
import signal
import socket
import struct
import sys
from enum import IntEnum
from pathlib import Path
from typing import NoReturn

_SECTOR = 512
_KEPT = 0.5
_FLAGS = 1 | 4 | 8
"""HAS_FLAGS, SEND_FLUSH, SEND_FUA."""
_REPLY_MAGIC = 0x3E889045565A9
_SIMPLE_REPLY_MAGIC = 0x67446698
_ACK, _INFO, _UNSUPPORTED = 1, 3, 0x80000001


class _Option(IntEnum):
    EXPORT_NAME = 1
    ABORT = 2
    INFO = 6
    GO = 7


class _Request(IntEnum):
    READ = 0
    WRITE = 1
    DISCONNECT = 2
    FLUSH = 3


_EINVAL = 22


class VolatileDisk:
    """The image, and the sectors that are in front of it."""

    def __init__(self, image: Path, kept_from: int = 0) -> None:
        self._kept_from = kept_from // _SECTOR
        self._file = os.open(image, os.O_RDWR)
        self.size = os.fstat(self._file).st_size
        self._waiting: dict[int, bytes] = {}

    def read(self, offset: int, length: int) -> bytes:
        """Read what was written last, flushed or not."""
        data = bytearray(os.pread(self._file, length, offset))
        first, last = offset // _SECTOR, (offset + length) // _SECTOR
        numbers = range(first, last) if last - first < len(self._waiting) else list(self._waiting)
        for number in numbers:
            if first <= number < last and number in self._waiting:
                at = number * _SECTOR - offset
                data[at : at + _SECTOR] = self._waiting[number]
        return bytes(data)

    def write(self, offset: int, data: bytes) -> None:
        """Keep for now."""
        for at in range(0, len(data), _SECTOR):
            self._waiting[(offset + at) // _SECTOR] = data[at : at + _SECTOR]

    def flush(self) -> None:
        """Bring everything to the card."""
        self._keep(list(self._waiting))

    def cut(self) -> str:
        """Lose the power; returns how much was kept and lost."""
        chance = random.Random()
        waiting = [number for number in self._waiting if number >= self._kept_from]
        kept = [number for number in waiting if chance.random() < _KEPT]
        lost = len(waiting) - len(kept)
        self._keep(kept)
        return f"{len(kept)} sectors kept, {lost} lost"

    def _keep(self, numbers: list[int]) -> None:
        numbers = sorted(number for number in numbers if number >= self._kept_from)
        start = 0
        for end in range(1, len(numbers) + 1):
            if end == len(numbers) or numbers[end] != numbers[end - 1] + 1:
                run = b"".join(self._waiting.pop(number) for number in numbers[start:end])
                os.pwrite(self._file, run, numbers[start] * _SECTOR)
                start = end


def _take(peer: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        part = peer.recv(length - len(data))
        if not part:
            raise EOFError
        data += part
    return bytes(data)


def _negotiate(peer: socket.socket, size: int) -> None:
    """Agree on the one export; raises EOFError when the peer only wanted to look."""
    peer.sendall(b"NBDMAGICIHAVEOPT" + struct.pack(">H", 3))
    _take(peer, 4)
    while True:
        _, option, length = struct.unpack(">8sII", _take(peer, 16))
        _take(peer, length)

        def reply(kind: int, data: bytes = b"", option: int = option) -> None:
            peer.sendall(struct.pack(">QIII", _REPLY_MAGIC, option, kind, len(data)) + data)

        match option:
            case _Option.EXPORT_NAME:
                peer.sendall(struct.pack(">QH", size, _FLAGS))
                return
            case _Option.INFO | _Option.GO:
                reply(_INFO, struct.pack(">HQH", 0, size, _FLAGS))
                reply(_ACK)
                if option == _Option.GO:
                    return
            case _Option.ABORT:
                raise EOFError
            case _:
                reply(_UNSUPPORTED)


def _serve(peer: socket.socket, disk: VolatileDisk) -> None:
    while True:
        _, flags, kind, handle, offset, length = struct.unpack(">IHHQQI", _take(peer, 28))
        error, data = 0, b""
        match kind:
            case _Request.READ:
                data = disk.read(offset, length)
            case _Request.WRITE:
                disk.write(offset, _take(peer, length))
                if flags & 1:  # FUA
                    disk.flush()
            case _Request.DISCONNECT:
                return
            case _Request.FLUSH:
                disk.flush()
            case _:
                error = _EINVAL
        peer.sendall(struct.pack(">IIQ", _SIMPLE_REPLY_MAGIC, error, handle) + data)


def main(words: list[str]) -> NoReturn:
    """Serve the image on a socket until the power is cut."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("socket", type=Path)
    parser.add_argument("--kept-from", type=int, default=0)
    given = parser.parse_args(words)
    disk = VolatileDisk(given.image, given.kept_from)

    def keep(*_: object) -> NoReturn:
        disk.flush()
        os._exit(0)

    def cut(*_: object) -> NoReturn:
        sys.stdout.write(f"{disk.cut()}\n")
        sys.stdout.flush()
        os._exit(0)

    signal.signal(signal.SIGTERM, keep)
    signal.signal(signal.SIGUSR1, cut)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(given.socket))
        listening.listen(1)
        while True:
            peer, _ = listening.accept()
            with peer:
                try:
                    _negotiate(peer, disk.size)
                    _serve(peer, disk)
                except (EOFError, ConnectionError):
                    continue


if __name__ == "__main__":
    main(sys.argv[1:])
