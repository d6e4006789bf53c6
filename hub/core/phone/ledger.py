"""Decides what is due to a phone: which records it has, and which it lacks or has in an old version (P5, P6).

A phone's ledger has, for each table, bitmaps of record numbers

    has        what the phone has, in whatever version: it gets those as ``updated``, others as ``created``
    due        what it lacks or has in an old version
    withheld   what its user may not see; looked at again when that changes
    blanked    what it has as a blank row, for its user may not see it any more (core.records.blanked)

and one revision: everything that changed up to it is accounted for in ``due``. A pull absorbs what changed since,
leaving out what the phone itself pushed, and delivers from ``due``. A delivery is settled only when the phone comes
back with its timestamp: then the phone has stored all of it, and what it pushed in that sync is its own. With any other
it keeps what it was confirmed to have, and what the last answers carried, or was pushed after them, is ``unsure``: the
phone may have stored it, and its user deleted it there (P10). So is nearly everything to a phone that is new here and
says that it is not new: see core.phone.doubt. No cursor means a fresh database, and everything is due again. An earlier
one means another phone, or the same one as it was: see core.phone.past.

A ledger's life is in its types. A ``StoredLedger`` meets the cursor that the phone comes with: it is ``Resumed``, and
absorbs what changed, or it is to ``StartOver``. Either ends in an ``OpenLedger``, which alone knows what is due.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone import doubt, settling
from hub.core.phone.opening import Resumed, StartOver
from hub.core.phone.settling import FAILED_TWICE
from hub.core.phone.sheets import ANY_CURSOR, NO_RECORDS, Delivery, Fork, Head, Outdated, Sheet


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
    newest: Sequence[Delivery]
    """The last answers that it gave after the same cursor, the oldest first."""
    fork: Fork | None = None
    """It begins now, as a part of another one (core.phone.past)."""
    is_shared: bool = False
    """Other phones have the same id, or had."""

    @property
    def deliveries(self) -> Sequence[Delivery]:
        """Return the answers of which one is the next that the phone confirms: any, where no cursor was settled."""
        is_next = self.head and self.newest and self.head.settled in {0, ANY_CURSOR, self.newest[-1].after}
        return self.newest if is_next else ()

    @property
    def likely_cursor(self) -> float:
        """Return the cursor that the phone will come with if the newest answer arrived; a retry probably did not."""
        settled = self.head.settled if self.head else 0
        return max((delivery.timestamp for delivery in self.deliveries if not delivery.is_retry), default=settled)

    @property
    def at(self) -> float | None:
        """Return the cursor at which the phone is, ANY_CURSOR for any; None where nobody knows."""
        if self.head and self.head.settled:
            return self.head.settled
        return self.deliveries[-1].after if self.deliveries else None

    def expects(self, cursor: float) -> bool:
        """Whether a phone that comes with ``cursor`` is where this ledger left its phone."""
        return cursor == self.at or self._arrived(cursor) is not None

    def is_left(self, cursor: float) -> bool:
        """Whether a phone that comes with ``cursor`` is not where this ledger last met one (core.phone.past)."""
        if self.at is None or self.expects(cursor):
            return False
        return self.is_shared or self.at != ANY_CURSOR or not cursor

    def starts_over(self, cursor: float) -> bool:
        """Whether ``cursor`` says nothing about what the phone has."""
        if self.head is None or self.at is None:
            return True
        if self._arrived(cursor):
            return False
        if not cursor or not self.head.settled:
            return True
        if cursor == self.head.settled:
            return False
        # It was put back from a backup that is too old, or nobody knows which of several phones it is.
        return self.is_shared or (doubt.is_time(cursor) and cursor < self.head.settled)

    def resume(self, cursor: float, *, scope: str | None = None) -> Resumed | StartOver:
        """Meet a phone that comes with ``cursor``, the timestamp it kept; 0 for none.

        scope: says what the user may see (Rights.scope), None for what it was last time.
        """
        if self.head is None or self.starts_over(cursor):
            return self._start_over(cursor, scope)
        arrived = self._arrived(cursor)
        seen = self.head.scope if scope is None else scope
        resumed = Resumed(
            device=self.device,
            cursor=cursor,
            revision=self.revision,
            head=msgspec.structs.replace(self.head, scope=seen),
            since=self.head.revision,
            sheets=self.sheets,
            had=self.sheets,
            outdated=self.outdated,
            arrived=None,
            own_until=0,
            doubtful=(),
            fork=self.fork,
            is_shared=self.is_shared,
            carried=_carried([each for each in self.deliveries if each is not arrived]),
            reconsiders=seen != self.head.scope or self.moved > self.head.revision,
        )
        if arrived:
            return settling.settle(resumed, arrived, self.deliveries)
        if self.head.settled == cursor:
            return settling.repeat(resumed, self.deliveries)
        if self._is_ahead(cursor):
            resumed = msgspec.structs.replace(resumed, head=msgspec.structs.replace(resumed.head, ahead=self.revision))
        return settling.meet_anew(resumed, cursor, self.deliveries)

    def _arrived(self, cursor: float) -> Delivery | None:
        return next((delivery for delivery in self.deliveries if delivery.timestamp == cursor), None)

    def _is_ahead(self, cursor: float) -> bool:
        """Whether the phone synced with the hub that died, after the backup was made of which this one is."""
        if self.head is None or self.head.settled != ANY_CURSOR or not doubt.is_time(cursor):
            return False
        return cursor > max((delivery.timestamp for delivery in self.deliveries), default=self.head.revision)

    def _start_over(self, cursor: float, scope: str | None) -> StartOver:
        head = self.head or Head(scope=scope)
        # A fresh database after answers were confirmed: the last of those was lost with the old one.
        attempts = 0 if head.settled and not cursor else head.attempts
        changed = {"revision": self.revision, "since": self.revision, "settled": 0, "attempts": attempts, "asked": 0}
        scopes: dict[str, Any] = {} if scope is None else {"scope": scope}
        return StartOver(
            device=self.device,
            cursor=cursor,
            head=msgspec.structs.replace(head, **changed, **scopes),
            is_first=self.head is None and not cursor,
            fork=self.fork,
            made_after_ms=_made_after_ms(cursor, attempts),
        )


def _carried(deliveries: Sequence[Delivery]) -> dict[str, FrozenBitMap]:
    carried: dict[str, FrozenBitMap] = {}
    for delivery in deliveries:
        for name, part in delivery.tables.items():
            carried[name] = carried.get(name, NO_RECORDS) | part.nums
    return carried


def _made_after_ms(cursor: float, attempts: int) -> int | None:
    """Return StartOver.made_after_ms: nothing is certain to a phone that failed twice."""
    if attempts >= FAILED_TWICE:
        return doubt.NEVER_MS
    return doubt.certain_after_ms(cursor) if cursor else None
