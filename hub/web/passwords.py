"""Threads and short queues for checking passwords, which is slow on purpose: nothing else waits behind it (S10)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from hub.core.errors import Unavailable

_WAITING = 32
"""Ten seconds' work of a Pi; whoever comes then is told to come again."""
_STRANGERS_PER_ADDRESS = 2
_RETRY_S = 5
_T = TypeVar("_T")


class Passwords:
    """One queue for places where somebody signed in before, and one for all others; used by one event loop.

    is_known: whether anybody signed in from an address before.
    """

    def __init__(self, is_known: Callable[[str], bool]) -> None:
        self._is_known = is_known
        self._door = ThreadPoolExecutor(1, thread_name_prefix="password door")
        self._known = _Queue("known", per_address=_WAITING)
        self._strangers = _Queue("strangers", per_address=_STRANGERS_PER_ADDRESS)

    async def check(self, address: str, call: Callable[..., _T], *args: object) -> _T:
        """Do work that checks a password; raises Unavailable when too many wait."""
        is_known = await asyncio.get_running_loop().run_in_executor(self._door, self._is_known, address)
        return await (self._known if is_known else self._strangers).run(address, call, *args)

    def close(self) -> None:
        """Let the threads end."""
        self._door.shutdown()
        self._known.pool.shutdown()
        self._strangers.pool.shutdown()


class _Queue:
    """Work that is done one at a time, first come, first served."""

    def __init__(self, name: str, *, per_address: int) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix=f"passwords of {name}")
        self._per_address = per_address
        self._waiting: Counter[str] = Counter()

    async def run(self, address: str, call: Callable[..., _T], *args: object) -> _T:
        if self._waiting.total() >= _WAITING or self._waiting[address] >= self._per_address:
            raise Unavailable("too many sign-ins at once", retry_after_s=_RETRY_S)
        self._waiting[address] += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, call, *args)
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # drops who waits no more
