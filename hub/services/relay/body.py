"""Reads the body of an answer within bounds: of bytes, of those that they unpack to, and of time."""

import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hub.core.errors import NoLine, TooLargeAnswer, TooSlow, Unreadable
from hub.late import Late

if TYPE_CHECKING:
    import httpx
else:
    httpx = Late("httpx")

ENCODING = "gzip"
"""What is asked for: a proxy before the cloud may pack, which a slow line is glad of."""
_PIECE_BYTES = 64 * 1024
_GZIP = 16 + zlib.MAX_WBITS
_WINDOW_S = 180.0
_WINDOW_BYTES = 16 * 1024
"""An answer that brings less than this in a window never ends: 90 bytes/s, where GPRS carries 2,000."""
_LONGEST_S = 12 * 3600.0


class Body:
    """A body, read piece by piece; raises NoLine when the line breaks, CloudFailing beyond its bounds."""

    def __init__(self, response: "httpx.Response", bytes_max: int) -> None:
        self.size = 0
        self._bytes_max = bytes_max
        self._pace = _Pace()
        self._pieces = _unpacked(response)

    def read(self) -> bytes:
        """Return the next piece, whatever its size, b"" at the end."""
        with line():
            piece = next(self._pieces, b"")
        self.size += len(piece)
        if self.size > self._bytes_max:
            raise TooLargeAnswer(f"an answer of more than {self._bytes_max} bytes")
        self._pace.came(len(piece))
        return piece

    def all(self) -> bytes:
        """Return all of it."""
        return b"".join(iter(self.read, b""))


class _Pace:
    """How fast a body comes."""

    def __init__(self) -> None:
        self._began = self._window = time.monotonic()
        self._bytes = 0

    def came(self, size: int) -> None:
        """Count bytes; raises TooSlow when so few came lately that this never ends."""
        now, self._bytes = time.monotonic(), self._bytes + size
        if now - self._began > _LONGEST_S:
            raise TooSlow(f"an answer that takes more than {_LONGEST_S / 3600:.0f} hours")
        if now - self._window > _WINDOW_S:
            if size and self._bytes < _WINDOW_BYTES:
                raise TooSlow(f"{self._bytes} bytes in {now - self._window:.0f} s")
            self._window, self._bytes = now, 0


@contextmanager
def line() -> Iterator[None]:
    """Translate what happened to the connection into our errors."""
    try:
        yield
    except httpx.TimeoutException:
        raise NoLine("the cloud did not answer in time") from None
    except httpx.ConnectError as error:
        raise NoLine(f"no connection to the cloud: {error}") from None
    except httpx.RequestError as error:
        raise NoLine(f"the connection to the cloud broke: {error}") from None


def _unpacked(response: "httpx.Response") -> Iterator[bytes]:
    """Return a body's pieces; a few packed bytes that stand for gigabytes come as pieces too."""
    match response.headers.get("content-encoding", "identity").strip().lower():
        case "identity" | "":
            yield from response.iter_raw()
        case "gzip" | "x-gzip":
            yield from _gunzipped(response.iter_raw())
        case _:
            raise Unreadable("an answer packed in a way that was not asked for")


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    unpacking = zlib.decompressobj(_GZIP)
    try:
        for packed in pieces:
            waiting = packed
            while waiting and not unpacking.eof:
                found = unpacking.decompress(waiting, _PIECE_BYTES)
                waiting = unpacking.unconsumed_tail
                if found:
                    yield found
    except zlib.error:
        raise Unreadable("an answer that cannot be unpacked") from None
    if not unpacking.eof:
        raise NoLine("the answer was cut off")
