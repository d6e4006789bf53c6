"""Whatever a server says of the time and of waiting, it is a number within bounds or nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.answer_headers import date_ms, retry_after_s


@pytest.mark.parametrize(
    ("said", "waits_s"),
    [("5", 5.0), ("0", 1.0), ("-3", 1.0), ("inf", 90.0), ("nan", 7.0), ("soon", 7.0), ("", 7.0), (None, 7.0)],
)
def test_how_long_to_wait_is_always_a_number_within_bounds(said: str | None, waits_s: float) -> None:
    assert retry_after_s(said, unsaid=7.0, most=90.0) == waits_s


def test_a_date_is_read_in_ms() -> None:
    assert date_ms("Thu, 01 Jan 1970 00:00:05 GMT") == 5000


@pytest.mark.parametrize("said", [None, "", "soon", "Thu, 01 Jan 99999 00:00:00 GMT", "Thu, 99 Jan 2026 00:00:00 GMT"])
def test_what_is_no_date_is_none(said: str | None) -> None:
    assert date_ms(said) is None


@given(st.text(max_size=40))
def test_no_header_raises(said: str) -> None:
    date_ms(said)
    assert 1.0 <= retry_after_s(said, unsaid=1.0, most=90.0) <= 90.0
