"""Brings a phone's ledger up to date: absorbs what changed since, or makes everything due."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone import doubt
from hub.core.phone.open_ledger import OpenLedger, Visit
from hub.core.phone.sheets import (
    NO_RECORDS,
    ChangedRow,
    Delivered,
    Delivery,
    Outdated,
    Sheet,
    SuspectRecord,
)


class _Debt:
    """Collects what becomes due, and up to which revision the phone has those records that it has."""

    def __init__(self, sheets: Mapping[str, Sheet], outdated: Outdated) -> None:
        self.sheets = dict(sheets)
        self.outdated = dict(outdated)

    def add(self, name: str, nums: FrozenBitMap, revision: int) -> None:
        sheet = self.sheets[name]
        newly = (nums & sheet.has) - sheet.due - sheet.withheld
        if newly:
            self.outdated[name, revision] = self.outdated.get((name, revision), NO_RECORDS) | newly
        self.sheets[name] = sheet._replace(due=sheet.due | nums, withheld=sheet.withheld - nums)


class Resumed(Visit, frozen=True, kw_only=True):
    """A ledger whose phone came back with a known cursor; what changed since ``since`` is not yet in it."""

    revision: int
    since: int
    sheets: Mapping[str, Sheet]
    had: Mapping[str, Sheet]
    """The sheets before this cursor came."""
    outdated: Outdated
    arrived: Delivery | None
    own_until: float
    """When another answer was given after the one that arrived."""
    doubtful: Sequence[Delivery]
    """Answers that may have come late, over something newer."""
    reconsiders: bool = False
    """Its user may see other records than before."""

    @property
    def read_since(self) -> int:
        """Return the revision after which the changes must be read."""
        return min([self.since, *(delivery.revision for delivery in self.doubtful)])

    def absorb(
        self,
        changes: Mapping[str, Sequence[ChangedRow]],
        forced: Iterable[tuple[str, int]] = (),
        moved: Mapping[str, FrozenBitMap] = MappingProxyType({}),
    ) -> OpenLedger:
        """Make due what changed, except what the phone itself made of it, and what is ``forced`` (table, number).

        changes: the rows of each table that changed after ``read_since``. moved: the records of patients who moved
        after ``since``: those that were withheld may be seen now, and what the phone has perhaps no more.
        """
        debt = _Debt(self.sheets, self.outdated)
        for name, nums in moved.items():
            debt.sheets[name] = debt.sheets[name].reconsidered(nums)
        if self.reconsiders:
            debt.sheets = {name: sheet.reconsidered() for name, sheet in debt.sheets.items()}
        for name, rows in changes.items():
            self._absorb_table(debt, name, [row for row in rows if row.revision > self.since])
        for name, num in forced:
            debt.add(name, FrozenBitMap([num]), self.since)
            debt.sheets[name] = debt.sheets[name].filled(FrozenBitMap([num]))
        self._add_overtaken(debt, changes)
        retried = self.arrived.tables if self.arrived and self.arrived.is_retry else {}
        return OpenLedger(
            device=self.device,
            cursor=self.cursor,
            head=msgspec.structs.replace(self.head, revision=self.revision),
            sheets={name: sheet.sure() if sheet.unsure else sheet for name, sheet in debt.sheets.items()},
            outdated=debt.outdated,
            stored={} if self.fork else self.had,
            starts_over=False,
            settled_until=self.since if self.arrived or self.is_met_anew else None,
            suspected=self.suspected,
            rests=self.rests,
            is_met_anew=self.is_met_anew,
            fork=self.fork,
            is_shared=self.is_shared,
            proven=tuple(SuspectRecord(name, num) for name, part in retried.items() for num in part.nums),
            gained=dict(self._gained(debt.sheets, retried)),
            carried=self.carried,
            in_question=dict(self._in_question(debt, changes, moved)),
        )

    def _gained(
        self, sheets: Mapping[str, Sheet], retried: Mapping[str, Delivered]
    ) -> Iterator[tuple[str, FrozenBitMap]]:
        """Return what the phone has now and is no suspect, and was not known to have, or was a suspect."""
        for name, sheet in sheets.items():
            suspected = [num for table, num in self.suspected if table == name]
            proven = retried[name].nums if name in retried else NO_RECORDS
            before = self.fork.gained.get(name, NO_RECORDS) if self.fork else NO_RECORDS
            if gained := sheet.has - self.had[name].has - FrozenBitMap(suspected) | proven | before:
                yield name, gained

    def _in_question(
        self, debt: _Debt, changes: Mapping[str, Sequence[ChangedRow]], moved: Mapping[str, FrozenBitMap]
    ) -> Iterator[tuple[str, FrozenBitMap]]:
        """Return what the phone has and its user may not see any more: all of it, or what moved and what it made."""
        for name, sheet in debt.sheets.items():
            own = [row.num for row in changes.get(name, ()) if self.device in {row.device, row.origin}]
            some = sheet.has if self.reconsiders else moved.get(name, NO_RECORDS) | FrozenBitMap(own)
            if asked := (some & sheet.has) - sheet.blanked - sheet.due:
                yield name, asked

    def _absorb_table(self, debt: _Debt, name: str, rows: Sequence[ChangedRow]) -> None:
        if not rows:
            return
        pushed = FrozenBitMap([row.num for row in rows if row.device == self.device])
        own = FrozenBitMap([row.num for row in rows if row.device == self.device and self._is_own(row.revision)])
        made = FrozenBitMap([row.num for row in rows if row.origin == self.device and self._is_own(row.created)])
        perhaps = FrozenBitMap([row.num for row in rows if self.device in {row.device, row.origin}])
        changed = FrozenBitMap([row.num for row in rows]) - own
        sheet = debt.sheets[name]
        debt.sheets[name] = sheet._replace(has=sheet.has | own | made).doubt(perhaps)
        debt.add(name, changed, self.since)
        sheet = debt.sheets[name]
        debt.sheets[name] = sheet._replace(due=sheet.due - own, withheld=sheet.withheld - changed).filled(pushed)

    def _is_own(self, revision: int) -> bool:
        """Whether what was pushed then, under the ledger's number, is the phone's for certain.

        It followed on the answer that arrived, and no other answer was given meanwhile. Else the phone may have been
        put back to what it was before, or another one under its id pushed it.
        """
        return self.arrived is not None and max(self.arrived.timestamp, self.head.since) < revision <= self.own_until

    def _add_overtaken(self, debt: _Debt, changes: Mapping[str, Sequence[ChangedRow]]) -> None:
        """Make due again what an answer may have spoilt that may have come late, over something newer.

        That is what changed since its view, and what is blank in one of them and not in the other.
        """
        for delivery in self.doubtful:
            for name, part in delivery.tables.items():
                changed = FrozenBitMap([row.num for row in changes.get(name, ()) if row.revision > delivery.revision])
                sheet = debt.sheets[name]
                otherwise = (part.nums - part.blanked) & sheet.blanked | (part.blanked & sheet.has) - sheet.blanked
                debt.add(name, part.nums & changed | otherwise, self.since)
                debt.sheets[name] = debt.sheets[name].filled(otherwise)


class StartOver(Visit, frozen=True, kw_only=True):
    """A ledger whose phone came with a cursor that says nothing about what it has."""

    is_first: bool
    """The phone never had anything from this hub, nor from another one."""
    made_after_ms: int | None = None
    """For a phone that says it is not new: only what was made after it is certainly new to it."""

    def begin(
        self,
        everything: Mapping[str, FrozenBitMap],
        tombstones: Mapping[str, FrozenBitMap],
        made_after: Mapping[str, FrozenBitMap] = MappingProxyType({}),
    ) -> OpenLedger:
        """Make everything due. A phone that may have records from before is told of every tombstone too.

        made_after: what was made after ``made_after_ms``.
        """
        spared = tombstones if self.is_first else {}
        sheets = {name: Sheet(due=nums - spared.get(name, NO_RECORDS)) for name, nums in everything.items()}
        if self.made_after_ms is not None:
            for name in sheets.keys() - doubt.KEPT:
                certain = tombstones.get(name, NO_RECORDS) | made_after.get(name, NO_RECORDS)
                sheets[name] = sheets[name].doubt(everything[name] - certain)
        return OpenLedger(
            device=self.device,
            cursor=self.cursor,
            head=self.head,
            sheets=sheets,
            outdated={},
            stored={},
            starts_over=True,
            is_doubtful=self.made_after_ms is not None,
            fork=self.fork,
        )
