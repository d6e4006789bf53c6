"""When the next request may go."""

from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud.request_log import WINDOW_MS, RequestLog


@given(
    per_minute=st.integers(1, 60),
    gaps_ms=st.lists(st.integers(0, 20_000), max_size=150),
    others=st.lists(st.integers(1, 60), min_size=1, max_size=3),
)
def test_in_any_minute_nobody_goes_beyond_the_allowance_of_its_own(
    per_minute: int, gaps_ms: list[int], others: list[int]
) -> None:
    log, now_ms, times = RequestLog("boot"), 0, []
    allowances = [per_minute, *others]
    for number, gap_ms in enumerate(gaps_ms):
        now_ms += gap_ms
        log = log.resumed("boot", now_ms)
        now_ms += log.room_in_ms(allowances[number % len(allowances)])
        log = log.resumed("boot", now_ms)
        assert log.room_in_ms(allowances[number % len(allowances)]) == 0
        log = log.sent()
        times.append(now_ms)
        assert sum(1 for at_ms in times if at_ms > now_ms - WINDOW_MS) <= max(allowances)


@given(st.integers(0, 10**9), st.integers(0, 10**9), st.integers(1, 60))
def test_whatever_a_clock_does_nobody_waits_longer_than_a_minute(then_ms: int, now_ms: int, sent: int) -> None:
    log = RequestLog("boot", then_ms, (then_ms,) * sent)
    assert log.resumed("boot", now_ms).room_in_ms(1) <= WINDOW_MS
    assert log.resumed("next", now_ms).room_in_ms(1) <= WINDOW_MS


@given(st.lists(st.integers(0, 10**6), max_size=200).map(sorted))
def test_the_log_holds_a_minute_and_no_more(times_ms: list[int]) -> None:
    log = RequestLog("boot")
    for now_ms in times_ms:
        log = log.resumed("boot", now_ms).sent()
        assert all(at_ms > now_ms - WINDOW_MS for at_ms in log.sent_ms)


def test_after_a_restart_of_the_machine_a_wait_counts_from_then_and_one_that_was_over_is_over() -> None:
    log = RequestLog("boot", 1_000).held(59_000)
    assert log.resumed("boot", 2_000).resumed("next", 7).hold_ms() == 58_000 - 7
    assert log.resumed("boot", 60_001).resumed("next", 0).hold_ms() == 0


def test_a_wait_that_the_cloud_asked_for_ends() -> None:
    log = RequestLog("boot", 1_000).held(59_000)
    assert log.resumed("boot", 59_999).hold_ms() == 1
    assert log.resumed("boot", 60_000).hold_ms() == 0
