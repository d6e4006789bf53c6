"""Watching: what wakes the pages, how many may follow, and that a hub can stop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import pytest

from hub.core.errors import TooMany
from hub.core.status.facts import Facts
from hub.services.status.watch import STREAMS_MAX, STREAMS_PER_ADDRESS, StatusWatch

WELL = Facts(free_bytes=10**9, temperature_c=50.0)


def watch() -> StatusWatch:
    return StatusWatch(WELL, lambda: WELL, lambda _: None)


@pytest.mark.parametrize(
    "change",
    [{"waiting": 1}, {"quarantined": 2}, {"trouble": "line"}, {"pairing_left_s": 600}, {"waiting_s": 61}],
)
def test_what_a_page_shows_wakes_it(change: dict[str, object]) -> None:
    some = watch()
    some.take(msgspec.structs.replace(WELL, **change))
    assert some.revision == 2


@pytest.mark.parametrize("change", [{"free_bytes": 10**9 - 500}, {"temperature_c": 50.2}])
def test_what_always_changes_a_little_wakes_nobody(change: dict[str, object]) -> None:
    some = watch()
    some.take(msgspec.structs.replace(WELL, **change))
    assert some.revision == 1


async def newest(stream: AsyncIterator[bytes]) -> str:
    return (await asyncio.wait_for(anext(stream), 5)).decode()


def test_who_follows_hears_of_each_change_and_of_the_end() -> None:
    async def follow() -> None:
        some = watch()
        stream = some.follow()
        assert "data: 1\n" in await newest(stream)
        some.take(msgspec.structs.replace(WELL, waiting=1))
        assert "data: 2\n" in await newest(stream)
        some.close()
        with pytest.raises(StopAsyncIteration):
            await newest(stream)

    asyncio.run(follow())


def test_so_many_may_follow_and_no_more_until_one_leaves() -> None:
    some = watch()
    with contextlib.ExitStack() as places:
        for number in range(STREAMS_MAX - 1):
            places.enter_context(some.place(f"192.0.2.{number}"))
        with some.place("192.0.2.200"), pytest.raises(TooMany), some.place("192.0.2.201"):
            pass
        with some.place("192.0.2.201"):
            pass
    with some.place("192.0.2.1"):
        pass


def test_one_address_cannot_take_every_place() -> None:
    some = watch()
    with contextlib.ExitStack() as places:
        for _ in range(STREAMS_PER_ADDRESS):
            places.enter_context(some.place("192.0.2.1"))
        with pytest.raises(TooMany), some.place("192.0.2.1"):
            pass
        with some.place("192.0.2.2"):
            pass


def test_a_failure_to_look_does_not_end_the_watch() -> None:
    async def run() -> None:
        looked = asyncio.Event()
        loop = asyncio.get_running_loop()
        tries = 0

        def gather() -> Facts:
            nonlocal tries
            tries += 1
            if tries == 1:
                raise OSError
            loop.call_soon_threadsafe(looked.set)
            return WELL

        some = StatusWatch(WELL, gather, lambda _: None, every_s=0.01)
        task = asyncio.create_task(some.run())
        await asyncio.wait_for(looked.wait(), 5)
        task.cancel()

    asyncio.run(run())
