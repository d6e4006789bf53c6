"""How long to wait after a cycle, and what its end is called."""

import pytest

from hub.core.cloud import cycle_outcome
from hub.core.cloud.cycle_outcome import Outcome


def test_failures_double_the_wait_up_to_an_hour() -> None:
    waits = [cycle_outcome.delay_s(Outcome.NO_LINE, failures=n, usual_s=300, draw=0.5) for n in range(1, 8)]
    assert waits == [300, 600, 1200, 2400, 3600, 3600, 3600]


def test_a_wait_is_drawn_so_that_hubs_do_not_march_in_step() -> None:
    early, late = (cycle_outcome.delay_s(Outcome.DONE, failures=0, usual_s=300, draw=draw) for draw in (0, 1))
    assert (early, late) == (255, 345)


def test_retry_after_is_the_least_wait() -> None:
    assert cycle_outcome.delay_s(Outcome.BUSY, failures=0, usual_s=300, draw=0, retry_after_s=900) == 900


@pytest.mark.parametrize(
    ("begin", "end", "inside", "outside"),
    [(8, 18, (8, 17), (7, 18)), (22, 6, (22, 0, 5), (6, 21)), (0, 24, (0, 12, 23), ()), (5, 5, (0, 23), ())],
)
def test_hours_may_go_over_midnight(begin: int, end: int, inside: tuple[int, ...], outside: tuple[int, ...]) -> None:
    assert all(cycle_outcome.in_hours(hour, begin, end) for hour in inside)
    assert not any(cycle_outcome.in_hours(hour, begin, end) for hour in outside)


def test_every_outcome_has_a_word_and_a_sentence_of_its_own() -> None:
    assert len({outcome.word for outcome in Outcome}) == len({outcome.sentence for outcome in Outcome}) == len(Outcome)
