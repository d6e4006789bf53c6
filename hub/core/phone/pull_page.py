"""Fills the answer to a pull: which of the records that are due go where, up to a budget of bytes (P6, P11).

A record that the phone lacks goes as ``created``, one that it has as ``updated``, a tombstone as ``deleted``. What the
user may not see is withheld; where the phone has it, or may have it, a blank row takes its place. What a phone needs
first comes first:

1. reference data;
2. whole patients, in the order of pull_order, for half of what the budget leaves;
3. the names of the others, so that nobody is registered twice: they alone run ahead of their records;
4. whole patients again;
5. when nothing else is left, a record that is larger than the budget: alone, and once in a while (SuspectRecord).
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import chain
from typing import NamedTuple, Protocol

import msgspec
from pyroaring import BitMap, FrozenBitMap

from hub.core.phone import page_size
from hub.core.phone.open_ledger import OpenLedger
from hub.core.phone.sheets import Delivered, Sheet, SuspectRecord
from hub.core.records import blanked
from hub.core.records.access import Owner
from hub.core.records.table import Table
from hub.core.records.tables import TABLES

_LIMITS = (None, None, None, 512, 64, 8)
"""How many records a page may carry after so many answers that the phone did not confirm.

A phone may be unable to store a page that is too large for its memory. Smaller pages get the rest through.
"""

_CREATED, _UPDATED, _DELETED = range(3)

Row = tuple[int, int, bytes]
"""A record as the store reads it: number, whether it is a tombstone, and its JSON."""
Sees = Callable[[Table, Owner], bool]
"""Tells which records the phone's user may see (hub.core.records.access)."""
Blank = Callable[[Table, bytes], bytes]
"""Writes the blank row of a record, from its JSON."""


class Bundle(NamedTuple):
    """Records of one owner that go to a phone together, parents first."""

    owner: Owner
    tables: Sequence[tuple[Table, Sequence[Row]]]
    met_at: tuple[str, int] | None = None
    """How far along a table's index (name, made_ms) they were met."""


class Backlog(Protocol):
    """What is due to a phone, read as it is taken; nothing comes twice."""

    def records(self, table: Table, nums: Sequence[int]) -> Iterable[Bundle]:
        """Read records by their numbers, each by itself."""

    def reference(self) -> Iterable[Bundle]:
        """Read what is due of reference data, each record by itself."""

    def names(self) -> Iterable[Bundle]:
        """Read what is due of the patients' own rows, each by itself, the newest first."""

    def patients(self) -> Iterable[Bundle]:
        """Read what is due, a patient at a time, in the order of pull_order; in the end what is no patient's."""


class Part(NamedTuple):
    """The JSON of one table's three lists."""

    created: list[bytes]
    updated: list[bytes]
    deleted: list[bytes]


class PullPage(msgspec.Struct, frozen=True, kw_only=True):
    """One answer: per table the JSON of its three lists, and what the ledger must know."""

    parts: Mapping[str, Part]
    delivered: Mapping[str, Delivered]
    weight: int
    """What it says of the phone's memory if it is confirmed (page_size)."""
    suspect: SuspectRecord | None = None
    """A record in it that the phone may be unable to store."""
    is_retry: bool = False
    """It carries that one alone, as ``created``."""


def fill(
    ledger: OpenLedger,
    offered: Mapping[str, Sheet],
    backlog: Backlog,
    *,
    most_bytes: int,
    sees: Sees,
    suspect: SuspectRecord | None = None,
    waiting: Collection[SuspectRecord] = (),
    blank: Blank = blanked.text,
) -> tuple[PullPage, OpenLedger]:
    """Choose what goes into an answer; returns it, and the ledger that knows what the user may not see.

    offered: the sheets with what may go (OpenLedger.offered), and backlog what is due by them.
    most_bytes: of records, on a phone that can take so much; one record always fits. sees: what the user may see.
    suspect: one that is to be tried again; waiting: those that are not yet. blank: writes a blank row.
    """
    sight = _Sight(sees, blank, ledger.carried)
    if suspect is not None:
        retry = _Draft({suspect.table_name: Sheet()}, most_bytes, 1, sight)
        retry.take_each(backlog.records(TABLES[suspect.table_name], [suspect.num]))
        if retry.records:
            return retry.page(suspect, is_retry=True), ledger
    head = ledger.head
    budget = page_size.budget_bytes(head.capacity, head.attempts, most_bytes)
    limit = _LIMITS[head.attempts] if head.attempts < len(_LIMITS) else 1
    draft = _Draft(offered, budget, limit, sight)
    is_all = draft.fill(backlog)
    alone = None if head.attempts else draft.take_too_large(waiting)  # never two failures one after the other
    after = draft.sheets(is_all=is_all)
    return draft.page(alone, is_retry=alone is not None), ledger.narrowed(offered, after)


class _Placed(NamedTuple):
    """A record, and in which of the three lists it goes."""

    table_name: str
    num: int
    place: int
    data: bytes


class _Sight(NamedTuple):
    """What the user may see, and what becomes of the rest; ``carried`` is what the phone may have got of it."""

    sees: Sees
    blank: Blank
    carried: Mapping[str, FrozenBitMap]


class _Draft:
    """A page in the making."""

    def __init__(self, sheets: Mapping[str, Sheet], budget: int, limit: int | None, sight: _Sight) -> None:
        self.records = 0
        self._sheets = sheets
        self._budget = budget
        self._limit = limit
        self._sight = sight
        self._seen: dict[tuple[Table, Owner], bool] = {}
        self._bytes = 0
        self._parts = {name: Part([], [], []) for name in sheets}
        self._taken = {name: BitMap() for name in sheets}
        self._unseen = {name: BitMap() for name in sheets}
        self._blanked = {name: BitMap() for name in sheets}
        self._ended = {name: BitMap() for name in sheets}
        self._too_large: list[_Placed] = []
        self._frontiers: dict[str, int] = {}

    def fill(self, backlog: Backlog) -> bool:
        """Take what fits, the most needed first; returns whether that is all."""
        if not any(sheet.due for sheet in self._sheets.values()):
            return True
        if not self.take_each(backlog.reference()):
            return False
        patients = _Queue(backlog.patients())
        self._take_whole(patients, (self._bytes + self._budget) // 2)
        return self.take_each(backlog.names()) and self._take_whole(patients, self._budget)

    def take_each(self, bundles: Iterable[Bundle]) -> bool:
        """Take records one after the other; returns whether that is all."""
        return all(self._take(bundle, self._budget) for bundle in bundles)

    def take_too_large(self, waiting: Collection[SuspectRecord]) -> SuspectRecord | None:
        """Take one of those that are larger than a page, but only by itself, and none that waits."""
        for placed in self._too_large:
            suspect = SuspectRecord(placed.table_name, placed.num)
            if not self.records and suspect not in waiting:
                self._add([placed], len(placed.data) + 1)
                return suspect
        return None

    def sheets(self, *, is_all: bool) -> dict[str, Sheet]:
        """Return the sheets that know what the user may not see; if all was read, what did not come is no record."""
        changed = {}
        for name, sheet in self._sheets.items():
            unseen = FrozenBitMap(self._unseen[name])
            if is_all:
                large = BitMap([placed.num for placed in self._too_large if placed.table_name == name])
                changed[name] = sheet._replace(due=sheet.due & (self._taken[name] | unseen | large))
            if unseen:
                changed[name] = changed.get(name, sheet).withhold(unseen)
        return changed

    def page(self, suspect: SuspectRecord | None = None, *, is_retry: bool = False) -> PullPage:
        """Return the page as it is now."""
        return PullPage(
            parts={name: part for name, part in self._parts.items() if any(part)},
            delivered=dict(self._delivered()) if self.records else {},
            weight=page_size.weight(self._bytes, self._budget),
            suspect=suspect,
            is_retry=is_retry,
        )

    def _delivered(self) -> Iterator[tuple[str, Delivered]]:
        for name, taken in self._taken.items():
            if taken or name in self._frontiers:
                is_left = len(self._sheets[name].due) > len(taken | self._unseen[name])
                frontier = self._frontiers.get(name, self._sheets[name].frontier)
                blanked_nums, ended = FrozenBitMap(self._blanked[name] & taken), FrozenBitMap(self._ended[name])
                yield name, Delivered(FrozenBitMap(taken), frontier if is_left else None, blanked_nums, ended=ended)

    def _take_whole(self, bundles: "_Queue", until: int) -> bool:
        return bundles.drain(lambda bundle: self._take(bundle, until))

    def _take(self, bundle: Bundle, until: int) -> bool:
        """Take all of a bundle, if it fits; of one that is larger than a page what fits, parents last.

        So a patient of whom there is too much for a page does not show before all of it is there. One that was taken in
        part comes again when there is more room.
        """
        placed = [each for table, rows in bundle.tables for each in self._placed(table, rows, bundle.owner)]
        size = sum([len(each[-1]) + 1 for each in placed])
        waits = until < self._budget or self._fits_a_page(size, len(placed))
        if self.records and waits and not self._has_room(size, len(placed), until):
            return False
        if self._has_room(size, len(placed), self._budget):
            self._add(placed, size)
        elif not self._add_some(placed[::-1]):
            return False
        if bundle.met_at:
            name, made_ms = bundle.met_at
            self._frontiers[name] = min(made_ms, self._frontiers.get(name, made_ms))
        return True

    def _placed(self, table: Table, rows: Iterable[Row], owner: Owner) -> Iterator[_Placed]:
        """Leave out what the user may not see and what no page can hold, and say where the others go."""
        may_see, has, nulls = self._may_see(table, owner), self._sheets[table.name].has, _nulls(table)
        taken = self._taken[table.name]
        for num, is_deleted, data in rows:
            if num in taken:
                continue
            place = _DELETED if is_deleted else _UPDATED if num in has else _CREATED
            text = nulls.sub(b"", data) if place == _CREATED else data
            if not may_see and not is_deleted:
                if self._is_blank(table, num):
                    self._unseen[table.name].add(num)
                    continue
                self._blanked[table.name].add(num)
                place, text = _UPDATED, self._sight.blank(table, data)
            if len(text) > self._budget:
                self._too_large.append(_Placed(table.name, num, place, text))
            else:
                yield _Placed(table.name, num, place, text)

    def _is_blank(self, table: Table, num: int) -> bool:
        """Whether the phone has nothing to see of a record."""
        sheet = self._sheets[table.name]
        has = num in sheet.has and num not in sheet.blanked
        return not has and num not in self._sight.carried.get(table.name, ())

    def _may_see(self, table: Table, owner: Owner) -> bool:
        known = table, owner
        if known not in self._seen:
            self._seen[known] = self._sight.sees(table, owner)
        return self._seen[known]

    def _add_some(self, placed: Iterable[_Placed]) -> bool:
        """Take one after the other; returns whether that was all."""
        for each in placed:
            if self.records and not self._has_room(len(each.data) + 1, 1, self._budget):
                return False
            self._add([each], len(each.data) + 1)
        return True

    def _add(self, placed: Sequence[_Placed], size: int) -> None:
        self.records += len(placed)
        self._bytes += size
        for name, num, place, data in placed:
            self._parts[name][place].append(data)
            self._taken[name].add(num)
            if place == _DELETED and num not in self._sheets[name].has:
                self._ended[name].add(num)

    def _fits_a_page(self, size: int, records: int) -> bool:
        return size <= self._budget and (self._limit is None or records <= self._limit)

    def _has_room(self, size: int, records: int, until: int) -> bool:
        return self._bytes + size <= until and (self._limit is None or self.records + records <= self._limit)


@cache
def _nulls(table: Table) -> re.Pattern[bytes]:
    """Return what finds the columns without a value, which the phone fills in by itself.

    Inside of a text the quotes would have backslashes before them.
    """
    optional = "|".join(column.name for column in table.columns if column.optional)
    return re.compile(f',"(?:{optional})":null'.encode())


class _Queue:
    """Bundles in their order; one that is not taken stays the first."""

    def __init__(self, bundles: Iterable[Bundle]) -> None:
        self._bundles = iter(bundles)

    def drain(self, take: Callable[[Bundle], bool]) -> bool:
        """Hand over bundles until one is not taken; returns whether that is all."""
        for bundle in self._bundles:
            if not take(bundle):
                self._bundles = chain([bundle], self._bundles)
                return False
        return True
