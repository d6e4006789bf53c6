"""Streams server-sent events to a page that follows live, and frees its place when the page goes."""

import asyncio
import contextlib

from litestar.types import HTTPResponseBodyEvent, Receive, Scope, Send

from hub.services.status.watch import StatusWatch

_PATIENCE_S = 60
"""How long a page may read nothing."""
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]


class Live:
    """An ASGI answer that lasts as long as somebody reads it; raises TooMany when there is no place."""

    def __init__(self, watch: StatusWatch, address: str) -> None:
        self._watch = watch
        self._address = address

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Stream until the hub stops or the other end is gone, whichever comes first."""
        with self._watch.place(self._address):
            ends = [asyncio.create_task(self._stream(send)), asyncio.create_task(_gone(receive))]
            try:
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for end in ends:
                    end.cancel()
                await asyncio.gather(*ends, return_exceptions=True)

    async def _stream(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        with contextlib.suppress(TimeoutError):
            async with contextlib.aclosing(self._watch.follow()) as events:
                async for event in events:
                    message: HTTPResponseBodyEvent = {"type": "http.response.body", "body": event, "more_body": True}
                    async with asyncio.timeout(_PATIENCE_S):
                        await send(message)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
