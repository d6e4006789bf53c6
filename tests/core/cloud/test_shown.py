"""Which records a full pull showed (R9)."""

from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud.shown import WINDOW_SLACK_MS, Shown


@given(st.sets(st.integers(1, 100_000)), st.sets(st.integers(1, 100_000)))
def test_9_just_what_was_shown_of_a_table_is_shown(some: set[int], others: set[int]) -> None:
    shown = Shown()
    shown.add("patients", some)
    shown.add("visits", others)
    assert all(shown.has("patients", num) for num in some)
    assert not any(shown.has("patients", num) for num in others - some)
    assert not shown.has("events", 1)


def test_9_nothing_older_than_the_oldest_row_is_expected_and_everything_where_there_is_none() -> None:
    shown = Shown()
    assert shown.since_ms() == 0
    shown.changed_at(["1970-01-05T00:00:00.000Z", "1970-01-04T00:00:00.000Z"])
    shown.changed_at(["1970-01-06T00:00:00.000Z"])
    assert shown.since_ms() == 3 * 86_400_000 - WINDOW_SLACK_MS
