"""Reads request bodies within their bounds."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

from litestar import Request
from litestar.exceptions import HTTPException

from hub.core.errors import Malformed, TooLarge

_SILENCE_S = 60
"""How long a phone may be silent in the middle of a body."""
_SLOWEST_BYTES_S = 8 * 1024
"""What a body must come at, after its first minute: a byte a minute would hold a connection for ever."""

_HEAD_BYTES = 512
"""Room for the client_id, with which the app's messages begin."""
_HEAD_S = 2

AnyRequest = Request[Any, Any, Any]


def declared_bytes(request: AnyRequest, most: int) -> int:
    """Return the length a request declares, ``most`` if it declares none; raises TooLarge when it is over."""
    text = request.headers.get("content-length")
    size = int(text[:20]) if text and text.isdecimal() else most
    if size > most:
        raise TooLarge(f"body is larger than {most} bytes")
    return size


async def read(
    request: AnyRequest,
    most: int,
    grow: Callable[[int], Awaitable[None]] | None = None,
    *,
    head: bytearray | None = None,
) -> bytearray:
    """Read a body of at most ``most`` bytes; raises TooLarge, or Malformed when it stops coming.

    grow: asked for room with the size so far, before more is read.
    head: filled with how the body begins, also of one that is refused.
    """
    stream = request.stream()
    try:
        most = declared_bytes(request, most)
    except TooLarge:
        if head is not None:
            head += await _beginning(stream)
        raise
    body = bytearray()
    started = time.monotonic()
    while True:
        left_s = started + _SILENCE_S + len(body) / _SLOWEST_BYTES_S - time.monotonic()
        try:
            piece = await asyncio.wait_for(anext(stream, None), min(left_s, _SILENCE_S))
        except TimeoutError:
            raise Malformed("body stopped coming") from None
        except HTTPException:
            raise Malformed("body broke off") from None
        if piece is None:
            return body
        body += piece
        if head is not None and len(head) < _HEAD_BYTES:
            head[:] = body[:_HEAD_BYTES]
        if len(body) > most:
            raise TooLarge(f"body is larger than {most} bytes")
        if grow:
            await grow(len(body))


async def _beginning(stream: AsyncGenerator[bytes, None]) -> bytes:
    try:
        async with asyncio.timeout(_HEAD_S):
            return (await anext(stream, b""))[:_HEAD_BYTES]
    except (TimeoutError, HTTPException):
        return b""
