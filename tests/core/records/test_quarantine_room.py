"""A phone that fills the quarantine leaves room for every other one (P7, S10)."""

import pytest

from hub.core.records.quarantine_room import BYTES, Held, has_room


def fill(total: Held, size: int, records_max: int) -> Held:
    """Let a new phone add all that it may; returns what it has then."""
    own = Held()
    while has_room(own, Held(total.records + own.records, total.bytes + own.bytes), size, records_max=records_max):
        own = Held(own.records + 1, own.bytes + size)
    return own


@pytest.mark.parametrize(("size", "most", "half"), [(10, 1000, 500), (BYTES // 300, 10_000_000, 150)])
def test_each_of_many_greedy_phones_leaves_the_next_one_its_part(size: int, most: int, half: int) -> None:
    total, taken = Held(), []
    for _ in range(6):
        own = fill(total, size, most)
        total = Held(total.records + own.records, total.bytes + own.bytes)
        taken.append(own.records)
    assert taken[0] == half
    assert min(taken) > 0
    assert total.records <= most
    assert total.bytes <= BYTES


def test_the_first_entry_finds_room_even_where_there_is_only_one() -> None:
    assert has_room(Held(), Held(), 1, records_max=1)
    assert not has_room(Held(), Held(), 1, records_max=0)
    assert not has_room(Held(), Held(), BYTES + 1, records_max=10)
