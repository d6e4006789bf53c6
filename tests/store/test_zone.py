"""Which zone the clinic's days are days of."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import TZPATH

import pytest

from hub.store import zone

WINTER, SUMMER = (datetime(2026, month, 15, 12, tzinfo=UTC) for month in (1, 7))
LAGOS = next(found for folder in TZPATH if (found := Path(folder, "Africa/Lagos")).exists())
NOWHERE = Path("/nowhere")


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the process have its own zone again."""
    monkeypatch.setattr(zone, "_LOCAL", NOWHERE)
    yield
    monkeypatch.undo()
    time.tzset()


def offset_hours(moment: datetime) -> float:
    """Return how far the zone was from UTC then."""
    offset = moment.astimezone(zone.of_machine()).utcoffset()
    assert offset is not None
    return offset / timedelta(hours=1)


@pytest.mark.parametrize(
    ("named", "winter", "summer"),
    [("Europe/Madrid", 1, 2), (":Africa/Lagos", 1, 1), ("WAT-1", 1, 1), ("<+01>-1", 1, 1)],
)
def test_the_zone_or_rule_that_the_machine_is_told_goes_before_its_own(
    named: str, winter: int, summer: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", named)
    time.tzset()
    assert (offset_hours(WINTER), offset_hours(SUMMER)) == (winter, summer)


@pytest.mark.parametrize(("local", "hours"), [(LAGOS, 1), (NOWHERE, 0)])
def test_a_machine_that_is_told_none_has_its_own_or_utc(
    local: Path, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TZ", raising=False)
    monkeypatch.setattr(zone, "_LOCAL", local)
    assert offset_hours(SUMMER) == hours
