"""Lets each address ask at a pace: what it asks beyond that waits, on its own connection, at no cost (S10).

A connection that is answered at once asks again at once: so a few dozen of them kept the event loop from phones.
"""

import asyncio
import time
from collections.abc import Callable, Collection

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, Receive, Scope, Send

from hub.core.errors import Unavailable

_LONGEST_S = 10.0
"""Who would wait longer is told to come again, after this."""
_REMEMBERED = 4096
_FRESH_S = 1.0
_LOOPBACK = frozenset({"127.0.0.1", "::1", "::ffff:127.0.0.1"})


class Rate(msgspec.Struct, frozen=True):
    """So many requests at once, and then so many a second."""

    burst: int
    per_second: float


STRANGER = Rate(burst=60, per_second=5)
"""A page takes four requests, a sign-in on a phone three."""
KNOWN = Rate(burst=1000, per_second=50)
"""From where phones were heard: all of them may be behind one access point."""


class Turns:
    """When each address may ask next: the generic cell rate algorithm (ITU-T I.371)."""

    def __init__(self) -> None:
        self._next_s: dict[str, float] = {}

    def wait_s(self, address: str, rate: Rate, now_s: float) -> float | None:
        """Take a turn; returns how long it is until then, None if that is too long, and nothing was taken."""
        if len(self._next_s) > _REMEMBERED:
            self._next_s = {address: next_s for address, next_s in self._next_s.items() if next_s > now_s}
        next_s = max(self._next_s.get(address, 0.0), now_s)
        wait_s = max(0.0, next_s - (rate.burst - 1) / rate.per_second - now_s)
        if wait_s > _LONGEST_S:
            return None
        self._next_s[address] = next_s + 1 / rate.per_second
        return wait_s


class Paced:
    """An ASGI application whose requests wait for their turn, but for those of this machine itself.

    heard: the addresses from which phones were heard.
    """

    def __init__(self, app: ASGIApp, heard: Callable[[], Collection[str]]) -> None:
        self._app = app
        self._heard = heard
        self._known: Collection[str] = ()
        self._until_s = 0.0
        self._turns = Turns()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when its turn has come; answers 503 where that would be too long."""
        address = (scope.get("client") or ("",))[0]
        if scope["type"] == ScopeType.HTTP and address not in _LOOPBACK:
            now_s = time.monotonic()
            wait_s = self._turns.wait_s(address, self._rate(address, now_s), now_s)
            await asyncio.sleep(_LONGEST_S if wait_s is None else wait_s)
            if wait_s is None:
                await _refuse(send)
                return
        await self._app(scope, receive, send)

    def _rate(self, address: str, now_s: float) -> Rate:
        if now_s > self._until_s:
            self._known, self._until_s = self._heard(), now_s + _FRESH_S
        return KNOWN if address in self._known else STRANGER


async def _refuse(send: Send) -> None:
    headers = [(b"retry-after", b"10"), (b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": Unavailable.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
