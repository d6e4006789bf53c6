"""How much an answer holds: more while a phone confirms it, less at once when it does not (P10, P11)."""

from hypothesis import given
from hypothesis import strategies as st

from hub.core.phone import page_size
from hub.core.phone.page_size import FLOOR_BYTES, MIB, START_BYTES, Capacity

MOST = 8 * MIB


def budgets(holds: int, most: int = MOST, syncs: int = 30, confirmed: int = 0) -> list[int]:
    """Let a phone that can hold so much sync while there is always more; returns what each answer was to hold."""
    known = Capacity(confirmed)
    budgets: list[int] = []
    lost: list[int] = []
    for _ in range(syncs):
        budget = page_size.budget_bytes(known, len(lost), most)
        budgets.append(budget)
        if budget <= holds:
            known, lost = page_size.learned(known, page_size.weight(budget, budget), lost), []
        else:
            lost.append(budget)
    return budgets


def test_p11_pages_grow_while_the_phone_confirms_them() -> None:
    assert budgets(100 * MIB, syncs=4) == [4 * MIB, 8 * MIB, 8 * MIB, 8 * MIB]
    assert budgets(100 * MIB, 16 * MIB, syncs=4) == [4 * MIB, 8 * MIB, 16 * MIB, 16 * MIB]


def test_p11_a_phone_that_confirmed_8_mb_starts_there_next_time() -> None:
    assert budgets(MOST, syncs=1, confirmed=MOST) == [MOST]


def test_p10_pages_shrink_at_once_when_they_are_not_confirmed() -> None:
    assert budgets(0, syncs=4) == [4 * MIB, MIB, FLOOR_BYTES, FLOOR_BYTES]


@given(st.integers(FLOOR_BYTES, 20 * MIB), st.integers(FLOOR_BYTES, 16 * MIB))
def test_p10_a_phone_of_little_memory_fails_a_few_times_and_then_never_again(holds: int, most: int) -> None:
    tried = budgets(holds, most, syncs=60)
    assert sum(budget > holds for budget in tried) <= 8
    assert all(budget <= holds for budget in tried[30:])
    assert tried[-1] * 8 > min(holds, most, START_BYTES)


def test_p11_a_page_that_is_more_than_half_full_counts_as_a_full_one() -> None:
    assert [page_size.weight(size, 2 * MIB) for size in (0, MIB, MIB + 1)] == [0, MIB, 2 * MIB]


def test_p11_an_answer_that_was_lost_once_on_its_way_costs_the_phone_nothing_for_good() -> None:
    known = page_size.learned(Capacity(), MIB, [4 * MIB])
    assert page_size.budget_bytes(known, 0, MOST) == 4 * MIB
    assert page_size.learned(known, 4 * MIB, []) == Capacity(4 * MIB)


def test_p10_a_page_that_failed_twice_is_not_tried_a_third_time() -> None:
    known = page_size.learned(page_size.learned(Capacity(), MIB, [4 * MIB]), MIB, [4 * MIB])
    assert page_size.budget_bytes(known, 0, MOST) == 2 * MIB


@given(st.lists(st.integers(0, FLOOR_BYTES)))
def test_small_answers_that_are_lost_say_nothing_of_the_phone(lost: list[int]) -> None:
    assert page_size.learned(Capacity(), 0, lost) == Capacity()


@given(st.integers(1, 20 * MIB), st.integers(1, 16 * MIB), st.integers(0, 50))
def test_p6_no_page_is_larger_than_the_settings_allow(confirmed: int, most: int, attempts: int) -> None:
    assert 0 < page_size.budget_bytes(Capacity(confirmed), attempts, most) <= most
