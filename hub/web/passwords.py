"""Threads and short queues for checking passwords, which is slow on purpose: nothing else waits behind it (S10)."""

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import TypeVar

from hub.core.errors import Unavailable

_WAITING = 32
"""Ten seconds' work of a Pi; whoever comes then is told to come again."""
_STRANGERS_PER_ADDRESS = 2
_RETRY_S = 5
_REMEMBERED = 4096
"""So many addresses are told apart; then all begin anew."""
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


class _Turn:
    """Somebody who waits: who was heard least comes first, and then who came first."""

    def __init__(self, heard: int, number: int) -> None:
        self.place = heard, number
        self.comes: asyncio.Future[None] = asyncio.get_running_loop().create_future()


class _Queue:
    """Work that is done one at a time, for those first who were heard least.

    Who floods it from hundreds of addresses has one turn of each, and then everybody comes first who was not heard yet.
    """

    def __init__(self, name: str, *, per_address: int) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix=f"passwords of {name}")
        self._per_address = per_address
        self._waiting: Counter[str] = Counter()
        self._heard: Counter[str] = Counter()
        self._turns: list[_Turn] = []
        self._number = count()
        self._is_busy = False

    async def run(self, address: str, call: Callable[..., _T], *args: object) -> _T:
        if self._waiting[address] >= self._per_address:
            raise _too_many()
        turn = _Turn(self._heard[address], next(self._number))
        self._make_room(turn)
        self._waiting[address] += 1
        try:
            await self._wait(turn)
            return await self._done(address, call, *args)
        finally:
            self._waiting[address] -= 1
            self._waiting += Counter()  # drops who waits no more

    def _make_room(self, turn: _Turn) -> None:
        """Send away who was heard most and came last, if there are too many; raises Unavailable if it is this one."""
        if len(self._turns) + self._is_busy < _WAITING:
            return
        last = max(self._turns, key=lambda each: each.place)
        if last.place < turn.place:
            raise _too_many()
        self._turns.remove(last)
        last.comes.set_exception(_too_many())

    async def _wait(self, turn: _Turn) -> None:
        if not self._is_busy:
            self._is_busy = True
            return
        self._turns.append(turn)
        try:
            await turn.comes
        except asyncio.CancelledError:
            if turn in self._turns:
                self._turns.remove(turn)
            elif turn.comes.exception() is None:  # it was this one's turn already
                self._next()
            raise

    async def _done(self, address: str, call: Callable[..., _T], *args: object) -> _T:
        self._heard[address] += 1
        if len(self._heard) > _REMEMBERED:
            self._heard.clear()
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, call, *args)
        finally:
            self._next()

    def _next(self) -> None:
        turns = [turn for turn in self._turns if not turn.comes.done()]
        if not turns:
            self._is_busy = False
            return
        first = min(turns, key=lambda each: each.place)
        self._turns.remove(first)
        first.comes.set_result(None)


def _too_many() -> Unavailable:
    return Unavailable("too many sign-ins at once", retry_after_s=_RETRY_S)
