"""How a hub finds out what a phone's user deleted there: few failures, few taps, nothing held back (P10)."""

import random
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyroaring import FrozenBitMap

from hub.core.phone import doubt
from tests.core.phone.model import ModelHub, ModelPhone, carried, created
from tests.draws import drawn

ANOTHER_HUBS = 1_700_000_000_000.0
"""A cursor that only another hub gave."""


class Taps(NamedTuple):
    """How a phone fared until it was at rest."""

    failed: int
    taps: int
    in_a_row: int
    """The most failures in a row."""


def joined(count: int, deleted: set[int], lacking: set[int] = frozenset()) -> tuple[ModelHub, ModelPhone]:  # type: ignore[assignment]
    """Return a hub that took the place of another one of the same cloud, and a phone that synced with that one."""
    hub, phone = ModelHub(), ModelPhone()
    for num in range(1, count + 1):
        hub.add("visits", "a")
        if num not in lacking:
            phone.has["visits", num] = hub.rows["visits"][num].revision
    for num in deleted:
        phone.delete(("visits", num))
    phone.cursor = ANOTHER_HUBS
    return hub, phone


def rest(hub: ModelHub, phone: ModelPhone, most: int = 2000) -> Taps:
    """Tap until nothing is left to say."""
    failed = in_a_row = row = 0
    for taps in range(1, most):
        answer = hub.pull(phone.cursor)
        is_good = phone.store(answer)
        row = 0 if is_good else row + 1
        failed, in_a_row = failed + (not is_good), max(in_a_row, row)
        if is_good and not hub.opened(phone.cursor).behind():
            return Taps(failed, taps, in_a_row)
    raise AssertionError(most)


def test_p10_the_first_answer_to_a_doubtful_phone_holds_nothing_that_can_fail() -> None:
    hub, phone = joined(400, {7})
    assert not created(hub.pull(phone.cursor))


def test_p10_a_phone_that_deleted_nothing_fails_never_and_rests_a_tap_later_than_a_new_one() -> None:
    new = rest(joined(400, set())[0], ModelPhone())
    assert rest(*joined(400, set())) == Taps(0, new.taps + 1, 0)


@pytest.mark.parametrize("deleted", range(1, 401, 9))
def test_p10_one_deletion_of_400_costs_at_most_5_failures_and_20_taps(deleted: int) -> None:
    found = rest(*joined(400, {deleted}))
    assert (found.failed <= 5, found.taps <= 20, found.in_a_row) == (True, True, 1)


@pytest.mark.parametrize("seed", range(30))
def test_p10_three_deletions_of_400_cost_at_most_12_failures_and_45_taps(seed: int) -> None:
    found = rest(*joined(400, set(random.Random(seed).sample(range(1, 401), 3))))
    assert (found.failed <= 12, found.taps <= 45, found.in_a_row) == (True, True, 1)


@drawn(100)
@given(st.sets(st.integers(1, 60), max_size=5), st.sets(st.integers(1, 60), max_size=20))
def test_p5_what_a_phone_lacks_comes_and_what_was_deleted_stays_deleted(deleted: set[int], lacking: set[int]) -> None:
    hub, phone = joined(60, deleted - lacking, lacking)
    assert rest(hub, phone).in_a_row <= 1
    for _ in range(12):  # the few that were not told apart are tried one by one
        hub.now += 10**9
        rest(hub, phone)
        for _ in range(doubt.ENOUGH * 6):
            phone.store(hub.pull(phone.cursor))
    assert {num for _, num in phone.has} == set(range(1, 61)) - (deleted - lacking)


def test_p10_what_others_enter_meanwhile_is_not_held_back() -> None:
    hub, phone = joined(100, {50})
    phone.store(hub.pull(phone.cursor))
    num = hub.add("visits", "a")
    for _ in range(3):
        phone.store(hub.pull(phone.cursor))
    assert ("visits", num) in phone.has


def test_p10_a_phone_that_fails_twice_pushes_with_its_third_sync() -> None:
    hub, phone = ModelHub(), ModelPhone()
    hub.add("visits", "a")
    phone.store(hub.pull(phone.cursor))
    num = hub.add("visits", "a")
    phone.deleted.add(("visits", num))
    assert [phone.store(hub.pull(phone.cursor)) for _ in range(5)] == [False, False, True, True, True]


def test_p10_after_a_forced_upload_nothing_that_the_phone_has_is_sent_again() -> None:
    hub, phone = joined(40, set())
    phone.cursor = 0
    rest(hub, phone)
    phone.store(hub.pull(phone.cursor))
    phone.delete(("visits", 3))
    phone.cursor = ANOTHER_HUBS
    assert [carried(hub.pull(phone.cursor)) for _ in range(3)] == [set()] * 3


@given(st.integers(1, 5000), st.integers(0, 40), st.integers(0, 200))
def test_a_question_is_never_empty_and_never_more_than_there_is(count: int, suspects: int, asked: int) -> None:
    everything = {"visits": FrozenBitMap(range(count))}
    for failed in ({}, everything):
        chosen = doubt.question(everything, failed, suspects=suspects, asked=asked)
        assert 0 < doubt.size(chosen) <= count
    assert count <= doubt.ENOUGH or doubt.size(doubt.question(everything, everything, suspects=0, asked=0)) < count


def test_a_phone_is_said_to_need_more_syncs_while_something_is_in_doubt_and_no_longer() -> None:
    hub, phone = joined(400, {7})
    left = []
    for _ in range(30):
        phone.store(hub.pull(phone.cursor))
        left.append(hub.opened(phone.cursor).answers_left())
    assert (left[0], max(left) > 10, left[-1]) == (1, True, 0)


@pytest.mark.parametrize(("doubted", "failed", "left"), [(0, 0, 0), (7, 0, 1), (9, 8, 1), (9, 9, 6), (17, 17, 7)])
def test_how_many_answers_it_takes_is_known_beforehand(doubted: int, failed: int, left: int) -> None:
    assert doubt.answers_left(doubted, failed) == left
