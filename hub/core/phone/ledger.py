"""Decides what is due to a phone: which records it has, and which it lacks or has in an old version (P5, P6).

A phone's ledger has, for each table, bitmaps of record numbers

    has        what the phone has, in whatever version: it gets those as ``updated``, others as ``created``
    due        what it lacks or has in an old version
    withheld   what its user may not see; looked at again when that changes

and one revision: everything that changed up to it is accounted for in ``due``. A pull absorbs what changed since,
leaving out what the phone itself pushed, and delivers from ``due``. A delivery is settled only when the phone comes
back with its timestamp: then the phone has stored all of it. Any other timestamp than that of a delivery or of the
last one settled says nothing about what the phone has, and everything is due again (but see ANY_CURSOR).

A ledger's life is in its types. A ``StoredLedger`` meets the cursor that the phone comes with: it is ``Resumed``, and
absorbs what changed, or it is to ``StartOver``. Either ends in an ``OpenLedger``, which alone knows what is due.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone import page_size
from hub.core.phone.page_size import Capacity

DELIVERIES = 8
"""How many unconfirmed answers of a phone are remembered."""
ANY_CURSOR = -1
"""In the place of the timestamp last settled, after a backup was put back: the phone may have synced with the hub
that died since, so whatever cursor it comes with is taken for that one, until it confirms an answer of this hub."""
NO_RECORDS = FrozenBitMap()

Outdated = Mapping[tuple[str, int], FrozenBitMap]
"""(table, revision) -> records that are due, and that the phone has as they were at that revision."""


class Delivered(NamedTuple):
    """What one answer carried of one table."""

    nums: FrozenBitMap
    frontier: int | None


class Delivery(NamedTuple):
    """One answer: when it was stamped, and the revision of the view that it was read from."""

    timestamp: int
    revision: int
    is_retry: bool
    tables: Mapping[str, Delivered]
    weight: int = 0
    """What it says of the phone's memory if it is confirmed (page_size)."""


class SuspectRecord(NamedTuple):
    """A record of which nobody knows whether the phone has it: it was sent as ``updated`` to let the others pass.

    Either its user deleted it there, and as ``created`` it fails the sync; or the phone never got it. So it goes as
    ``created`` again, alone, now and then, until the phone has stored it.
    """

    table_name: str
    num: int


class ChangedRow(NamedTuple):
    """What absorbing must know of a record; ``device`` holds just this version, 0 if nobody does."""

    num: int
    revision: int
    device: int
    origin: int
    created: int


class Head(msgspec.Struct, frozen=True):
    """What is kept of a ledger beside its sheets."""

    revision: int = 0
    """Everything that changed up to it is accounted for."""
    since: int = 0
    """When everything became due for the last time: the phone may have been emptied before."""
    settled: int = 0
    """The timestamp that was last settled; 0 for none, ANY_CURSOR for any."""
    attempts: int = 0
    """How many answers the phone was given since it last confirmed one."""
    scope: str | None = None
    """Differs when its user may see other records than before (Rights.scope)."""
    capacity: Capacity = Capacity()
    """What is known of the phone's memory."""


class Sheet(NamedTuple):
    """The part of a ledger that is about one table."""

    has: FrozenBitMap = NO_RECORDS
    due: FrozenBitMap = NO_RECORDS
    withheld: FrozenBitMap = NO_RECORDS
    frontier: int | None = None
    """How far down (made_ms) a long backlog was delivered."""

    def reconsidered(self, nums: FrozenBitMap | None = None) -> "Sheet":
        """Make due what was withheld, or ``nums`` of it: whether the user may see it is found out when it is read."""
        again = self.withheld if nums is None else self.withheld & nums
        return self._replace(due=self.due | again, withheld=self.withheld - again) if again else self

    def withhold(self, nums: FrozenBitMap) -> "Sheet":
        """Put aside what turned out to be out of the user's sight."""
        return self._replace(due=self.due - nums, withheld=self.withheld | nums) if nums else self

    def settle(self, part: Delivered) -> "Sheet":
        """Write off what arrived."""
        return self._replace(has=self.has | part.nums, due=self.due - part.nums, frontier=part.frontier)


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


class OpenLedger(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger that is up to date with one view of the database, and what of it is yet to be saved."""

    device: int
    head: Head
    """As it is to be kept."""
    sheets: Mapping[str, Sheet]
    outdated: Outdated
    stored: Mapping[str, Sheet]
    """The sheets as the database has them."""
    starts_over: bool
    """Nothing that was kept of it holds any more."""
    settled_until: int | None = None
    """A delivery was settled just now; what was forced up to this revision is accounted for."""
    proven: tuple[SuspectRecord, ...] = ()
    """Suspects that the phone has stored now."""

    def behind(self) -> int:
        """Count the records that are due."""
        return sum(len(sheet.due) for sheet in self.sheets.values())

    @property
    def is_confirming(self) -> bool:
        """Whether the phone confirms what it gets: only then a suspect may be tried."""
        return not self.starts_over and not self.head.attempts

    @property
    def keeps_empty_answers(self) -> bool:
        """Whether an answer is remembered though it carries nothing.

        So it is while others are unconfirmed: if one of those is confirmed now, it came late (_maybe_late).
        """
        return self.starts_over or self.head.attempts > 0

    def changed_sheets(self) -> dict[str, Sheet]:
        """Return the sheets that differ from the stored ones."""
        return {name: sheet for name, sheet in self.sheets.items() if sheet != self.stored.get(name, Sheet())}

    def with_sheets(self, sheets: Mapping[str, Sheet]) -> "OpenLedger":
        """Replace some sheets."""
        return msgspec.structs.replace(self, sheets={**self.sheets, **sheets})

    def deliver(self, *, is_retry: bool) -> "OpenLedger":
        """Count an answer that is given; the retry of a suspect says nothing about the answers before it."""
        if is_retry:
            return self
        return msgspec.structs.replace(self, head=msgspec.structs.replace(self.head, attempts=self.head.attempts + 1))


class Resumed(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger whose phone came back with a known cursor; what changed since ``since`` is not yet in it."""

    device: int
    revision: int
    head: Head
    since: int
    sheets: Mapping[str, Sheet]
    stored: Mapping[str, Sheet]
    outdated: Outdated
    arrived: Delivery | None
    doubtful: Sequence[Delivery]
    """Answers that may have come late, over something newer."""

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
        after ``since``: those that were withheld may be seen now.
        """
        debt = _Debt(self.sheets, self.outdated)
        for name, nums in moved.items():
            debt.sheets[name] = debt.sheets[name].reconsidered(nums)
        for name, rows in changes.items():
            self._absorb_table(debt, name, [row for row in rows if row.revision > self.since])
        for name, num in forced:
            debt.add(name, FrozenBitMap([num]), self.since)
        self._add_overtaken(debt, changes)
        retried = self.arrived.tables if self.arrived and self.arrived.is_retry else {}
        return OpenLedger(
            device=self.device,
            head=msgspec.structs.replace(self.head, revision=self.revision),
            sheets=debt.sheets,
            outdated=debt.outdated,
            stored=self.stored,
            starts_over=False,
            settled_until=self.since if self.arrived else None,
            proven=tuple(SuspectRecord(name, num) for name, part in retried.items() for num in part.nums),
        )

    def _absorb_table(self, debt: _Debt, name: str, rows: Sequence[ChangedRow]) -> None:
        if not rows:
            return
        own = FrozenBitMap([row.num for row in rows if row.device == self.device])
        changed = FrozenBitMap([row.num for row in rows if row.device != self.device])
        # It has what it made, unless its database was emptied since.
        made = [row.num for row in rows if row.origin == self.device and row.created > self.head.since]
        sheet = debt.sheets[name]
        debt.sheets[name] = sheet._replace(has=sheet.has | own | FrozenBitMap(made))
        debt.add(name, changed, self.since)
        sheet = debt.sheets[name]
        debt.sheets[name] = sheet._replace(due=sheet.due - own, withheld=sheet.withheld - changed)

    def _add_overtaken(self, debt: _Debt, changes: Mapping[str, Sequence[ChangedRow]]) -> None:
        """Make due again what changed since the view of an answer that may have come late, over something newer."""
        for delivery in self.doubtful:
            for name, part in delivery.tables.items():
                changed = FrozenBitMap([row.num for row in changes.get(name, ()) if row.revision > delivery.revision])
                debt.add(name, part.nums & changed, self.since)


class StartOver(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger whose phone came with a cursor that says nothing about what it has."""

    device: int
    head: Head
    is_first: bool
    """The phone never had anything from this hub, nor from another one."""

    def begin(self, everything: Mapping[str, FrozenBitMap], tombstones: Mapping[str, FrozenBitMap]) -> OpenLedger:
        """Make everything due. A phone that may have records from before is told of every tombstone too."""
        spared = tombstones if self.is_first else {}
        return OpenLedger(
            device=self.device,
            head=self.head,
            sheets={name: Sheet(due=nums - spared.get(name, NO_RECORDS)) for name, nums in everything.items()},
            outdated={},
            stored={},
            starts_over=True,
        )


class StoredLedger(msgspec.Struct, frozen=True, kw_only=True):
    """A ledger as the database keeps it, and the view that it was read from."""

    device: int
    revision: int
    """The revision of the view."""
    moved: int
    """The revision at which a patient last changed clinics under the previous release, which kept no more of it."""
    head: Head | None
    """None for a phone that never synced."""
    sheets: Mapping[str, Sheet]
    outdated: Outdated
    deliveries: Sequence[Delivery]

    @property
    def likely_cursor(self) -> int:
        """Return the cursor that the phone will come with if the newest answer arrived; a retry probably did not."""
        settled = self.head.settled if self.head else 0
        return max((delivery.timestamp for delivery in self.deliveries if not delivery.is_retry), default=settled)

    def resume(self, cursor: float, *, scope: str | None = None) -> Resumed | StartOver:
        """Meet a phone that comes with ``cursor``, the timestamp it kept; 0 for none.

        scope: says what the user may see (Rights.scope), None for what it was last time.
        """
        arrived = next((delivery for delivery in self.deliveries if delivery.timestamp == cursor), None)
        if self.head is None or not cursor or not (arrived or self.head.settled in {cursor, ANY_CURSOR}):
            return self._start_over(cursor, scope)
        seen = self.head.scope if scope is None else scope
        sheets = dict(self.sheets)
        if seen != self.head.scope or self.moved > self.head.revision:
            sheets = {name: sheet.reconsidered() for name, sheet in sheets.items()}
        resumed = Resumed(
            device=self.device,
            revision=self.revision,
            head=msgspec.structs.replace(self.head, scope=seen),
            since=self.head.revision,
            sheets=sheets,
            stored=self.sheets,
            outdated=self.outdated,
            arrived=None,
            doubtful=(),
        )
        return _settle(resumed, arrived, self.deliveries) if arrived else resumed

    def _start_over(self, cursor: float, scope: str | None) -> StartOver:
        head = self.head or Head(scope=scope)
        # A fresh database after answers were confirmed: the last of those was lost with the old one.
        attempts = 0 if head.settled and not cursor else head.attempts
        changed = {"revision": self.revision, "since": self.revision, "settled": 0, "attempts": attempts}
        scopes: dict[str, Any] = {} if scope is None else {"scope": scope}
        return StartOver(
            device=self.device,
            head=msgspec.structs.replace(head, **changed, **scopes),
            is_first=self.head is None and not cursor,
        )


def known_revision(num: int, sheet: Sheet, revision: int, outdated: Mapping[int, FrozenBitMap]) -> int:
    """Return up to which revision a phone is known to have a record; 0 where nothing is known.

    revision: the head's; outdated: the table's, by revision. An edit was made knowing the record as of then.
    """
    if num not in sheet.has:
        return 0
    if num not in sheet.due and num not in sheet.withheld:
        return revision
    return max((known for known, nums in outdated.items() if num in nums), default=0)


def _settle(resumed: Resumed, arrived: Delivery, deliveries: Sequence[Delivery]) -> Resumed:
    """Write off a delivery that arrived; what changed after the view it was read from is absorbed anew."""
    lost = [each.weight for each in deliveries if each.timestamp < arrived.timestamp and not each.is_retry]
    capacity = page_size.learned(resumed.head.capacity, arrived.weight, lost)
    return msgspec.structs.replace(
        resumed,
        head=msgspec.structs.replace(resumed.head, settled=arrived.timestamp, attempts=0, capacity=capacity),
        since=min(resumed.since, arrived.revision),
        sheets={
            name: sheet.settle(arrived.tables[name]) if name in arrived.tables else sheet
            for name, sheet in resumed.sheets.items()
        },
        outdated={
            key: nums - arrived.tables[key[0]].nums if key[0] in arrived.tables else nums
            for key, nums in resumed.outdated.items()
        },
        arrived=arrived,
        doubtful=_maybe_late(arrived, deliveries),
    )


def _maybe_late(arrived: Delivery, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return the answers that may have come late.

    Two syncs of a phone can overlap. Of the answers that it did not confirm nobody knows whether they came and when;
    if it confirms one that is not the newest, that one came late itself.
    """
    newest = max(delivery.timestamp for delivery in deliveries)
    return [each for each in deliveries if not each.timestamp == arrived.timestamp == newest]
