"""How long a sign-in on a phone lasts (S5)."""

from hypothesis import given
from hypothesis import strategies as st

from hub.core.phone.token_life import DAY_MS, TokenLife

DAYS = st.integers(1, 3650)


def test_a_sign_in_that_is_used_every_week_lasts_as_long_as_the_whole_allows_and_is_written_once_a_week() -> None:
    life, ends_ms, writes, now_ms = TokenLife(30, 365), 30 * DAY_MS, 0, 0
    while now_ms < ends_ms:
        renewed = life.renewed_ms(0, ends_ms, now_ms)
        writes += renewed is not None
        ends_ms = renewed or ends_ms
        now_ms += 7 * DAY_MS
    assert ends_ms == 365 * DAY_MS
    assert writes <= 53


def test_one_that_is_not_used_ends_after_its_days() -> None:
    assert TokenLife(30, 365).renewed_ms(0, 30 * DAY_MS, DAY_MS - 1) is None


@given(DAYS, DAYS, st.integers(0, 10**6), st.lists(st.integers(0, DAY_MS), max_size=200))
def test_however_often_it_is_used_it_is_written_once_a_day_at_most_and_never_outlasts_the_whole(
    days: int, days_max: int, issued_ms: int, waits: list[int]
) -> None:
    life = TokenLife(days, days_max)
    now_ms = written_ms = issued_ms
    ends_ms = life.ends_ms(issued_ms, issued_ms)
    for wait in waits:
        now_ms += wait
        renewed = life.renewed_ms(issued_ms, ends_ms, now_ms)
        if renewed is not None:
            assert renewed >= ends_ms + DAY_MS
            assert now_ms - written_ms >= DAY_MS
            ends_ms, written_ms = renewed, now_ms
        assert ends_ms <= issued_ms + max(days, days_max) * DAY_MS
        assert ends_ms >= min(now_ms + (days - 1) * DAY_MS, issued_ms + (max(days, days_max) - 1) * DAY_MS)
