"""Bounds the bytes of messages in flight, so that fifty phones at once wait a moment instead of filling the memory."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from hub.core.errors import Unavailable

_PATIENCE_S = 60
_RETRY_S = 5


class ByteBudget:
    """A weighted semaphore, first come, first served; used by one event loop."""

    def __init__(self, capacity_bytes: int, *, patience_s: float = _PATIENCE_S) -> None:
        self._patience_s = patience_s
        self._capacity = capacity_bytes
        self._free = capacity_bytes
        self._queue: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def reserve(self, size_bytes: int) -> int:
        """Wait for room; returns what to ``release`` with.

        One message larger than everything may enter alone. Raises Unavailable when there is no room for ``patience_s``.
        """
        size = min(size_bytes, self._capacity)
        if self._queue or size > self._free:
            turn = asyncio.get_running_loop().create_future()
            self._queue.append((size, turn))
            try:
                await asyncio.wait_for(turn, self._patience_s)
            except TimeoutError:
                self._give_up(size, turn)
                raise Unavailable("too many messages in flight", retry_after_s=_RETRY_S) from None
            except asyncio.CancelledError:
                self._give_up(size, turn)
                raise
        else:
            self._free -= size
        return size

    @asynccontextmanager
    async def held(self, size_bytes: int) -> AsyncIterator[None]:
        """Hold room for as long as the block lasts; raises like ``reserve``."""
        ticket = await self.reserve(size_bytes)
        try:
            yield
        finally:
            self.release(ticket)

    def release(self, size: int) -> None:
        """Make room again."""
        self._free += size
        self._admit()

    def _admit(self) -> None:
        while self._queue and self._queue[0][0] <= self._free:
            size, turn = self._queue.popleft()
            if not turn.done():
                self._free -= size
                turn.set_result(None)

    def _give_up(self, size: int, turn: asyncio.Future[None]) -> None:
        if turn.done() and not turn.cancelled():
            self.release(size)  # its turn had come just before
        self._queue = deque(entry for entry in self._queue if entry[1] is not turn)
        self._admit()
