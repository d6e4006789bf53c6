"""Charts of made-up counts, as the first page draws them."""

import datetime as dt
from collections.abc import Iterator

from hub.web import charts
from hub.web.charts import Chart, Slot
from hub.words import words

TOPS = (0, 3, 97, 12_345, 1_234_567)


def every(code: str, *, hour: int, top: int) -> Iterator[Chart]:
    """Draw all four charts of a hub, at an hour of the day, with up to ``top`` records in each step."""
    day = _slots(24, step_h=1, hour=hour, top=top)
    week = _slots(28, step_h=6, hour=hour - hour % 6, top=top)
    for steps, by_day in ((day, False), (week, True)):
        yield charts.records(words(code), "Records", steps, with_cloud=True, by_day=by_day)
        yield charts.waiting(words(code), "Waiting", steps, by_day=by_day)


def _slots(count: int, *, step_h: int, hour: int, top: int) -> list[Slot]:
    last = dt.datetime(2026, 5, 20, hour, tzinfo=dt.UTC)
    return [
        Slot(last - dt.timedelta(hours=step_h * back), entered=top * (back % 7) // 6, waiting=top * (back % 5) // 4)
        for back in reversed(range(count))
    ]
