"""Finds back what a phone had at an earlier cursor: it was put back from a backup, or two phones share one id.

The hub remembers the last answers that it gave: after which cursor, and what they carried. A phone that comes with the
cursor of one that was settled long ago, or never, is not the one that the ledger knows. So it gets a ledger of its own:
that of the other as it was then. What was delivered or pushed since is due to it, and only that. The two may have
taken turns before they showed it, so what either of them pushed meanwhile may be news to the other too.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone.doubt import Nums
from hub.core.phone.ledger import StoredLedger
from hub.core.phone.sheets import (
    ANY_CURSOR,
    NEW,
    NO_RECORDS,
    ChangedRow,
    Delivered,
    Delivery,
    Fork,
    PastAnswer,
    Sheet,
)


class Point(NamedTuple):
    """A place in the life of a ledger to which a phone goes back."""

    cursor: float
    """The one that was settled then."""
    revision: int
    """Up to which everything was accounted for: what the phone pushed until then, it has."""
    undone: Sequence[PastAnswer]
    """What was settled since."""
    arrived: PastAnswer | None
    """An answer after it that the phone has stored, and the other one has not."""


def find(stored: StoredLedger, past: Mapping[float, PastAnswer], cursor: float) -> Point | None:
    """Return where a phone with this cursor left the ledger; None if nobody knows.

    past: answers by their timestamp.
    """
    answer = past.get(cursor)
    if answer is None or stored.head is None or stored.head.settled == ANY_CURSOR:
        return None
    line = list(_line(past, stored.head.settled))
    at = cursor if answer in line else answer.after
    undone = [each for each in line if each.timestamp > at]
    if not undone or undone[-1].after != at:
        return None
    revision = min(each.revision for each in past.values() if each.after == at)
    return Point(at, revision, undone, None if at == cursor else answer)


def rewound(stored: StoredLedger, point: Point, rows: Mapping[str, Sequence[ChangedRow]]) -> StoredLedger:
    """Return the ledger as it was at a point, for a phone that goes on from there beside the first one.

    rows: what changed after ``point.revision``.
    """
    head = stored.head
    if head is None:
        return stored
    made = _nums(rows, lambda row: row.origin == stored.device and row.created > point.revision)
    pushed = _nums(rows, lambda row: row.device == stored.device and row.revision <= head.revision)
    undone = {name: [each.tables[name] for each in point.undone if name in each.tables] for name in stored.sheets}
    owed = {name: _union(part.nums for part in parts) for name, parts in undone.items()}
    fresh = {name: _union(part.fresh for part in parts) | made[name] for name, parts in undone.items()}
    sheets = {name: _before(sheet, owed[name], fresh[name]) for name, sheet in stored.sheets.items()}
    return msgspec.structs.replace(
        stored,
        device=NEW,
        # No scope: nobody knows what was blank then, so all that it has is looked at.
        head=msgspec.structs.replace(
            head, revision=point.revision, settled=point.cursor, attempts=0, asked=0, scope=None
        ),
        sheets=sheets,
        outdated={(name, at): nums - owed[name] for (name, at), nums in stored.outdated.items()},
        deliveries=[_delivery(point.arrived, sheets)] if point.arrived else [],
        fork=Fork(
            stored.device,
            point.cursor,
            {name: _shared(sheet, pushed[name], made[name]) for name, sheet in stored.sheets.items()},
        ),
    )


def emptied(stored: StoredLedger) -> StoredLedger:
    """Return a ledger for a phone that starts over: the first one may still be in use."""
    return msgspec.structs.replace(stored, device=NEW, fork=Fork(stored.device, 0, {}))


def _line(past: Mapping[float, PastAnswer], settled: float) -> Iterator[PastAnswer]:
    """Return the answers that were settled, the newest first."""
    while answer := past.get(settled):
        yield answer
        settled = answer.after


def _before(sheet: Sheet, owed: FrozenBitMap, fresh: FrozenBitMap) -> Sheet:
    return sheet._replace(
        has=sheet.has - fresh,
        due=sheet.due | owed,
        withheld=sheet.withheld - owed,
        frontier=None,
        blanked=NO_RECORDS,
    )


def _shared(sheet: Sheet, pushed: FrozenBitMap, made: FrozenBitMap) -> Sheet:
    """Make due what the other phone may have pushed; this one's user may have deleted what it made itself."""
    has = sheet.has - made
    shared = sheet._replace(
        has=has,
        due=sheet.due | pushed | made,
        withheld=sheet.withheld - pushed - made,
        blanked=sheet.blanked - pushed - made,
    )
    return shared.doubt(made)


def _nums(rows: Mapping[str, Sequence[ChangedRow]], wanted: Callable[[ChangedRow], bool]) -> Nums:
    """Return the numbers of the rows that are wanted, by table."""
    found = {name: FrozenBitMap([row.num for row in each if wanted(row)]) for name, each in rows.items()}
    return defaultdict(FrozenBitMap, found)


def _union(bitmaps: Iterator[FrozenBitMap]) -> FrozenBitMap:
    return NO_RECORDS.union(*bitmaps)


def _delivery(answer: PastAnswer, sheets: Mapping[str, Sheet]) -> Delivery:
    """Return what of an answer the phone has stored: it skipped what came as ``updated`` and it did not have."""
    carried = {
        name: Delivered(part.fresh | (part.nums & sheets[name].has), None) for name, part in answer.tables.items()
    }
    return Delivery(int(answer.timestamp), answer.revision, is_retry=False, tables=carried)
