"""Gather the facts every two seconds, wake the pages that show them, and keep status.json young (O3)."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Iterator

import msgspec
import structlog

from hub.core.errors import TooMany
from hub.core.log_events import LogEvent
from hub.core.status.facts import Facts

EVERY_S = 2.0
STREAMS_MAX = 32
"""Web pages that follow live; further ones are reloaded by hand."""
STREAMS_PER_ADDRESS = 8
"""So that one machine cannot take them all."""
_STILL_THERE_S = 4.0
"""A page says that it has no contact when it has heard nothing for ten seconds."""
_COARSE = {
    "waiting_s": 60,
    "pairing_left_s": 60,
    "free_bytes": 10_000_000,
    "relayed_ago_s": 60,
    "synced_ago_s": 60,
    "backed_up_s": 60,
}
"""Facts that change all the time, and by how much it takes for a page to show it."""

log = structlog.get_logger()


class StatusWatch:
    """The newest facts. ``gather`` measures, ``publish`` tells the other processes."""

    def __init__(
        self, facts: Facts, gather: Callable[[], Facts], publish: Callable[[Facts], None], *, every_s: float = EVERY_S
    ) -> None:
        self.facts = facts
        self.revision = 1
        self._gather = gather
        self._publish = publish
        self._every_s = every_s
        self._changed = asyncio.Event()
        self._streams: Counter[str] = Counter()
        self._is_over = False

    async def run(self) -> None:
        """Watch until cancelled. What fails is logged once for each kind of failure, and tried again."""
        failing = ""
        while True:
            try:
                self.take(await asyncio.to_thread(self._look))
                failing = ""
            except Exception as error:
                if type(error).__name__ != failing:
                    failing = type(error).__name__
                    log.exception(LogEvent.STATUS_FAILED, error=failing)
            await asyncio.sleep(self._every_s)

    async def refresh(self) -> None:
        """Look again at once, after something was done by a page."""
        self.take(await asyncio.to_thread(self._gather))

    def take(self, facts: Facts) -> None:
        """Note the facts, and wake who listens if a page would look different."""
        before, self.facts = self.facts, facts
        if _coarse(before) != _coarse(facts):
            self.wake()

    def wake(self) -> None:
        """Let every page look again."""
        self.revision += 1
        self._changed.set()
        self._changed = asyncio.Event()

    def close(self) -> None:
        """End all streams, so that the hub can stop."""
        self._is_over = True
        self.wake()

    @contextlib.contextmanager
    def place(self, address: str) -> Iterator[None]:
        """Hold one of the places to follow from; raises TooMany when they are taken, in all or by this address.

        Taken and counted in one step of the event loop, so that many who come at once cannot all find one free.
        """
        if self._streams.total() >= STREAMS_MAX or self._streams[address] >= STREAMS_PER_ADDRESS:
            raise TooMany("too many pages follow live", retry_after_s=60)
        self._streams[address] += 1
        try:
            yield
        finally:
            self._streams[address] -= 1
            self._streams += Counter()  # drops addresses that follow no more

    async def follow(self) -> AsyncGenerator[bytes]:
        """Return server-sent events, from within a ``place``: its revision when that changes, or that it is there."""
        while not self._is_over:
            changed = self._changed
            yield f"retry: 5000\ndata: {self.revision}\n\n".encode()
            while not changed.is_set():
                try:
                    async with asyncio.timeout(_STILL_THERE_S):  # wait_for of Python 3.11 can lose a cancellation
                        await changed.wait()
                except TimeoutError:
                    yield b"event: there\ndata:\n\n"

    def _look(self) -> Facts:
        facts = self._gather()
        with contextlib.suppress(FileNotFoundError):  # without its folder, nobody on this machine reads it
            self._publish(facts)
        return facts


def _coarse(facts: Facts) -> dict[str, object]:
    told = msgspec.structs.asdict(facts)
    for name, step in _COARSE.items():
        value = told[name]
        told[name] = None if value is None else -(-int(value) // step)
    temperature = told["temperature_c"]
    told["temperature_c"] = None if temperature is None else round(float(temperature))
    return told
