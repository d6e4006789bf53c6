"""When everything is pulled, and how far a pull moves the cursor (R7, R9)."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.cloud import pull_plan
from hub.core.cloud.link import Progress

NOW = 1_795_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
MS = st.integers(NOW - 100 * DAY, NOW + 100 * DAY)
CURRENT = Progress(cursor_cloud_ms=NOW, full_cloud_ms=NOW, clinics=("a",))


@given(MS, MS, MS)
def test_9_the_cursor_is_never_beyond_the_hubs_own_time_nor_the_clouds(cloud: int, wall: int, hub: int) -> None:
    cursor = pull_plan.cursor(cloud, wall_ms=wall, hub_ms=hub)
    assert cursor <= cloud
    assert cursor <= max(wall, hub) + pull_plan.OVERLAP_MS
    assert cursor == cloud or cursor > max(wall, hub)


@given(st.integers(0, 60 * DAY))
def test_9_everything_is_pulled_after_a_week_whatever_was_pulled_since(since: int) -> None:
    assert pull_plan.is_full(CURRENT, ["a"], NOW + since) == (since >= 7 * DAY)


def test_7_everything_is_pulled_at_first_for_other_clinics_and_a_day_after_a_patient_came() -> None:
    assert pull_plan.is_full(Progress(), ["a"], NOW)
    assert pull_plan.is_full(CURRENT, ["a", "b"], NOW)
    wanted = msgspec.structs.replace(CURRENT, full_wanted="a patient came")
    assert not pull_plan.is_full(wanted, ["a"], NOW + HOUR)
    assert not pull_plan.wanted_at_once(wanted)
    assert pull_plan.is_full(wanted, ["a"], NOW + DAY)


def test_9_a_full_pull_that_failed_is_not_tried_in_every_cycle_but_one_that_is_wanted_at_once_is() -> None:
    failed = msgspec.structs.replace(CURRENT, full_cloud_ms=0, full_failed_cloud_ms=NOW)
    assert not pull_plan.is_full(failed, ["a"], NOW + HOUR - 1)
    assert pull_plan.is_full(failed, ["a"], NOW + HOUR)
    assert pull_plan.is_full(failed, ["a", "b"], NOW)
    at_once = pull_plan.at_once(failed, "asked for")
    assert pull_plan.wanted_at_once(at_once)
    assert pull_plan.is_full(at_once, ["a"], NOW)


@given(pushed=st.integers(0, 10**8), since_push=st.integers(-999, 10**6), since_pull=st.integers(-999, 10**6))
def test_6_after_a_large_push_a_pull_waits_until_its_overlap_no_more_reaches_it(
    pushed: int, since_push: int, since_pull: int
) -> None:
    progress = Progress(cursor_cloud_ms=NOW - since_pull, pushed_cloud_ms=NOW - since_push, pushed_bytes=pushed)
    waits = pull_plan.can_wait(progress, NOW)
    large = pushed >= pull_plan.LARGE_PUSH_BYTES
    assert waits == (large and since_push <= pull_plan.OVERLAP_MS and since_pull < pull_plan.PATIENCE_MS)


@given(MS)
def test_9_a_cloud_whose_clock_stands_before_the_last_pull_is_noticed(cloud: int) -> None:
    assert pull_plan.went_back(CURRENT, cloud) == (cloud < NOW - pull_plan.OVERLAP_MS)


@given(st.lists(st.integers(0, DAY // 2), min_size=1, max_size=9))
def test_3_edits_go_unseen_after_a_day_and_three_pulls_that_failed(pauses: list[int]) -> None:
    progress, now = CURRENT, NOW
    for number, pause in enumerate(pauses):
        progress = pull_plan.failed(progress, now + pause if number else now)
        now += pause if number else 0
    lasted = sum(pauses[1:])
    assert pull_plan.is_blind(progress, now) == (len(pauses) >= 3 and lasted >= DAY)


@pytest.mark.parametrize("since", [0, NOW + 365 * DAY])
def test_3_a_day_is_counted_anew_where_its_beginning_is_unknown_or_was_told_by_a_clock_ahead(since: int) -> None:
    progress = msgspec.structs.replace(CURRENT, pull_failures=7, pulls_fail_since_cloud_ms=since)
    progress = pull_plan.failed(progress, NOW)
    assert not pull_plan.is_blind(progress, NOW)
    assert pull_plan.is_blind(progress, NOW + DAY)


def test_r9_that_the_cloud_lost_records_is_told_for_a_week_after_the_last_time() -> None:
    once = msgspec.structs.replace(CURRENT, lost=3, lost_cloud_ms=NOW)
    assert pull_plan.lost(once, 0, NOW + 7 * DAY - 1) == (3, NOW)
    assert pull_plan.lost(once, 2, NOW + DAY) == (5, NOW + DAY)
    assert pull_plan.lost(once, 0, NOW + 7 * DAY) == (0, 0)
