"""When whoever signed in on the page is signed out, by the minute."""

import pytest

from hub.core.people import page_session
from hub.core.people.page_session import LONGEST_MS

_IDLE_MS = 600_000


@pytest.mark.parametrize(
    ("issued", "used", "now_ms", "is_over"),
    [
        (0, 0, _IDLE_MS - 1, False),
        (0, 0, _IDLE_MS, True),
        (0, LONGEST_MS - 2, LONGEST_MS - 1, False),
        (0, LONGEST_MS - 1, LONGEST_MS, True),
    ],
)
def test_a_session_ends_when_nobody_was_there_and_after_a_long_day(
    *, issued: int, used: int, now_ms: int, is_over: bool
) -> None:
    assert page_session.is_over(issued, used, now_ms, idle_ms=_IDLE_MS) is is_over


@pytest.mark.parametrize(("now_ms", "is_noted"), [(20_999, False), (21_000, True)])
def test_that_somebody_is_still_there_is_noted_every_twenty_seconds(*, now_ms: int, is_noted: bool) -> None:
    assert page_session.is_to_be_noted(1_000, now_ms) is is_noted
