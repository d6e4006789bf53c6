"""Lets each address ask at a pace: what it asks beyond that waits, on its own connection, at no cost (S10).

A connection that is answered at once asks again at once: so a few dozen of them kept the event loop from phones. And
forty addresses with a fair share each are still too many: beyond the least that is certain, strangers share one pace.
"""

import asyncio
import random
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


STRANGER = Rate(burst=12, per_second=0.2)
"""Certain for each address: a sign-in on a phone takes three requests, a page four."""
STRANGERS = Rate(burst=200, per_second=40)
"""What all of them may ask beyond that, together: a fraction of what keeps one core at work."""
KNOWN = Rate(burst=1000, per_second=50)
"""From where phones were heard: all of them may be behind one access point."""


class Turns:
    """When each name may ask next, at one rate: the generic cell rate algorithm (ITU-T I.371)."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        self._next_s: dict[str, float] = {}

    def wait_s(self, name: str, now_s: float, longest_s: float = _LONGEST_S) -> float | None:
        """Take a turn; returns how long it is until then, None if that is too long, and nothing was taken."""
        if name not in self._next_s and len(self._next_s) >= _REMEMBERED:
            return None
        next_s = max(self._next_s.get(name, 0.0), now_s)
        wait_s = max(0.0, next_s - (self._rate.burst - 1) / self._rate.per_second - now_s)
        if wait_s > longest_s:
            return None
        self._next_s[name] = next_s + 1 / self._rate.per_second
        return wait_s

    def forget(self, now_s: float) -> None:
        """Drop who could ask at once."""
        self._next_s = {name: next_s for name, next_s in self._next_s.items() if next_s > now_s}


class Paced:
    """An ASGI application whose requests wait for their turn, but for those of this machine itself.

    heard: the addresses from which phones were heard.
    """

    def __init__(self, app: ASGIApp, heard: Callable[[], Collection[str]]) -> None:
        self._app = app
        self._heard = heard
        self._known: Collection[str] = ()
        self._until_s = 0.0
        self._of_known, self._certain, self._of_strangers = Turns(KNOWN), Turns(STRANGER), Turns(STRANGERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when its turn has come; answers 503 where that would be too long.

        Not to all at once: they would come again in one moment, and fill what the kernel keeps for the server.
        """
        address = (scope.get("client") or ("",))[0]
        if scope["type"] == ScopeType.HTTP and address not in _LOOPBACK:
            wait_s = self._wait_s(address, time.monotonic())
            await asyncio.sleep(random.uniform(0.3, 1) * _LONGEST_S if wait_s is None else wait_s)  # noqa: S311  no secret
            if wait_s is None:
                await _refuse(send)
                return
        await self._app(scope, receive, send)

    def _wait_s(self, address: str, now_s: float) -> float | None:
        if now_s > self._until_s:
            self._known, self._until_s = self._heard(), now_s + _FRESH_S
            self._of_known.forget(now_s)
            self._certain.forget(now_s)
        if address in self._known:
            return self._of_known.wait_s(address, now_s)
        if self._certain.wait_s(address, now_s, longest_s=0) is not None:
            return 0
        return self._of_strangers.wait_s("", now_s)


async def _refuse(send: Send) -> None:
    headers = [(b"retry-after", b"10"), (b"content-length", b"0"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": Unavailable.status, "headers": headers})
    await send({"type": "http.response.body", "body": b"", "more_body": False})
