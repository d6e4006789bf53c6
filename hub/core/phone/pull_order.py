"""Decides whose records a phone gets first: those of the patients who are due next, or were seen last (P11)."""

import heapq
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_HOUR_MS = 3_600_000
STILL_DUE_MS = 12 * _HOUR_MS
"""An appointment of this morning is still to come: the patient may sit in the waiting room."""


class Sighting(NamedTuple):
    """A patient, met by a record that is due to the phone."""

    apart_ms: int
    """How far from now the patient is due, or was seen."""
    patient_id: str
    at: tuple[str, int] | None = None
    """How far along a table's index (name, made_ms) it was met; None where no index was followed."""


def apart_ms(now_ms: int, made_ms: int, appointed_ms: int | None = None) -> int:
    """Return how far from now the patient of a record is due, by an appointment to come, or was seen.

    A record of tomorrow comes from a phone whose clock is ahead: it was made just now.
    """
    if appointed_ms is not None and appointed_ms > now_ms - STILL_DUE_MS:
        return max(0, appointed_ms - now_ms)
    return max(0, now_ms - made_ms)


def most_urgent_first(streams: Iterable[Iterable[Sighting]]) -> Iterator[Sighting]:
    """Merge streams of sightings, each in its order, and return every patient once, as first met; reads no further."""
    met: set[str] = set()
    for sighting in heapq.merge(*streams, key=_apart):
        if sighting.patient_id not in met:
            met.add(sighting.patient_id)
            yield sighting


def _apart(sighting: Sighting) -> int:
    return sighting.apart_ms
