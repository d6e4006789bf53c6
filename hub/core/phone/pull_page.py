"""Fills the answer to a pull: which of the records that are due go where, up to a budget of bytes (P6).

A record that the phone lacks goes as ``created``, one that it has as ``updated``, a tombstone as ``deleted``; what the
user may not see is withheld. What a phone needs first comes first: the tables in their order, of each the newest.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone.ledger import Delivered, OpenLedger, Sheet, SuspectRecord
from hub.core.records.access import Owner
from hub.core.records.table import SeenBy, Table
from hub.core.records.tables import TABLES

_LIMITS = (None, None, None, 512, 64, 8)
"""How many records a page may carry after so many answers that the phone did not confirm.

A phone may be unable to store a page: too large for its memory, or a record in it that its user deleted there,
which fails the whole sync for good (PROTOCOL.md "Pull"). Smaller pages get the rest through.
"""
SUSPECT_AFTER = 9
"""After so many, the one record left is sent as ``updated``, which a phone that deleted it ignores (SuspectRecord)."""

Row = tuple[int, int, int, str | None, str | None, bytes]
"""A record as the store reads it: number, made_ms, whether it is a tombstone, its owner's clinic and author, its
JSON."""
Sees = Callable[[Table, Owner], bool]
"""Tells which records the phone's user may see (hub.core.records.access)."""
RowsDue = Callable[[Table, Sheet], Iterable[Row]]
"""Reads what is due of a table, the most needed first; as little is read as is taken."""


class Part(NamedTuple):
    """The JSON of one table's three lists."""

    created: list[bytes]
    updated: list[bytes]
    deleted: list[bytes]


class PullPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: per table the JSON of its three lists, and what the ledger must know."""

    parts: Mapping[str, Part]
    delivered: Mapping[str, Delivered]
    suspect: SuspectRecord | None = None
    """A record in it of which nobody knows whether the phone has it."""
    is_retry: bool = False
    """It carries that one alone, as ``created``."""


def fill(
    ledger: OpenLedger,
    rows_due: RowsDue,
    *,
    budget_bytes: int,
    sees: Sees,
    suspect: SuspectRecord | None = None,
) -> tuple[PullPage, OpenLedger]:
    """Choose what goes into an answer; returns it, and the ledger that knows what the user may not see.

    budget_bytes: for the JSON; one record always fits. sees: what the user may see.
    suspect: one that is to be tried again.
    """
    if suspect is not None:
        retry = _Draft(budget_bytes, 1, sees)
        retry.add(TABLES[suspect.table_name], Sheet(due=FrozenBitMap([suspect.num])), rows_due)
        if retry.records:
            return retry.page(suspect, is_retry=True), ledger
    limit = _LIMITS[ledger.head.attempts] if ledger.head.attempts < len(_LIMITS) else 1
    draft = _Draft(budget_bytes, limit, sees, as_updated=ledger.head.attempts >= SUSPECT_AFTER)
    sheets = {
        name: draft.add(TABLES[name], sheet, rows_due)
        for name, sheet in ledger.sheets.items()
        if sheet.due and not draft.is_full()
    }
    return draft.page(draft.suspect), ledger.with_sheets(sheets) if sheets else ledger


class _Draft:
    """A page in the making."""

    def __init__(self, budget_bytes: int, limit: int | None, sees: Sees, *, as_updated: bool = False) -> None:
        self.records = 0
        self.suspect: SuspectRecord | None = None
        self._budget = budget_bytes
        self._limit = limit
        self._sees = sees
        self._seen: dict[tuple[SeenBy, str | None, str | None], bool] = {}
        self._as_updated = as_updated
        self._bytes = 0
        self._parts: dict[str, Part] = {}
        self._delivered: dict[str, Delivered] = {}

    def is_full(self) -> bool:
        return self._bytes >= self._budget or (self._limit is not None and self.records >= self._limit)

    def page(self, suspect: SuspectRecord | None, *, is_retry: bool = False) -> PullPage:
        return PullPage(parts=self._parts, delivered=self._delivered, suspect=suspect, is_retry=is_retry)

    def add(self, table: Table, sheet: Sheet, rows_due: RowsDue) -> Sheet:
        """Take what fits of one table; returns its sheet without what the user may not see or is not there."""
        part = Part([], [], [])
        taken: list[int] = []
        unseen: list[int] = []
        frontier = sheet.frontier
        for num, made_ms, is_deleted, clinic, author, data in rows_due(table, sheet):
            owner = table.seen_by, clinic, author
            if owner not in self._seen:
                self._seen[owner] = self._sees(table, Owner(clinic, author))
            if not self._seen[owner] and not is_deleted:
                unseen.append(num)
                continue
            if self.records and (self.is_full() or self._bytes + len(data) > self._budget):
                break
            self._list(part, sheet, table, num, is_deleted=bool(is_deleted)).append(data)
            taken.append(num)
            frontier = made_ms
            self.records += 1
            self._bytes += len(data) + 1
        else:  # all that there is was read: a number that did not come is no record
            sheet = sheet._replace(due=sheet.due & FrozenBitMap([*taken, *unseen]))
        if unseen:
            sheet = sheet.withhold(FrozenBitMap(unseen))
        if taken:
            left = len(sheet.due) - len(taken)
            self._parts[table.name] = part
            self._delivered[table.name] = Delivered(FrozenBitMap(taken), frontier if left else None)
        return sheet

    def _list(self, part: Part, sheet: Sheet, table: Table, num: int, *, is_deleted: bool) -> list[bytes]:
        if is_deleted:
            return part.deleted
        if num in sheet.has:
            return part.updated
        if self._as_updated:
            self.suspect = SuspectRecord(table.name, num)
            return part.updated
        return part.created
