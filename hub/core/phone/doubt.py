"""Decides how to find out which records a phone's user deleted there, when nobody knows which the phone has (P10).

A deleted row stays on the phone for ever, and one that comes as ``created`` fails the whole sync. So the hub asks: it
sends some of the doubtful records as ``created``, and the sync fails if one of them was deleted there. A failure
shows itself to a person, and the answer after it asks nothing; so fewer than half are asked at a time.
"""

from collections.abc import Mapping
from functools import cache
from itertools import count

from pyroaring import FrozenBitMap

from hub.core.records.table import Rank
from hub.core.records.tables import TABLES

ENOUGH = 8
"""So few that failed are not told apart: they go as ``updated``, which is right for all that the phone has, and are
tried one by one much later."""
_FAILURE_TAPS = 5
"""How many questions that are answered well a failure is worth: with 4 or 5 most phones rest soonest."""
QUIET_MS = 3_000
"""Nothing is asked so soon after a phone was here: "Manual Sync" syncs twice, and a push may have more behind it."""

_DELETABLE = frozenset({"events", "patients", "visits"})
"""The tables in which the app lets a user delete: a failure is looked for there first."""

KEPT = frozenset(table.name for table in TABLES.values() if table.rank is Rank.REFERENCE and not table.is_next)
"""The tables in which nothing is ever in doubt: reference data cannot be deleted on a phone."""
_DAY_MS = 86_400_000
_EPOCH_MS = 1_577_836_800_000
"""2020: no hub gave an earlier cursor."""

NEVER_MS = 2**53

Nums = Mapping[str, FrozenBitMap]
"""Record numbers by the name of their table."""


def is_time(cursor: float) -> bool:
    """Whether a hub may have given this cursor."""
    return _EPOCH_MS < cursor < NEVER_MS


def certain_after_ms(cursor: float) -> int:
    """Return from when on (created_at) a record is certainly new to a phone with another hub's cursor.

    The clocks of phones and hubs differ. A cursor that is no time says nothing.
    """
    return round(cursor) + _DAY_MS if is_time(cursor) else NEVER_MS


def question(doubted: Nums, failed: Nums, *, suspects: int, asked: int) -> Nums:
    """Choose what is asked next.

    doubted: all that is in doubt. failed: those among which there is a deleted one, as the last failure showed.
    suspects: how many were found already; asked: how many were asked last without a failure.
    """
    group = size(failed)
    if not group:
        return _first(doubted, _whole(size(doubted), suspects, asked))
    return _first(failed, group if group <= ENOUGH else min(group - 1, ENOUGH * _share(-(-group // ENOUGH))))


def likeliest(nums: Nums) -> Nums:
    """Return where a failure that these records caused is looked for."""
    return {name: found for name, found in nums.items() if found and name in _DELETABLE} or nums


def answers_left(doubted: int, failed: int) -> int:
    """Estimate how many more answers it takes until nothing is in doubt; 0 where nothing is."""
    if not failed:
        return int(doubted > 0)
    return 1 + next(cost for cost in count() if _reach(cost) * ENOUGH >= failed)


def size(nums: Nums) -> int:
    """Count the records."""
    return sum(len(found) for found in nums.values())


def _whole(doubted: int, suspects: int, asked: int) -> int:
    """Return how many to ask where nothing failed: all, or as many as are likely to hold no further one."""
    found = -(-suspects // ENOUGH)
    return max(1, doubted // (2 * found), 2 * asked) if found else doubted


@cache
def _share(groups: int) -> int:
    """Return how many of ``groups``, one of which fails, to ask: what costs least whichever it is.

    With a budget of n, 1 for each answer and _FAILURE_TAPS for a failure, reach(n) = reach(n - 1) + reach(n -
    _FAILURE_TAPS) groups can be told apart; these are asked reach(n - _FAILURE_TAPS) at a time.
    """
    return next(_reach(cost - _FAILURE_TAPS) for cost in count() if _reach(cost) >= groups)


@cache
def _reach(cost: int) -> int:
    return 1 if cost < _FAILURE_TAPS else _reach(cost - 1) + _reach(cost - _FAILURE_TAPS)


def _first(nums: Nums, most: int) -> Nums:
    chosen: dict[str, FrozenBitMap] = {}
    for name, found in nums.items():
        if most > 0 and found:
            chosen[name] = found if len(found) <= most else FrozenBitMap(found[:most])
            most -= len(chosen[name])
    return chosen
