"""Reads request bodies within their bounds."""

import asyncio
from typing import Any

from litestar import Request

from hub.core.errors import Malformed, TooLarge

_SILENCE_S = 60
"""How long a phone may be silent in the middle of a body."""

AnyRequest = Request[Any, Any, Any]


def declared_bytes(request: AnyRequest, most: int) -> int:
    """Give the length a request declares, ``most`` if it declares none; raises TooLarge when it is over."""
    text = request.headers.get("content-length")
    size = int(text) if text and text.isdecimal() else most
    if size > most:
        message = f"body is larger than {most} bytes"
        raise TooLarge(message)
    return size


async def read(request: AnyRequest, most: int) -> bytearray:
    """Read a body of at most ``most`` bytes; raises TooLarge, or Malformed when it stops coming."""
    declared_bytes(request, most)
    body = bytearray()
    stream = request.stream()
    while True:
        try:
            piece = await asyncio.wait_for(anext(stream, None), _SILENCE_S)
        except TimeoutError:
            message = "body stopped coming"
            raise Malformed(message) from None
        if piece is None:
            return body
        body += piece
        if len(body) > most:
            message = f"body is larger than {most} bytes"
            raise TooLarge(message)
