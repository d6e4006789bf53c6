"""Decides how much an answer to a phone holds: more while the phone confirms it, less at once when it does not.

Decoding takes a phone some 50 times the records' size in memory, and one that has not as much ends the app.
"""

from collections.abc import Iterable
from typing import NamedTuple

MIB = 1024 * 1024
START_BYTES = 4 * MIB
"""What a phone is trusted with at first."""
FLOOR_BYTES = MIB // 4
"""What every phone can take: whether it confirms less says nothing of its memory."""
_SHRINK_BITS = 2
"""To a quarter with each answer that is not confirmed."""
_SHRINKS = 10


class Capacity(NamedTuple):
    """What the hub has learned of a phone's memory."""

    confirmed: int = 0
    """The largest answer that it stored, in bytes of records."""
    refused: int = 0
    """The smallest beyond that which it did not store; 0 for none."""
    times: int = 0
    """How often it did not: once, the answer may have been lost on its way."""


def budget_bytes(known: Capacity, attempts: int, most: int) -> int:
    """Return how many bytes of records the next answer may hold.

    attempts: the answers that the phone was given since it confirmed one; most: what the settings allow.
    """
    grown = max(START_BYTES, 2 * known.confirmed)
    if known.times > 1:
        grown = max(known.confirmed, min(grown, known.refused // 2))
    shrunk = min(grown, most) >> _SHRINK_BITS * min(attempts, _SHRINKS)
    return min(max(shrunk, FLOOR_BYTES), most)


def weight(size: int, budget: int) -> int:
    """Return what an answer of ``size`` says when it is confirmed: a page that is nearly full counts as a full one."""
    return budget if 2 * size > budget else size


def learned(known: Capacity, arrived: int, lost: Iterable[int]) -> Capacity:
    """Learn from an answer of weight ``arrived`` that the phone confirmed after it did not confirm ``lost`` ones."""
    confirmed = max(known.confirmed, arrived)
    beyond = [size for size in lost if size > max(confirmed, FLOOR_BYTES)]
    if beyond:
        return Capacity(confirmed, min(beyond), known.times + 1)
    return Capacity(confirmed, *known[1:]) if known.refused > confirmed else Capacity(confirmed)
