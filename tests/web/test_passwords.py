"""Checking passwords keeps nothing else waiting, and strangers keep nobody waiting who is known (S10)."""

import asyncio
import threading
from collections import Counter
from collections.abc import Coroutine, Iterator
from itertools import islice
from typing import Any

import pytest

from hub.core.errors import Unavailable
from hub.web.passwords import Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(lambda address: address == "known")
    yield made
    made.close()


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


async def refused(flood: list[asyncio.Task[Any]], count: int) -> None:
    """Wait until so many have been refused."""
    for ended in islice(asyncio.as_completed(flood), count):
        with pytest.raises(Unavailable):
            await ended


def test_strangers_fill_their_own_queue_and_who_is_known_is_heard(passwords: Passwords) -> None:
    gate = threading.Event()

    async def story() -> None:
        flood = [asyncio.create_task(passwords.check(f"a{number % 40}", gate.wait)) for number in range(240)]
        await refused(flood, 208)
        assert await passwords.check("known", threading.current_thread) is not threading.main_thread()
        with pytest.raises(Unavailable) as caught:
            await passwords.check("newcomer", gate.wait)
        assert caught.value.retry_after_s
        gate.set()
        ended = await asyncio.gather(*flood, return_exceptions=True)
        assert Counter(map(type, ended)) == {bool: 32, Unavailable: 208}
        assert await passwords.check("newcomer", int) == 0

    run(story())


def test_one_address_takes_two_places_of_the_strangers(passwords: Passwords) -> None:
    gate = threading.Event()

    async def story() -> None:
        flood = [asyncio.create_task(passwords.check("flood", gate.wait)) for _ in range(30)]
        await refused(flood, 28)
        honest = asyncio.create_task(passwords.check("newcomer", gate.wait))
        gate.set()
        assert await honest
        await asyncio.gather(*flood, return_exceptions=True)

    run(story())


def test_who_was_not_heard_yet_comes_before_a_flood_from_hundreds_of_addresses(passwords: Passwords) -> None:
    async def story() -> None:
        for number in range(500):
            await passwords.check(f"a{number}", int)
        gate = threading.Event()
        flood = [asyncio.create_task(passwords.check(f"a{number}", gate.wait)) for number in range(300)]
        await refused(flood, 268)
        order: list[str] = []
        newcomer = asyncio.create_task(passwords.check("newcomer", order.append, "newcomer"))
        later = asyncio.create_task(passwords.check("a400", order.append, "flood"))
        await asyncio.wait([later])
        assert isinstance(later.exception(), Unavailable)
        gate.set()
        await newcomer
        assert order == ["newcomer"]
        ended = await asyncio.gather(*flood, return_exceptions=True)
        assert Counter(map(type, ended)) == {bool: 31, Unavailable: 269}
        assert await passwords.check("a1", int) == 0

    run(story())


def test_who_leaves_while_waiting_keeps_nobody_waiting(passwords: Passwords) -> None:
    gate = threading.Event()

    async def story() -> None:
        first = asyncio.create_task(passwords.check("a", gate.wait))
        await asyncio.sleep(0)
        leaving = [asyncio.create_task(passwords.check(f"b{number}", int)) for number in range(5)]
        await asyncio.sleep(0)
        staying = asyncio.create_task(passwords.check("c", int))
        for task in leaving:
            task.cancel()
        gate.set()
        assert (await first, await staying) == (True, 0)
        assert await passwords.check("d", int) == 0

    run(story())


def test_passwords_are_checked_one_at_a_time(passwords: Passwords) -> None:
    running, most = 0, 0

    def check() -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        running -= 1

    async def story() -> None:
        await asyncio.gather(*(passwords.check("known", check) for _ in range(20)))

    run(story())
    assert most == 1
