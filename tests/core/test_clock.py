"""Hub time only ever rises."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.clock import (
    NEWEST_MS,
    OLDEST_MS,
    Heard,
    HubClock,
    believed_ms,
    contradicts,
    date_ms,
    first_ms,
    is_wrong,
    was_set,
)

MOMENTS = st.integers(0, 2**62)
NOW_MS = OLDEST_MS + 10**9


@given(MOMENTS, MOMENTS, st.lists(st.integers(-(2**62), 2**62), max_size=20))
def test_hub_time_rises_strictly_whatever_the_steps_of_the_clock(
    anchor_ms: int, last_ms: int, readings: list[int]
) -> None:
    clock = HubClock(anchor_ms, 0, "boot")
    for monotonic_ns in readings:
        now_ms = clock.tick(last_ms, monotonic_ns)
        assert now_ms > last_ms
        last_ms = now_ms


def test_hub_time_goes_on_with_the_monotonic_clock() -> None:
    assert HubClock(1_000, 5_000_000, "boot").tick(0, 12_000_000) == 1_007


def test_two_processes_of_one_boot_agree_on_the_time() -> None:
    one, other = HubClock(1_000, 0, "boot"), HubClock(1_000, 0, "boot")
    assert one.tick(1_000, 9_000_000) == other.tick(1_000, 9_000_000)


@pytest.mark.parametrize("wall_ms", [0, OLDEST_MS - 1, NEWEST_MS, 2**62, -1])
def test_a_wall_clock_that_cannot_be_right_is_not_believed(wall_ms: int) -> None:
    assert first_ms(wall_ms) == OLDEST_MS


@pytest.mark.parametrize("wall_ms", [OLDEST_MS, NEWEST_MS - 1, 1_800_000_000_000])
def test_a_new_hub_begins_with_a_wall_clock_that_can_be_right(wall_ms: int) -> None:
    assert first_ms(wall_ms) == wall_ms


HOUR_MS = 3_600_000
HEARD = Heard(cloud_ms=10 * HOUR_MS, wall_ms=10 * HOUR_MS, hub_ms=0)


@pytest.mark.parametrize(
    ("heard", "wall_ms", "hub_ms", "wrong"),
    [
        (HEARD, 12 * HOUR_MS, 2 * HOUR_MS, False),
        (HEARD, 9 * HOUR_MS, 2 * HOUR_MS, True),  # it was set back
        (HEARD, 30 * HOUR_MS, 2 * HOUR_MS, False),  # the box was off for long: hub time stood still
        (msgspec.structs.replace(HEARD, wall_ms=5 * HOUR_MS), 6 * HOUR_MS, HOUR_MS, True),  # behind, and still
        (msgspec.structs.replace(HEARD, wall_ms=5 * HOUR_MS), 11 * HOUR_MS, HOUR_MS, False),  # it was set right
        (msgspec.structs.replace(HEARD, wall_ms=20 * HOUR_MS), 21 * HOUR_MS, HOUR_MS, True),  # ahead, and still
        (msgspec.structs.replace(HEARD, wall_ms=20 * HOUR_MS), 11 * HOUR_MS, HOUR_MS, False),  # it was set right
        (msgspec.structs.replace(HEARD, wall_ms=20 * HOUR_MS), 40 * HOUR_MS, HOUR_MS, False),  # off since: not known
    ],
)
def test_what_the_cloud_said_of_the_time_shows_a_wrong_clock_and_no_right_one(
    heard: Heard, wall_ms: int, hub_ms: int, *, wrong: bool
) -> None:
    assert contradicts(heard, wall_ms=wall_ms, hub_ms=hub_ms) is wrong


@pytest.mark.parametrize(
    ("wall_ms", "wrong"),
    [
        (NOW_MS, False),
        (NOW_MS + 10**12, False),
        (NOW_MS - 3_599_000, False),
        (NOW_MS - 3_601_000, True),
        (0, True),
        (NEWEST_MS, True),
    ],
)
def test_a_clock_is_wrong_when_it_is_behind_hub_time_or_out_of_this_century(wall_ms: int, *, wrong: bool) -> None:
    assert is_wrong(wall_ms=wall_ms, hub_ms=NOW_MS) is wrong


@pytest.mark.parametrize(
    ("wall_ms", "wanted"),
    [(NOW_MS - 1, NOW_MS), (NOW_MS + 1, NOW_MS + 1), (NEWEST_MS - 1, NEWEST_MS - 1), (NEWEST_MS, NOW_MS)],
)
def test_people_read_the_later_of_wall_clock_and_hub_time_but_none_that_cannot_be(wall_ms: int, wanted: int) -> None:
    assert date_ms(wall_ms, hub_ms=NOW_MS) == wanted


def test_the_oldest_time_that_can_be_is_right_on_a_new_hub() -> None:
    assert not is_wrong(wall_ms=OLDEST_MS, hub_ms=first_ms(OLDEST_MS))
    assert is_wrong(wall_ms=OLDEST_MS - 1, hub_ms=first_ms(OLDEST_MS - 1))


def test_a_clock_that_the_cloud_contradicts_is_wrong() -> None:
    heard = Heard(cloud_ms=NOW_MS + 5 * HOUR_MS, wall_ms=NOW_MS, hub_ms=NOW_MS)
    assert is_wrong(wall_ms=NOW_MS, hub_ms=NOW_MS, heard=heard)


@pytest.mark.parametrize(
    ("wall_ms", "believed"),
    [(OLDEST_MS - 1, None), (OLDEST_MS, OLDEST_MS), (NEWEST_MS - 1, NEWEST_MS - 1), (NEWEST_MS, None)],
)
def test_a_clock_before_the_hub_was_made_or_far_ahead_is_not_believed(wall_ms: int, believed: int | None) -> None:
    assert believed_ms(wall_ms) == believed


@pytest.mark.parametrize(
    ("then_ms", "now_ms", "passed_ms", "is_set"),
    [
        (1_000, 62_000, 1_000, False),
        (1_000, 62_001, 1_000, True),
        (100_000, 40_999, 1_000, True),
        (None, None, 10**9, False),
        (None, 1_000, 0, True),
        (1_000, None, 0, True),
    ],
)
def test_a_clock_that_is_a_minute_from_where_it_should_be_was_set(
    *, then_ms: int | None, now_ms: int | None, passed_ms: int, is_set: bool
) -> None:
    assert was_set(then_ms, now_ms, passed_ms) is is_set
