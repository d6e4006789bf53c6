"""Reads request bodies within their bounds of size and time."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException

from hub.core.errors import Malformed, TooLarge

SMALL_BYTES = 16 * 1024
"""What anybody may send. Such bodies need no room: they are bounded by the connections, of which there are many."""
HEAD_BYTES = 512
"""Room for the client_id, with which the app's messages begin."""
_FIRST_BYTE_S = 10
"""The app sends head and body in one go."""
_SMALL_S = 30
"""For the first SMALL_BYTES: half a kB/s on the worst of links."""
_SILENCE_S = 60
"""How long a phone may be silent in the middle of a larger body."""
_SLOWEST_BYTES_S = 8 * 1024
"""What a larger body must come at, after its first minute: a byte a minute would hold a connection for ever."""
_HEAD_S = 2

AnyRequest = Request[Any, Any, Any]


def declared_bytes(request: AnyRequest, most: int) -> int:
    """Return the length a request declares, ``most`` if it declares none; raises TooLarge when it is over."""
    text = request.headers.get("content-length")
    size = int(text[:20]) if text and text.isdecimal() else most
    if size > most:
        raise TooLarge(f"body is larger than {most} bytes")
    return size


async def read(request: AnyRequest, most: int, admit_large: Callable[[], Awaitable[object]] | None = None) -> bytearray:
    """Read a body of at most ``most`` bytes into memory; raises like ``pieces``.

    admit_large: called when there is more than SMALL_BYTES of it; raises unless who sends it may.
    """
    body = bytearray()
    async for piece in pieces(request, most, bytearray()):
        body += piece
        if admit_large and len(body) > SMALL_BYTES:
            await admit_large()
            admit_large = None
    return body


async def pieces(request: AnyRequest, most: int, head: bytearray) -> AsyncGenerator[bytes, None]:
    """Yield a body of at most ``most`` bytes as it comes; raises TooLarge, or Malformed when it stops coming.

    head: filled with how the body begins, also of one that is refused.
    """
    stream = request.stream()
    try:
        most = declared_bytes(request, most)
    except TooLarge:
        head += await _beginning(stream)
        raise
    size, started_s = 0, time.monotonic()
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream, None), _patience_s(size, time.monotonic() - started_s))
        except TimeoutError:
            raise Malformed("body stopped coming") from None
        except HTTPException:
            raise Malformed("body broke off") from None
        if piece is None:
            return
        head += piece[: HEAD_BYTES - len(head)]
        size += len(piece)
        if size > most:
            raise TooLarge(f"body is larger than {most} bytes")
        yield piece


def _patience_s(size: int, passed_s: float) -> float:
    """Return for how long the next piece may be awaited, of a body that began ``passed_s`` ago."""
    if size == 0:
        return _FIRST_BYTE_S - passed_s
    if size < SMALL_BYTES:
        return _SMALL_S - passed_s
    return min(_SILENCE_S, _SILENCE_S + size / _SLOWEST_BYTES_S - passed_s)


async def _beginning(stream: AsyncGenerator[bytes, None]) -> bytes:
    try:
        async with asyncio.timeout(_HEAD_S):
            return (await anext(stream, b""))[:HEAD_BYTES]
    except (TimeoutError, HTTPException):
        return b""
