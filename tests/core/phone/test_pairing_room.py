"""Which stranger makes room for a new phone (S2, S8)."""

import contextlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import PhoneError, TooMany, Unavailable
from hub.core.phone.pairing_room import FRESH_MS, PER_ADDRESS, Stranger, makes_room

NOW_MS = 10 * FRESH_MS
ADDRESSES = st.sampled_from(["a", "b", "c", "d"])
STRANGERS = st.lists(st.tuples(ADDRESSES, st.integers(0, 2 * FRESH_MS)), max_size=100).map(
    lambda drawn: [Stranger(num, address, NOW_MS - age) for num, (address, age) in enumerate(drawn)]
)


def fresh(address: str, count: int, *, first: int = 0) -> list[Stranger]:
    return [Stranger(first + num, address, NOW_MS - 1000 + num) for num in range(count)]


def test_where_there_is_room_nobody_goes() -> None:
    assert makes_room(fresh("a", 10), "a", is_full=False, now_ms=NOW_MS) is None


def test_an_address_has_a_share_and_no_more() -> None:
    with pytest.raises(TooMany):
        makes_room(fresh("a", PER_ADDRESS), "a", is_full=False, now_ms=NOW_MS)
    assert makes_room(fresh("a", PER_ADDRESS), "b", is_full=False, now_ms=NOW_MS) is None


def test_when_everybody_has_as_many_nobody_is_pushed_out() -> None:
    with pytest.raises(Unavailable):
        makes_room([*fresh("a", 3), *fresh("b", 3, first=10)], "a", is_full=True, now_ms=NOW_MS)
    with pytest.raises(Unavailable):
        makes_room([], "a", is_full=True, now_ms=NOW_MS)


@given(STRANGERS, ADDRESSES, st.booleans())
def test_a_fresh_stranger_goes_only_from_an_address_that_is_ahead(
    strangers: list[Stranger],
    address: str,
    is_full: bool,  # noqa: FBT001
) -> None:
    loads = Counter(one.address for one in strangers)
    try:
        gone = makes_room(strangers, address, is_full=is_full, now_ms=NOW_MS)
    except PhoneError:
        return
    if gone is None:
        assert not is_full
        assert loads[address] < PER_ADDRESS
    elif NOW_MS - gone.paired_ms < FRESH_MS:
        assert is_full
        assert loads[gone.address] >= loads[address] + 2
        assert loads[gone.address] == max(loads.values())


@given(STRANGERS, ADDRESSES)
def test_whoever_is_alone_at_an_address_and_fresh_is_never_pushed_out(strangers: list[Stranger], address: str) -> None:
    honest = Stranger(1000, "honest", NOW_MS)
    with contextlib.suppress(PhoneError):
        assert makes_room([*strangers, honest], address, is_full=True, now_ms=NOW_MS) != honest


@given(st.integers(2, 30))
def test_two_floods_come_to_rest_instead_of_pushing_each_other_out_for_ever(most: int) -> None:
    strangers: list[Stranger] = []
    accepted = 0
    for num in range(20 * most):
        address = "ab"[num % 2]
        try:
            gone = makes_room(strangers, address, is_full=len(strangers) >= most, now_ms=NOW_MS)
        except PhoneError:
            continue
        strangers = [*(one for one in strangers if one != gone), Stranger(num, address, NOW_MS)]
        accepted += 1
    assert accepted <= most + 1
