"""How long whoever failed to sign in must wait."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.people.attempts import DAY_MS, Attempts, Failures, left_s

RULES = Attempts(free=5, wait_s=30, wait_max_s=900)


@pytest.mark.parametrize(
    ("key", "count", "left"),
    [
        ("here:a", 4, 0),
        ("here:a", 5, 30),
        ("here:a", 6, 60),
        ("here:a", 10, 900),
        ("here:a", 10_000, 900),
        ("account:a", 19, 0),
        ("account:a", 20, 30),
        ("address:x", 19, 0),
        ("address:x", 20, 30),
    ],
)
def test_the_wait_doubles_with_each_failure_past_the_free_ones(key: str, count: int, left: int) -> None:
    assert left_s(key, Failures(count, 1_000), RULES, now_ms=1_000) == left


@given(st.integers(0, 100), st.integers(0, 2 * DAY_MS))
def test_waiting_only_gets_shorter_and_ends(count: int, passed_ms: int) -> None:
    first, later, last = (
        left_s("here:a", Failures(count, 0), RULES, now_ms=now_ms)
        for now_ms in (passed_ms, passed_ms + 1, passed_ms + 900_000)
    )
    assert RULES.wait_max_s >= first >= later >= last == 0


def test_a_day_without_failures_forgives() -> None:
    long = Attempts(free=0, wait_s=30, wait_max_s=10 * 86_400)
    assert left_s("here:a", Failures(20, 0), long, now_ms=DAY_MS - 1) > 0
    assert left_s("here:a", Failures(20, 0), long, now_ms=DAY_MS) == 0
