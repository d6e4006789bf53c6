"""When a hub reports, and what it makes of the answers."""

import msgspec
import pytest

from hub.core.clock import Heard
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import Last
from hub.core.fleet import reporting
from hub.core.fleet.reporting import ReportOutcome, Told

NOW = 1_800_000_000_000
RUN = NOW - 90 * 3_600_000
RELAYED = Last(tried_ms=NOW - 1000, outcome="done")


def due(told: Told = Told(), last: Last = RELAYED, *, newest: int = 1, has_cloud: bool = True) -> bool:  # noqa: B008  frozen
    return reporting.is_due(told, newest=newest, now_ms=NOW, run_ms=RUN, last=last, has_cloud=has_cloud)


def test_it_follows_a_relay_once() -> None:
    assert due()
    assert not due(Told(relay_ms=NOW - 1000))
    assert due(Told(relay_ms=NOW - 2000))


def test_it_needs_something_new() -> None:
    assert not due(Told(num=5), newest=5)
    assert due(Told(num=5), newest=6)


def test_a_line_that_is_always_there_carries_a_report_every_four_hours() -> None:
    hour = 3_600_000
    assert not due(Told(outcome="sent", succeeded_ms=NOW - 3 * hour))
    assert due(Told(outcome="sent", succeeded_ms=NOW - 4 * hour))
    assert due(Told(outcome="paused", succeeded_ms=NOW - hour))
    assert due(Told(outcome="sent", succeeded_ms=RUN - 1))


def test_a_box_that_runs_for_an_hour_a_day_reports_in_each() -> None:
    told = Told(outcome="sent", succeeded_ms=NOW - 3_600_000)
    assert reporting.is_due(told, newest=1, now_ms=NOW, run_ms=NOW - 3_000_000, last=RELAYED, has_cloud=True)


def test_records_come_first() -> None:
    assert not due(last=msgspec.structs.replace(RELAYED, running_since_ms=NOW))


@pytest.mark.parametrize("outcome", Outcome)
def test_it_goes_after_every_relay_but_those_without_a_line(outcome: Outcome) -> None:
    wanted = outcome not in {Outcome.NO_LINE, Outcome.OUT_OF_HOURS, Outcome.OVER_BUDGET}
    assert due(last=msgspec.structs.replace(RELAYED, outcome=outcome.word)) is wanted


def test_a_hub_without_a_cloud_tries_by_itself() -> None:
    assert due(last=Last(), has_cloud=False)
    assert not due(Told(not_before_ms=NOW + 1), last=Last(), has_cloud=False)


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (204, ReportOutcome.SENT),
        (200, ReportOutcome.FAILING),
        (302, ReportOutcome.FAILING),
        (400, ReportOutcome.REFUSED),
        (401, ReportOutcome.REFUSED),
        (403, ReportOutcome.REFUSED),
        (404, ReportOutcome.FAILING),
        (429, ReportOutcome.BUSY),
        (500, ReportOutcome.FAILING),
        (503, ReportOutcome.BUSY),
    ],
)
def test_only_204_is_success(status: int, outcome: ReportOutcome) -> None:
    assert reporting.outcome_of(status) is outcome


def test_waits_double_and_end_after_a_success() -> None:
    told, waits = Told(), []
    for _ in range(6):
        told = reporting.ended(told, ReportOutcome.NO_LINE, now_ms=NOW, draw=0.5)
        waits.append((told.not_before_ms - NOW) // 1000)
    assert waits == [300, 600, 1200, 2400, 3600, 3600]
    told = reporting.ended(told, ReportOutcome.SENT, now_ms=NOW, draw=0.5)
    assert (told.failures, told.not_before_ms, told.succeeded_ms) == (0, NOW, NOW)


def test_a_server_that_says_when_is_asked_then() -> None:
    told = reporting.ended(Told(), ReportOutcome.BUSY, now_ms=NOW, draw=0.5, retry_after_s=7200)
    assert told.not_before_ms == NOW + 7_200_000


def test_a_new_day_has_its_whole_allowance() -> None:
    told = Told(day="2026-11-28", day_bytes=900)
    heard = Heard(1, 2, 3)
    begin = {"now_ms": NOW, "last": RELAYED, "heard": heard}
    assert reporting.begun(told, day="2026-11-28", **begin).day_bytes == 900  # type: ignore[arg-type]
    new = reporting.begun(told, day="2026-11-29", **begin)  # type: ignore[arg-type]
    assert (new.day, new.day_bytes, new.heard, new.relay_ms) == ("2026-11-29", 0, heard, NOW - 1000)
