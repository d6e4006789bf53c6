"""Who asks without end waits for it, and nobody else (S10)."""

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.web import pace
from hub.web.pace import KNOWN, STRANGER, STRANGERS, Paced, Rate, Turns


def test_a_name_asks_at_once_what_a_page_takes_and_then_at_a_pace() -> None:
    turns = Turns(Rate(burst=12, per_second=0.5))
    assert [turns.wait_s("a", 100.0) for _ in range(12)] == pytest.approx([0.0] * 12)
    assert turns.wait_s("a", 100.0) == pytest.approx(2.0)
    assert turns.wait_s("b", 100.0) == 0.0


def test_who_would_wait_too_long_takes_no_turn_and_is_served_again_soon() -> None:
    turns = Turns(STRANGERS)
    waits = [turns.wait_s("a", 100.0) for _ in range(10_000)]
    assert waits[-1] is None
    assert turns.wait_s("a", 100.0 + pace._LONGEST_S + 1) is not None


@given(st.lists(st.floats(0, 3), max_size=200), st.sampled_from([STRANGER, STRANGERS, KNOWN, Rate(2, 1.0)]))
def test_in_no_time_does_more_than_burst_and_pace_go(gaps: list[float], rate: Rate) -> None:
    turns, now_s, gone = Turns(rate), 10.0, list[float]()
    for gap in gaps:
        now_s += gap
        wait_s = turns.wait_s("a", now_s)
        gone += [] if wait_s is None else [now_s + wait_s]
    for first, at in enumerate(gone):
        for last in range(first, len(gone)):
            assert last - first + 1 <= rate.burst + (gone[last] - at) * rate.per_second + 1e-6


def test_what_is_remembered_of_names_is_bounded_and_forgotten() -> None:
    turns = Turns(STRANGER)
    for number in range(3 * pace._REMEMBERED):
        turns.wait_s(str(number), 100.0)
    assert len(turns._next_s) == pace._REMEMBERED
    turns.forget(100.0 + 1 / STRANGER.per_second)
    assert not turns._next_s


async def answer(*_: object) -> None:
    """Answer nothing."""


def test_any_number_of_addresses_asks_no_more_than_all_strangers_may_beside_what_is_certain_for_each() -> None:
    paced = Paced(answer, set)
    for number in range(100):
        waits = [paced._wait_s(str(number), 100.0) for _ in range(100)]
        assert waits[: STRANGER.burst] == [0.0] * STRANGER.burst
    assert paced._wait_s("0", 100.0) is None
    assert paced._wait_s("new", 100.0) == 0.0
    assert paced._wait_s("0", 101.0) is not None


def test_a_phone_that_asked_a_lot_before_it_was_known_goes_on_at_once() -> None:
    known = set[str]()
    paced = Paced(answer, lambda: known)
    while paced._wait_s("192.0.2.1", 100.0) is not None:
        """Ask all that a stranger may."""
    known.add("192.0.2.1")
    assert paced._wait_s("192.0.2.1", 101.5) == 0.0


def served(paced: Paced, address: str) -> bool:
    """Ask once; returns whether it was passed on, and False if it was told to come again."""
    said: list[object] = []

    async def send(event: object) -> None:
        said.append(event)

    scope: Any = {"type": "http", "client": (address, 1)}
    receive: Any = None
    asyncio.run(paced(scope, receive, send))
    return not said


def test_phones_and_this_machine_go_on_while_a_stranger_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_LONGEST_S", 0.0)
    monkeypatch.setattr(pace, "STRANGERS", Rate(burst=1, per_second=0.01))
    paced = Paced(answer, lambda: {"192.0.2.1"})
    for address, goes_on in (("192.0.2.1", True), ("127.0.0.1", True), ("192.0.2.66", False)):
        assert all(served(paced, address) for _ in range(STRANGER.burst))
        assert all(served(paced, address) for _ in range(20)) is goes_on


def test_who_is_turned_away_hears_it_at_different_moments(monkeypatch: pytest.MonkeyPatch) -> None:
    rested: list[float] = []

    async def rest(seconds: float) -> None:
        rested.append(seconds)

    monkeypatch.setattr(pace, "STRANGERS", Rate(burst=1, per_second=0.01))
    monkeypatch.setattr("hub.web.pace.asyncio.sleep", rest)
    paced = Paced(answer, set)
    while served(paced, "192.0.2.66"):
        rested.clear()
    assert not any(served(paced, "192.0.2.66") for _ in range(20))
    assert len(set(rested)) > 10
    assert 0 < min(rested) <= max(rested) <= pace._LONGEST_S
