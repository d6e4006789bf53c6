"""Who follows the pages live: how many at once, and that whoever goes makes room."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from hub.core.errors import TooMany
from hub.core.status.facts import Facts
from hub.services.status.watch import STREAMS_PER_ADDRESS, StatusWatch
from hub.web.live import Live
from tests.hubs import ServedHub


class Follower:
    """A page at the other end of an ASGI answer."""

    def __init__(self, watch: StatusWatch, address: str = "192.0.2.1") -> None:
        self.got: list[dict[str, Any]] = []
        self.gone = asyncio.Event()
        self.task = asyncio.create_task(Live(watch, address)({}, self._receive, self._send))  # type: ignore[arg-type]

    async def _receive(self) -> dict[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.got.append(message)


def test_of_many_pages_that_come_at_once_no_more_follow_than_may() -> None:
    async def run() -> None:
        watch = StatusWatch(Facts(), Facts, lambda _: None)
        followers = [Follower(watch) for _ in range(2 * STREAMS_PER_ADDRESS)]
        refused = 0
        done, _ = await asyncio.wait([one.task for one in followers], timeout=0.2)
        for task in done:
            with pytest.raises(TooMany):
                task.result()
            refused += 1
        assert refused == STREAMS_PER_ADDRESS
        assert sum(bool(one.got) for one in followers) == STREAMS_PER_ADDRESS
        watch.close()
        await asyncio.gather(*(one.task for one in followers), return_exceptions=True)

    asyncio.run(run())


def test_a_page_that_goes_makes_room_for_the_next() -> None:
    async def run() -> None:
        watch = StatusWatch(Facts(), Facts, lambda _: None)
        for _ in range(3 * STREAMS_PER_ADDRESS):
            follower = Follower(watch)
            follower.gone.set()
            await asyncio.wait_for(follower.task, 5)

    asyncio.run(run())


@contextmanager
def _followed(served: ServedHub) -> Iterator[bytes]:
    """Follow from outside; gives how the answer begins."""
    with socket.create_connection(("127.0.0.1", served.port), 10) as line:
        line.sendall(b"GET /events HTTP/1.1\r\nHost: hikma-hub\r\n\r\n")
        yield line.recv(64)


def test_s8_a_served_hub_streams_to_so_many_and_to_others_once_those_have_gone(
    serve: Callable[..., ServedHub],
) -> None:
    served = serve()
    with ExitStack() as first:
        heads = [first.enter_context(_followed(served)) for _ in range(STREAMS_PER_ADDRESS)]
        assert all(head.startswith(b"HTTP/1.1 200") for head in heads)
        with _followed(served) as head:
            assert head.startswith(b"HTTP/1.1 429")
    for _ in range(200):
        with _followed(served) as head:
            if head.startswith(b"HTTP/1.1 200"):
                return
    raise AssertionError("places of those who have gone stay taken")


def test_a_page_hears_that_the_hub_is_there_while_nothing_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hub.services.status.watch._STILL_THERE_S", 0.01)

    async def run() -> None:
        events = StatusWatch(Facts(), Facts, lambda _: None).follow()
        async with asyncio.timeout(5):
            assert b"data: 1" in await anext(events)
            assert (await anext(events)).startswith(b"event: there\n")
        await events.aclose()

    asyncio.run(run())
