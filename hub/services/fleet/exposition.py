"""Writes samples as Prometheus' exposition format, each value with the time at which it was true."""

import gzip
from collections.abc import Iterable, Iterator
from typing import cast

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric

from hub.actions.box.telling import Sample
from hub.core.fleet import series
from hub.core.fleet.series import HELP, PREFIX

_HALF = 0.5
"""The library cuts off what is behind the millisecond, also where a float is a little too small."""


class _Families:
    """What a registry is to the library: something that collects."""

    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterator[Metric]:
        """Return the families."""
        yield from self._families


def body(before: Sample | None, samples: Iterable[Sample]) -> bytes:
    """Return samples that were given a time, oldest first, compressed (gzip, RFC 1952)."""
    return compressed(text(before, samples))


def compressed(text: bytes) -> bytes:
    """Return what is sent of a text."""
    return gzip.compress(text, mtime=0)


def text(before: Sample | None, samples: Iterable[Sample]) -> bytes:
    """Return samples as text; ``before`` is the one before them."""
    families: dict[str, GaugeMetricFamily] = {}
    for sample in samples:
        if sample.time_ms is None:
            raise ValueError(f"sample {sample.num} has no time yet")
        told = series.told(sample.health, sample.moment.clock, before.health if before else None)
        for one, value in told.items():
            family = families.setdefault(one.name, _family(one.name, [name for name, _ in one.labels]))
            family.add_metric([found for _, found in one.labels], value, timestamp=(sample.time_ms + _HALF) / 1000)
        before = sample
    return generate_latest(cast("CollectorRegistry", _Families(families.values())))


def _family(name: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, HELP[name], labels=labels)
