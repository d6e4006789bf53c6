"""Hub time only ever rises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.clock import NEWEST_MS, OLDEST_MS, HubClock, first_ms

MOMENTS = st.integers(0, 2**62)


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
