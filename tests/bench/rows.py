"""What a benchmark reports: a measure, the raw floor taken in the same run, and the ratio that is the claim."""

import statistics
import time
from collections.abc import Callable

import msgspec


class Row(msgspec.Struct, frozen=True):
    """One line of the table; times in ms unless ``unit`` says otherwise."""

    what: str
    measured: float
    unit: str = "ms"
    floor: float | None = None
    limit: float | None = None
    """What the ratio (or, without a floor, the measure) may be."""
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Return measured / floor."""
        return self.measured / self.floor if self.floor else None

    @property
    def within(self) -> bool | None:
        """Return whether the limit is kept; None where there is none."""
        value = self.ratio if self.floor else self.measured
        return value <= self.limit if self.limit is not None and value is not None else None


def median_ms(act: Callable[[], object], *, times: int, before: Callable[[], object] | None = None) -> float:
    """Return the median time of ``act`` in ms; ``before`` is not counted."""
    return statistics.median(times_ms(act, times=times, before=before))


def times_ms(act: Callable[[], object], *, times: int, before: Callable[[], object] | None = None) -> list[float]:
    """Return each time that ``act`` took, in ms; ``before`` is not counted."""
    taken = []
    for _ in range(times):
        if before:
            before()
        start = time.perf_counter()
        act()
        taken.append((time.perf_counter() - start) * 1000)
    return taken


def quantiles(values: list[float]) -> tuple[float, float, float]:
    """Return p50, p95 and p99."""
    cuts = statistics.quantiles(values, n=100, method="inclusive")
    return cuts[49], cuts[94], cuts[98]
