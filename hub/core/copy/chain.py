"""Decides which entries of a copy journal count, and how far it reaches.

Each transaction has a number, one more than the last. An entry covers the numbers ``first`` to ``last``; one that
begins again at a number that was there already takes the place of what was there: its transaction was never committed,
or is covered again. A number that is missing ends what can be rebuilt.
"""

from collections.abc import Sequence
from typing import NamedTuple


class Span(NamedTuple):
    """The transactions that an entry covers."""

    first: int
    last: int


class Chain(NamedTuple):
    """What of some entries counts after a backup that covers all up to ``base``."""

    counted: tuple[int, ...]
    """The places of the entries to replay, in their order."""
    reach: int
    """The last transaction that can be rebuilt."""
    is_broken: bool
    """Whether entries follow that cannot be reached: one before them is missing."""


def chain(base: int, spans: Sequence[Span]) -> Chain:
    """Return what counts of entries that are given in the order in which they were written."""
    counted: list[int] = []
    missed = 0
    for place, span in enumerate(spans):
        while counted and spans[counted[-1]].first >= span.first:
            counted.pop()
        reach = spans[counted[-1]].last if counted else base
        if span.first > reach + 1:
            missed = max(missed, span.last)
        elif span.last > base:
            counted.append(place)
    reach = spans[counted[-1]].last if counted else base
    return Chain(tuple(counted), reach, missed > reach)
