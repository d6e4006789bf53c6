"""Decides what is due to a phone: which records it has, and which it lacks or has in an old version (P5, P6).

A phone's ledger has, for each table, bitmaps of record numbers

    has        what the phone has, in whatever version: it gets those as ``updated``, others as ``created``
    due        what it lacks or has in an old version
    withheld   what its user may not see; looked at again when that changes

and one revision: everything that changed up to it is accounted for in ``due``. A pull absorbs what changed since,
leaving out what the phone itself pushed, and delivers from ``due``. A delivery is settled only when the phone comes
back with its timestamp: then the phone has stored all of it. With any other it keeps what it was confirmed to have, and
what the last answers carried is ``unsure``: the phone may have stored it, and its user deleted it there (P10). So is
nearly everything to a phone that is new here and says that it is not new: see core.phone.doubt. No cursor means a fresh
database, and everything is due again.

A ledger's life is in its types. A ``StoredLedger`` meets the cursor that the phone comes with: it is ``Resumed``, and
absorbs what changed, or it is to ``StartOver``. Either ends in an ``OpenLedger``, which alone knows what is due.
"""

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone import doubt, page_size
from hub.core.phone.page_size import Capacity

DELIVERIES = 8
"""How many unconfirmed answers of a phone are remembered."""
ANY_CURSOR = -1
"""In the place of the timestamp last settled, after a backup was put back: the phone may have synced with the hub
that died since."""
FAILED_TWICE = 2
"""After so many unconfirmed answers, what they carried is in doubt, and the next one carries nothing that can fail."""
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
    """A record that was most likely deleted on the phone: it goes as ``updated``, which lets the others pass.

    It was one of a few that failed together (core.phone.doubt.ENOUGH), and the phone may never have got it. So it goes
    as ``created`` again, alone, now and then, until the phone has stored it.
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
    settled: float = 0
    """The cursor that the phone last came with, if nothing newer was settled; 0 for none, ANY_CURSOR for any."""
    attempts: int = 0
    """How many answers the phone was given since it last confirmed one."""
    scope: str | None = None
    """Differs when its user may see other records than before (Rights.scope)."""
    capacity: Capacity = Capacity()
    """What is known of the phone's memory."""
    asked: int = 0
    """How many doubtful records were asked last, if that did not fail."""


class Sheet(NamedTuple):
    """The part of a ledger that is about one table."""

    has: FrozenBitMap = NO_RECORDS
    due: FrozenBitMap = NO_RECORDS
    withheld: FrozenBitMap = NO_RECORDS
    frontier: int | None = None
    """How far down (made_ms) a long backlog was delivered."""
    unsure: FrozenBitMap = NO_RECORDS
    """Due, and perhaps deleted on the phone; nothing of it is in ``has``."""
    failed: FrozenBitMap = NO_RECORDS
    """The part of it that failed last."""

    def reconsidered(self, nums: FrozenBitMap | None = None) -> "Sheet":
        """Make due what was withheld, or ``nums`` of it: whether the user may see it is found out when it is read."""
        again = self.withheld if nums is None else self.withheld & nums
        return self._replace(due=self.due | again, withheld=self.withheld - again) if again else self

    def withhold(self, nums: FrozenBitMap) -> "Sheet":
        """Put aside what turned out to be out of the user's sight."""
        return self._replace(due=self.due - nums, withheld=self.withheld | nums) if nums else self

    def settle(self, part: Delivered) -> "Sheet":
        """Write off what arrived."""
        settled = self._replace(has=self.has | part.nums, due=self.due - part.nums, frontier=part.frontier)
        return settled.sure()

    def doubt(self, nums: FrozenBitMap) -> "Sheet":
        """Put in doubt what the phone was sent and did not confirm."""
        return self._replace(unsure=self.unsure | (nums - self.has))

    def sure(self) -> "Sheet":
        """Drop the doubt about what the phone has."""
        return self._replace(unsure=self.unsure - self.has, failed=self.failed - self.has) if self.unsure else self


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
    suspected: tuple[SuspectRecord, ...] = ()
    """New ones."""
    rests: bool = False
    """The phone may just have failed: this answer carries nothing that can fail, so that it pushes."""
    is_met_anew: bool = False
    """It came with a cursor that it was never given."""

    def behind(self) -> int:
        """Count the records that are due."""
        return sum(len(sheet.due) for sheet in self.sheets.values())

    @property
    def is_confirming(self) -> bool:
        """Whether the phone confirms what it gets: only then something that may fail is tried."""
        return not (self.starts_over or self.is_met_anew or self.rests or self.head.attempts)

    def unsure(self) -> int:
        """Count the records that are in doubt."""
        return sum(len(sheet.unsure & sheet.due) for sheet in self.sheets.values())

    def answers_left(self) -> int:
        """Estimate how many more answers it takes until it is known what the phone has (core.phone.doubt)."""
        failed = sum(len(sheet.failed & sheet.due) for sheet in self.sheets.values())
        return doubt.answers_left(self.unsure(), failed)

    def offered(self, *, suspects: int | None = None) -> dict[str, Sheet]:
        """Return the sheets with that part of what is due which the next answer may carry.

        suspects: how many there are; with it, some of what is in doubt is asked if the phone confirms what it gets.
        """
        asked: doubt.Nums = MappingProxyType({})
        if suspects is not None and self.unsure() and self.is_confirming:
            doubted = {name: sheet.unsure & sheet.due for name, sheet in self.sheets.items()}
            failed = {name: sheet.failed & sheet.due for name, sheet in self.sheets.items()}
            asked = doubt.question(doubted, failed, suspects=suspects, asked=self.head.asked)
        return {
            name: sheet._replace(due=self._certain(name, sheet) | asked.get(name, NO_RECORDS))
            for name, sheet in self.sheets.items()
        }

    def _certain(self, name: str, sheet: Sheet) -> FrozenBitMap:
        if self.rests and name not in doubt.KEPT:
            return sheet.due & sheet.has
        return sheet.due - sheet.unsure

    def changed_sheets(self) -> dict[str, Sheet]:
        """Return the sheets that differ from the stored ones."""
        return {name: sheet for name, sheet in self.sheets.items() if sheet != self.stored.get(name, Sheet())}

    def narrowed(self, before: Mapping[str, Sheet], after: Mapping[str, Sheet]) -> "OpenLedger":
        """Take over what was found out about sheets that were ``offered``: what is withheld, and what is no record."""
        changed = {
            name: self.sheets[name]._replace(
                due=self.sheets[name].due - (before[name].due - sheet.due), withheld=sheet.withheld
            )
            for name, sheet in after.items()
            if sheet != before[name]
        }
        return msgspec.structs.replace(self, sheets={**self.sheets, **changed}) if changed else self

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
    suspected: tuple[SuspectRecord, ...] = ()
    rests: bool = False
    is_met_anew: bool = False
    """It came with a cursor that it was never given."""

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
            sheets={name: sheet.sure() for name, sheet in debt.sheets.items()},
            outdated=debt.outdated,
            stored=self.stored,
            starts_over=False,
            settled_until=self.since if self.arrived or self.is_met_anew else None,
            suspected=self.suspected,
            rests=self.rests,
            is_met_anew=self.is_met_anew,
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
            head=self.head,
            sheets=sheets,
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
    def likely_cursor(self) -> float:
        """Return the cursor that the phone will come with if the newest answer arrived; a retry probably did not."""
        settled = self.head.settled if self.head else 0
        return max((delivery.timestamp for delivery in self.deliveries if not delivery.is_retry), default=settled)

    def resume(self, cursor: float, *, scope: str | None = None) -> Resumed | StartOver:
        """Meet a phone that comes with ``cursor``, the timestamp it kept; 0 for none.

        scope: says what the user may see (Rights.scope), None for what it was last time.
        """
        arrived = next((delivery for delivery in self.deliveries if delivery.timestamp == cursor), None)
        if self.head is None or not cursor or not (arrived or self.head.settled):
            return self._start_over(cursor, scope)
        if not arrived and doubt.is_time(cursor) and cursor < self.head.settled:  # it was put back from a backup
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
        if arrived:
            return _settle(resumed, arrived, self.deliveries)
        if self.head.settled == cursor:
            return _repeat(resumed, self.deliveries)
        return _meet_anew(resumed, cursor, self.deliveries)

    def _start_over(self, cursor: float, scope: str | None) -> StartOver:
        head = self.head or Head(scope=scope)
        # A fresh database after answers were confirmed: the last of those was lost with the old one.
        attempts = 0 if head.settled and not cursor else head.attempts
        changed = {"revision": self.revision, "since": self.revision, "settled": 0, "attempts": attempts, "asked": 0}
        scopes: dict[str, Any] = {} if scope is None else {"scope": scope}
        return StartOver(
            device=self.device,
            head=msgspec.structs.replace(head, **changed, **scopes),
            is_first=self.head is None and not cursor,
            made_after_ms=_made_after_ms(cursor, attempts),
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


def _made_after_ms(cursor: float, attempts: int) -> int | None:
    """Return StartOver.made_after_ms: nothing is certain to a phone that failed twice."""
    if attempts >= FAILED_TWICE:
        return doubt.NEVER_MS
    return doubt.certain_after_ms(cursor) if cursor else None


def _settle(resumed: Resumed, arrived: Delivery, deliveries: Sequence[Delivery]) -> Resumed:
    """Write off a delivery that arrived; what changed after the view it was read from is absorbed anew."""
    lost = [each.weight for each in deliveries if each.timestamp < arrived.timestamp and not each.is_retry]
    capacity = page_size.learned(resumed.head.capacity, arrived.weight, lost)
    head = msgspec.structs.replace(resumed.head, settled=arrived.timestamp, attempts=0, capacity=capacity)
    asked = doubt.size(_asked(resumed.sheets, arrived))
    if asked and not any(sheet.failed for sheet in resumed.sheets.values()):
        head = msgspec.structs.replace(head, asked=asked)
    settled = msgspec.structs.replace(
        resumed,
        head=head,
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
    return _learn(settled, [each for each in deliveries if each.timestamp < arrived.timestamp])


def _repeat(resumed: Resumed, deliveries: Sequence[Delivery]) -> Resumed:
    """Meet a phone that did not confirm the last answers: they may have failed for what they carried."""
    if any(each.is_retry or _asked(resumed.sheets, each) for each in deliveries):
        return msgspec.structs.replace(resumed, rests=True)
    if resumed.head.attempts < FAILED_TWICE:
        return resumed
    return msgspec.structs.replace(resumed, sheets=_doubted(resumed.sheets, deliveries), rests=True)


def _meet_anew(resumed: Resumed, cursor: float, deliveries: Sequence[Delivery]) -> Resumed:
    """Meet a phone with a cursor that it was never given: it has what it had, and perhaps the last answers."""
    return msgspec.structs.replace(
        resumed,
        head=msgspec.structs.replace(resumed.head, settled=cursor, attempts=0, asked=0),
        sheets=_doubted(resumed.sheets, deliveries),
        doubtful=deliveries,
        is_met_anew=True,
    )


def _learn(resumed: Resumed, before: Sequence[Delivery]) -> Resumed:
    """Conclude from a question before the answer that arrived: it failed, and the phone is there."""
    questions = [asked for each in before if (asked := _asked(resumed.sheets, each))]
    if not questions:
        return resumed
    failed: doubt.Nums = doubt.likeliest(questions[-1])
    is_enough = doubt.size(failed) <= doubt.ENOUGH
    return msgspec.structs.replace(
        resumed,
        head=msgspec.structs.replace(resumed.head, asked=0),
        sheets={
            name: _failed(sheet, failed.get(name, NO_RECORDS), is_enough=is_enough)
            for name, sheet in resumed.sheets.items()
        },
        suspected=tuple(SuspectRecord(name, num) for name, nums in failed.items() for num in nums) if is_enough else (),
    )


def _failed(sheet: Sheet, nums: FrozenBitMap, *, is_enough: bool) -> Sheet:
    if is_enough:
        return sheet._replace(has=sheet.has | nums, unsure=sheet.unsure - nums, failed=NO_RECORDS)
    return sheet._replace(failed=nums)


def _asked(sheets: Mapping[str, Sheet], delivery: Delivery) -> dict[str, FrozenBitMap]:
    """Return what an answer asked: the doubtful records that it carried."""
    found = {name: part.nums & sheets[name].unsure for name, part in delivery.tables.items() if name in sheets}
    return {name: nums for name, nums in found.items() if nums}


def _doubted(sheets: Mapping[str, Sheet], deliveries: Sequence[Delivery]) -> dict[str, Sheet]:
    """Put in doubt what unconfirmed answers carried."""
    doubted = dict(sheets)
    for delivery in deliveries:
        for name, part in delivery.tables.items():
            if name in doubted:
                doubted[name] = doubted[name].doubt(part.nums)
    return doubted


def _maybe_late(arrived: Delivery, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Return the answers that may have come late.

    Two syncs of a phone can overlap. Of the answers that it did not confirm nobody knows whether they came and when;
    if it confirms one that is not the newest, that one came late itself.
    """
    newest = max(delivery.timestamp for delivery in deliveries)
    return [each for each in deliveries if not each.timestamp == arrived.timestamp == newest]
