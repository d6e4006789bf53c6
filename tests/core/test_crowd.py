"""Who holds too many connections loses the newest of them, and nobody else loses any (S8)."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.crowd import PER_ADDRESS, STRANGERS, Connection, ending


def held(**sizes: int) -> list[Connection]:
    """Return so many connections of each address, each in its turn."""
    rounds = range(max(sizes.values(), default=0))
    turns = [address for number in rounds for address, size in sizes.items() if number < size]
    return [Connection(number, address) for number, address in enumerate(turns)]


def left(connections: list[Connection], known: frozenset[str] = frozenset()) -> Counter[str]:
    gone = {one.num for one in ending(connections, known)}
    return Counter(one.address for one in connections if one.num not in gone)


def test_an_address_keeps_its_share_and_the_older_ones() -> None:
    connections = held(flood=PER_ADDRESS + 100, phone=3)
    assert left(connections) == {"flood": PER_ADDRESS, "phone": 3}
    flood = [one for one in connections if one.address == "flood"]
    assert ending(connections, ()) == flood[PER_ADDRESS:]


@pytest.mark.parametrize("addresses", [1, 16, 17, 100, 1000, 3000])
def test_strangers_keep_to_their_part_however_many_addresses_they_have(addresses: int) -> None:
    flood = held(**{f"a{number}": PER_ADDRESS for number in range(addresses)}, newcomer=1, nurse=5)
    kept = left(flood, frozenset({"nurse"}))
    assert kept["nurse"] == 5
    assert kept["newcomer"] == 1
    assert sum(kept.values()) <= max(STRANGERS, addresses + 1) + 5


def test_strangers_have_all_of_their_part() -> None:
    assert left(held(**{f"a{number}": PER_ADDRESS for number in range(32)})).total() == STRANGERS == 32 * 32


def test_a_place_where_phones_were_heard_has_no_more_than_its_share_either() -> None:
    assert left(held(nurse=500), frozenset({"nurse"})) == {"nurse": PER_ADDRESS}


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=3), st.integers(1, 90), max_size=60))
def test_nobody_loses_any_who_has_no_more_than_another_one_keeps(sizes: dict[str, int]) -> None:
    kept = left(held(**sizes))
    for address, size in sizes.items():
        if kept[address] < size:
            assert kept[address] >= max(kept.values())
    strangers = sum(sizes.values())
    if strangers <= STRANGERS and max(sizes.values(), default=0) <= PER_ADDRESS:
        assert kept.total() == strangers
