"""What a phone's ledger is kept as: its head, a sheet for each table, and the answers that are not confirmed yet."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone.page_size import Capacity

DELIVERIES = 8
"""How many unconfirmed answers of a phone are remembered."""
ANY_CURSOR = -1
"""In the place of the timestamp last settled, after a backup was put back: the phone may have synced with the hub
that died since."""
NEW = -1
"""In the place of a ledger's number, until one is given to it."""
NO_RECORDS = FrozenBitMap()

Outdated = Mapping[tuple[str, int], FrozenBitMap]
"""(table, revision) -> records that are due, and that the phone has as they were at that revision."""


class Delivered(NamedTuple):
    """What one answer carried of one table."""

    nums: FrozenBitMap
    frontier: int | None
    blanked: FrozenBitMap = NO_RECORDS
    """What it made blank: records that the user may not see any more."""
    gained: FrozenBitMap = NO_RECORDS
    """What the ledger came to take for the phone's when this answer was chosen."""
    ended: FrozenBitMap = NO_RECORDS
    """The tombstones in it of what was not taken for the phone's: it may live again, and be new there."""


class Delivery(NamedTuple):
    """One answer: when it was stamped, and the revision of the view that it was read from."""

    timestamp: int
    revision: int
    is_retry: bool
    tables: Mapping[str, Delivered]
    weight: int = 0
    """What it says of the phone's memory if it is confirmed (page_size)."""
    after: float = 0
    """The cursor with which the phone had come."""


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
    """What was pushed until then the phone may lack: it was emptied since, or another one under its id pushed it."""
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
    ahead: int = 0
    """When the phone showed that it had synced with a hub that died, after this one's backup was made; 0 for never."""


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
    blanked: FrozenBitMap = NO_RECORDS
    """What the phone has as a blank row."""

    def reconsidered(self, nums: FrozenBitMap | None = None) -> "Sheet":
        """Make due what was withheld, or ``nums`` of it: whether the user may see it is found out when it is read."""
        again = self.withheld if nums is None else self.withheld & nums
        return self._replace(due=self.due | again, withheld=self.withheld - again) if again else self

    def withhold(self, nums: FrozenBitMap) -> "Sheet":
        """Put aside what turned out to be out of the user's sight."""
        return self._replace(due=self.due - nums, withheld=self.withheld | nums) if nums else self

    def settle(self, part: Delivered) -> "Sheet":
        """Write off what arrived.

        A blank row, or the end, of what may never have come leaves it open whether the phone has it.
        """
        is_open = (part.blanked | part.ended) - self.has
        settled = self._replace(
            has=self.has | (part.nums - part.blanked - part.ended),
            due=self.due - part.nums,
            withheld=self.withheld | part.blanked,
            frontier=part.frontier,
            blanked=(self.blanked - part.nums) | (part.blanked & self.has),
            unsure=self.unsure | is_open,
        )
        return settled.sure()

    def filled(self, nums: FrozenBitMap) -> "Sheet":
        """Note that the phone may have something in these rows."""
        return self._replace(blanked=self.blanked - nums) if self.blanked else self

    def doubt(self, nums: FrozenBitMap) -> "Sheet":
        """Put in doubt what the phone was sent and did not confirm."""
        return self._replace(unsure=self.unsure | (nums - self.has))

    def sure(self) -> "Sheet":
        """Drop the doubt about what the phone has."""
        return self._replace(unsure=self.unsure - self.has, failed=self.failed - self.has)


class Shared(NamedTuple):
    """What becomes of a ledger when it shows that another phone has the same id."""

    device: int
    sheets: Mapping[str, Sheet]
    """As they are to be now, where they change."""
    expected: Sequence[Delivery]
    """The answers of which its phone may confirm one, without what is not taken for the phone's any more."""


class Fork(NamedTuple):
    """Where a ledger begins as what another one was."""

    parent: int
    is_rewound: bool = False
    """It begins as the other one was; else nobody knows what its phone has."""
    answers: Sequence[Delivery] = ()
    """Those of the other that were given to this phone too."""
    gained: Mapping[str, FrozenBitMap] = MappingProxyType({})
    """What the first answer of this one has gained, for it was in the other's when it began."""
    shared: Sequence[Shared] = ()
    """The ledgers that the id has already."""


def known_revision(num: int, sheet: Sheet, revision: int, outdated: Mapping[int, FrozenBitMap]) -> int:
    """Return up to which revision a phone is known to have a record; 0 where nothing is known.

    revision: the head's; outdated: the table's, by revision. An edit was made knowing the record as of then.
    """
    if num not in sheet.has:
        return 0
    if num not in sheet.due and num not in sheet.withheld:
        return revision
    return max((known for known, nums in outdated.items() if num in nums), default=0)
