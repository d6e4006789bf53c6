"""Keeps large bodies on disk while they come, so that any number may come at once and none waits for another."""

import asyncio
import mmap
import os
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import IO

from hub.core.errors import Unavailable
from hub.web import body
from hub.web.body import AnyRequest

Buffer = bytearray | mmap.mmap
Admit = Callable[[bytes], Awaitable[None]]
"""Raises a PhoneError unless who sends what begins so may send more than a stranger."""

_STEP_BYTES = 32 * 1024
"""Of each body in memory, of which there may be a thousand that never end."""
_LEFT_BYTES = 64 * 1024 * 1024
"""Of the disk, for the database."""
_RETRY_S = 5


class Spool:
    """Room on disk for the bodies that come, of ``room_bytes`` in all; used by one event loop.

    A body is sealed, so that its file says nothing; the file has no name, so that a power cut leaves nothing.
    """

    def __init__(self, folder: Path, room_bytes: int) -> None:
        self._folder = folder
        self._room_bytes = room_bytes
        self._taken: Counter[str] = Counter()
        """Bytes by address."""
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="spool")

    def close(self) -> None:
        """Let its thread end."""
        self._pool.shutdown()

    @asynccontextmanager
    async def receive(
        self, request: AnyRequest, most: int, admit: Admit, head: bytearray, address: str
    ) -> AsyncIterator[Buffer]:
        """Read a body of at most ``most`` bytes, for as long as the block lasts; raises like ``body.pieces``.

        It is in memory, or in a file if it is large and ``admit`` lets it. Raises Unavailable when the disk is full.
        """
        small, taken = bytearray(), 0
        async with aclosing(body.pieces(request, most, head)) as pieces:
            async for piece in pieces:
                small += piece
                if len(small) > body.SMALL_BYTES:
                    break
            else:
                yield small
                return
            await admit(bytes(head))
            with tempfile.TemporaryFile(dir=self._folder, buffering=0) as file:
                try:
                    while small:
                        self._take(address, len(small))
                        taken += len(small)
                        await self._write(file, small)
                        small = await _step(pieces)
                    yield mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
                finally:
                    self._taken[address] -= taken
                    self._taken += Counter()  # drops who has none

    def _take(self, address: str, size: int) -> None:
        """Take room, of which any address leaves others as much as it has itself; raises Unavailable."""
        if self._taken.total() + self._taken[address] + 2 * size > self._room_bytes:
            raise Unavailable("too many large messages at once", retry_after_s=_RETRY_S)
        self._taken[address] += size

    async def _write(self, file: IO[bytes], piece: bytearray) -> None:
        await asyncio.get_running_loop().run_in_executor(self._pool, _write, file, piece)


async def _step(pieces: AsyncIterator[bytes]) -> bytearray:
    """Gather some pieces, for one write."""
    gathered = bytearray()
    async for piece in pieces:
        gathered += piece
        if len(gathered) >= _STEP_BYTES:
            break
    return gathered


def _write(file: IO[bytes], piece: bytearray) -> None:
    free = os.fstatvfs(file.fileno())
    if free.f_bavail * free.f_frsize < _LEFT_BYTES:
        raise Unavailable("storage is full")
    try:
        file.write(piece)
    except OSError as error:
        raise Unavailable("storage is full, or fails") from error
