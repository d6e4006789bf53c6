"""Room for messages in flight (S8)."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from hub.core.errors import Unavailable
from hub.web.byte_budget import ByteBudget


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 10))


async def settle() -> None:
    """Let every task that can go on do so."""
    for _ in range(10):
        await asyncio.sleep(0)


def entering(budget: ByteBudget, size: int) -> asyncio.Task[int]:
    return asyncio.create_task(budget.reserve(size))


def test_what_fits_enters_at_once() -> None:
    async def story() -> None:
        budget = ByteBudget(100)
        assert await budget.reserve(60) == 60
        assert await budget.reserve(40) == 40

    run(story())


def test_what_does_not_fit_waits_for_room() -> None:
    async def story() -> None:
        budget = ByteBudget(100)
        first = await budget.reserve(60)
        second = entering(budget, 60)
        await settle()
        assert not second.done()
        budget.release(first)
        assert await second == 60

    run(story())


def test_first_come_first_served_also_when_the_later_would_fit() -> None:
    async def story() -> None:
        budget = ByteBudget(100)
        first = await budget.reserve(60)
        large, small = entering(budget, 90), entering(budget, 10)
        await settle()
        assert not small.done()
        budget.release(first)
        assert (await large, await small) == (90, 10)

    run(story())


def test_one_message_larger_than_everything_enters_alone() -> None:
    async def story() -> None:
        budget = ByteBudget(100)
        ticket = await budget.reserve(5000)
        other = entering(budget, 1)
        await settle()
        assert not other.done()
        budget.release(ticket)
        assert await other == 1

    run(story())


def test_who_waits_too_long_is_told_to_come_again() -> None:
    async def story() -> None:
        budget = ByteBudget(100, patience_s=0)
        ticket = await budget.reserve(100)
        with pytest.raises(Unavailable) as caught:
            await budget.reserve(1)
        assert caught.value.retry_after_s
        budget.release(ticket)
        assert await budget.reserve(100) == 100

    run(story())


def test_who_gives_up_waiting_leaves_the_others_their_room() -> None:
    async def story() -> None:
        budget = ByteBudget(100)
        ticket = await budget.reserve(100)
        quitter, patient = entering(budget, 100), entering(budget, 50)
        await settle()
        quitter.cancel()
        await asyncio.wait([quitter])
        budget.release(ticket)
        assert await patient == 50
        assert await budget.reserve(50) == 50

    run(story())


def test_who_gives_up_just_when_let_in_gives_the_room_back() -> None:
    async def story() -> None:
        budget = ByteBudget(100)
        ticket = await budget.reserve(100)
        quitter = entering(budget, 100)
        await settle()
        budget.release(ticket)
        quitter.cancel()
        await asyncio.wait([quitter])
        if not quitter.cancelled():
            budget.release(quitter.result())
        assert await budget.reserve(100) == 100

    run(story())
