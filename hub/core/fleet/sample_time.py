"""When a sample was taken, though the hub had no clock then: hub time, the wall clock as far as it goes, and now.

Hub time stands still while the box is off and otherwise goes on with the true time (hub.core.clock). So between two
samples at least as much true time has passed as hub time, and in one run of the machine exactly as much.
"""

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from hub.core.clock import Heard, is_wrong


class ClockQuality(StrEnum):
    """How well the time of a sample is known."""

    EXACT = "exact"
    """Somebody outside told the time in the same run of the machine."""
    BELIEVED = "believed"
    """By the wall clock, which nothing contradicts; it may be behind by as long as the box was off."""
    RECKONED = "reckoned"
    """The earliest that it can have been."""


class Moment(msgspec.Struct, frozen=True):
    """When a sample was taken, as far as was known then; all in ms."""

    at_ms: int
    """Hub time."""
    run_ms: int
    """Hub time at which this run of the machine began."""
    said_ms: int | None
    """What the cloud had said (exact) or the wall clock (believed); None where neither did."""
    clock: ClockQuality


class Anchor(msgspec.Struct, frozen=True):
    """The true time, and where hub time stood then in this run of the machine; ms."""

    true_ms: int
    hub_ms: int
    run_ms: int


class Placed(msgspec.Struct, frozen=True):
    """The hub time of a sample, and the true time that it was given; ms."""

    at_ms: int
    true_ms: int
    clock: ClockQuality


def moment(*, hub_ms: int, run_ms: int, wall_ms: int, heard: Heard | None) -> Moment:
    """Return when it is now, as far as that is known; ``heard`` is the newest word of the time from outside."""
    if heard is not None and heard.hub_ms > run_ms:
        return Moment(hub_ms, run_ms, heard.cloud_ms + hub_ms - heard.hub_ms, ClockQuality.EXACT)
    if is_wrong(wall_ms=wall_ms, hub_ms=hub_ms, heard=heard):
        return Moment(hub_ms, run_ms, None, ClockQuality.RECKONED)
    return Moment(hub_ms, run_ms, wall_ms, ClockQuality.BELIEVED)


def place(moments: Sequence[Moment], now: Anchor, before: Placed | None = None) -> list[Placed]:
    """Give samples, oldest first, their true times: rising, none later than it can have been.

    before: the sample before them, whose time is given already.
    """
    placed: list[Placed] = []
    for one, exact_ms, latest_ms in reversed(_latest(moments, now)):
        before = _placed(one, exact_ms, latest_ms, before)
        placed.append(before)
    return placed


def _latest(moments: Sequence[Moment], now: Anchor) -> list[tuple[Moment, int | None, int]]:
    """Return each sample, newest first, with its exact time if that is known, and the latest it can have been."""
    offsets = {one.run_ms: one.said_ms - one.at_ms for one in moments if _is_exact(one) and one.said_ms is not None}
    offsets[now.run_ms] = now.true_ms - now.hub_ms
    bound, at_ms = now.true_ms, now.hub_ms
    found = []
    for one in reversed(moments):
        bound, at_ms = bound - max(0, at_ms - one.at_ms), one.at_ms
        offset = offsets.get(one.run_ms)
        exact_ms = None if offset is None else min(one.at_ms + offset, bound)
        bound = bound if exact_ms is None else exact_ms
        found.append((one, exact_ms, bound))
    return found


def _is_exact(one: Moment) -> bool:
    return one.clock is ClockQuality.EXACT


def _placed(one: Moment, exact_ms: int | None, latest_ms: int, before: Placed | None) -> Placed:
    if exact_ms is not None:
        return Placed(one.at_ms, exact_ms, ClockQuality.EXACT)
    earliest_ms = min(before.true_ms + max(1, one.at_ms - before.at_ms) if before else 0, latest_ms)
    if one.said_ms is not None and earliest_ms <= one.said_ms <= latest_ms:
        return Placed(one.at_ms, one.said_ms, ClockQuality.BELIEVED)
    return Placed(one.at_ms, earliest_ms if before else latest_ms, ClockQuality.RECKONED)
