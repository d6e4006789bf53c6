"""Room for messages in flight (S8)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from hub.core.errors import Unavailable
from hub.web import gate
from hub.web.gate import Gate


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def entering(door: Gate, size: int) -> asyncio.Task[int]:
    return asyncio.create_task(door.enter(size))


def test_what_fits_enters_at_once() -> None:
    async def story() -> None:
        door = Gate(100)
        assert await door.enter(60) == 60
        assert await door.enter(40) == 40

    run(story())


def test_what_does_not_fit_waits_for_room() -> None:
    async def story() -> None:
        door = Gate(100)
        first = await door.enter(60)
        second = entering(door, 60)
        await settle()
        assert not second.done()
        door.leave(first)
        assert await second == 60

    run(story())


def test_first_come_first_served_also_when_the_later_would_fit() -> None:
    async def story() -> None:
        door = Gate(100)
        first = await door.enter(60)
        large, small = entering(door, 90), entering(door, 10)
        await settle()
        assert not small.done()
        door.leave(first)
        assert (await large, await small) == (90, 10)

    run(story())


def test_one_message_larger_than_everything_enters_alone() -> None:
    async def story() -> None:
        door = Gate(100)
        ticket = await door.enter(5000)
        other = entering(door, 1)
        await settle()
        assert not other.done()
        door.leave(ticket)
        assert await other == 1

    run(story())


def test_who_waits_too_long_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "_PATIENCE_S", 0)

    async def story() -> None:
        door = Gate(100)
        ticket = await door.enter(100)
        with pytest.raises(Unavailable) as caught:
            await door.enter(1)
        assert caught.value.retry_after_s
        door.leave(ticket)
        assert await door.enter(100) == 100

    run(story())


def test_who_gives_up_waiting_leaves_the_others_their_room() -> None:
    async def story() -> None:
        door = Gate(100)
        ticket = await door.enter(100)
        quitter, patient = entering(door, 100), entering(door, 50)
        await settle()
        quitter.cancel()
        await asyncio.wait([quitter])
        door.leave(ticket)
        assert await patient == 50
        assert await door.enter(50) == 50

    run(story())


def test_who_gives_up_just_when_let_in_gives_the_room_back() -> None:
    async def story() -> None:
        door = Gate(100)
        ticket = await door.enter(100)
        quitter = entering(door, 100)
        await settle()
        door.leave(ticket)
        quitter.cancel()
        await asyncio.wait([quitter])
        if not quitter.cancelled():
            door.leave(quitter.result())
        assert await door.enter(100) == 100

    run(story())
