"""Decides where a record of the outbox stands, and where each thing that happens to it leads (R1).

A record is in the outbox from a change on this hub until the cloud has shown it as it is here: the cloud also says
success to what it does not keep (CLOUD.md 4.5, 4.9), so its success alone ends nothing that a pull can prove.
"""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Self

import msgspec

from hub.core.cloud.tables import KEEPING
from hub.core.reasons import Code, Reason
from hub.core.records.codec import Record
from hub.core.records.table import Table

PROOF_PULLS = 2
"""A record that was sent and is in none of so many complete pulls is overdue."""
TRIES = 2
"""How often an overdue record is sent again before it is only listed."""
GIVE_UP = 6
"""How often the cloud may show that it did not keep a change before the record is put on hold."""
KNOWN = 8
"""How many former values of a column are remembered."""

Key = tuple[str, str]
"""The names of a table and of a record in it: its id."""
REFUSALS = frozenset({Code.REFUSED, Code.REFUSED_REFERENCE, Code.DELETE_REFUSED})
"""Why a record is on hold that the cloud refused without a word. While it waits again, it is known to be doubtful."""


class OutboxState(Enum):
    """Where a record stands."""

    WAITING = auto()
    """It is to be sent as it is now."""
    ON_HOLD = auto()
    """The cloud would not take it as it is now; it goes again when it changes or someone says so."""
    SENT = auto()
    """The cloud said success to it as it is now, and has yet to show it."""
    MISSED = auto()
    """The cloud said success to it again and again, and never showed it: it goes on hold, for a person."""
    PROVEN = auto()
    """It is not in the outbox: the cloud has it as it is here, as far as the hub can know."""


class Event(Enum):
    """What happens to a record."""

    CHANGED = auto()
    """A phone or the hub changed it, or deleted it."""
    CONFIRMED = auto()
    """The cloud said success to just this revision."""
    CONFIRMED_UNSEEN = auto()
    """The same, where no pull will ever prove it."""
    CONFIRMED_OLDER = auto()
    """The cloud said success to an earlier revision: it changed on the way."""
    SHOWN = auto()
    """A pull shows it as it is here."""
    DIFFERS = auto()
    """A pull shows it otherwise than it is here, in columns that changed here."""
    REFUSED = auto()
    """The cloud will not take this revision."""
    RELEASED = auto()
    """Someone wants it to be tried again, or it is time to."""
    OVERDUE = auto()
    """It is in none of the pulls in which it ought to be."""
    OVERDUE_DELETE = auto()
    """The same for a delete: they always win, and the cloud does not announce all of them (CLOUD.md 4.6)."""
    DELETED_THERE = auto()
    """The cloud deleted it."""


def _table() -> Iterator[tuple[tuple[OutboxState, Event], OutboxState]]:
    waiting, on_hold, sent, missed, proven = OutboxState
    before = (waiting, on_hold, sent, missed, proven)
    for event, after in (
        (Event.CHANGED, (waiting, waiting, waiting, waiting, waiting)),
        (Event.CONFIRMED, (sent, sent, sent, sent, proven)),
        (Event.CONFIRMED_UNSEEN, (proven, proven, proven, proven, proven)),
        (Event.CONFIRMED_OLDER, (waiting, on_hold, sent, missed, proven)),
        (Event.SHOWN, (proven, proven, proven, proven, proven)),
        (Event.DIFFERS, (waiting, on_hold, waiting, waiting, proven)),
        (Event.REFUSED, (on_hold, on_hold, on_hold, on_hold, proven)),
        (Event.RELEASED, (waiting, waiting, sent, missed, proven)),
        (Event.OVERDUE, (waiting, on_hold, waiting, missed, proven)),
        (Event.OVERDUE_DELETE, (waiting, on_hold, proven, proven, proven)),
        (Event.DELETED_THERE, (proven, proven, proven, proven, proven)),
    ):
        yield from (((state, event), then) for state, then in zip(before, after, strict=True))


TRANSITIONS: Mapping[tuple[OutboxState, Event], OutboxState] = MappingProxyType(dict(_table()))
"""(state, event) -> state."""


class Entry(msgspec.Struct, frozen=True):
    """What the outbox keeps of a record. Times are hub times; a revision is the hub time of a change."""

    revision: int
    columns: frozenset[str] | None = None
    """What the cloud does not have as it is here; None for all of it: the cloud is not known to have the record."""
    sent: int | None = None
    """The last revision that the cloud said success to, until it shows otherwise."""
    sent_pull: int | None = None
    """How many pulls were complete when it was sent."""
    held: int | None = None
    """The revision that is on hold."""
    tries: int = 0
    """How often it was sent and not shown."""
    reason: Reason | None = None
    """Why it waits or is on hold."""
    known: Mapping[str, tuple[int, ...]] | None = None
    """Column -> marks of values that its change was made knowing (core.cloud.forms.mark); None before any edit."""

    def state(self, pulls: int = 0) -> OutboxState:
        """Where it stands after so many complete pulls; without them nothing is missed."""
        if self.held == self.revision:
            return OutboxState.ON_HOLD
        if self.sent != self.revision:
            return OutboxState.WAITING
        return OutboxState.MISSED if self.tries >= TRIES and self.is_late(pulls) else OutboxState.SENT

    def is_late(self, pulls: int) -> bool:
        """Whether the pulls by now ought to have shown what was sent."""
        return self.sent_pull is not None and self.sent_pull <= pulls - PROOF_PULLS

    @property
    def is_sent(self) -> bool:
        """Whether the cloud said success to it as it is now."""
        return self.state() is OutboxState.SENT

    @property
    def is_held(self) -> bool:
        """Whether it is on hold."""
        return self.state() is OutboxState.ON_HOLD

    @property
    def reached(self) -> bool:
        """Whether the cloud once said success to some version of it, or showed it."""
        return self.sent is not None or self.columns is not None

    @property
    def was_refused(self) -> bool:
        """Whether the cloud refused it as it is now, and did not say why."""
        return self.reason is not None and self.reason.code in REFUSALS

    def holds(self, column: str) -> bool:
        """Whether the cloud does not have a column as it is here."""
        return self.columns is None or column in self.columns

    def waits_for(self, column: str) -> bool:
        """Whether a change of a column has yet to go to the cloud; of a new record, one that was made since."""
        if self.is_sent or not self.holds(column):
            return False
        return self.columns is not None or column in (self.known or ())

    def changed(self, revision: int, columns: Iterable[str] | None = None) -> Self:
        """Take a further change; columns add up until the cloud has shown them."""
        both = None if columns is None or self.columns is None else self.columns.union(columns)
        reason = None if self.was_refused else self.reason
        return self._after(Event.CHANGED, revision=revision, columns=both, reason=reason)

    def knew(self, column: str, mark: int) -> bool:
        """Whether the change of a column was made knowing a value."""
        return mark in (self.known or {}).get(column, ())

    def knowing(self, marks: Mapping[str, int]) -> Self:
        """Remember values that a change was made knowing."""
        known = dict(self.known or {})
        for column, mark in marks.items():
            known[column] = (*(old for old in known.get(column, ()) if old != mark), mark)[-KNOWN:]
        return msgspec.structs.replace(self, known=known)

    def confirmed(self, revision: int, *, pulls: int, shown: bool) -> Self | None:
        """Note the cloud's success for a revision; not ``shown``: no pull will prove it."""
        if revision == self.revision:
            event = Event.CONFIRMED if shown else Event.CONFIRMED_UNSEEN
            return self._moved(event, sent_pull=pulls, reason=None)
        if self.is_sent:
            return self
        # What changed on the way goes again, and knowing that the cloud has the record by now.
        return self._after(Event.CONFIRMED_OLDER, sent=revision)

    def differs(self, columns: Iterable[str], marks: Mapping[str, int]) -> Self:
        """Note that the cloud has the record, but not these columns of it: they hold what ``marks`` says there."""
        tries = self.tries + self.is_sent
        return self._after(Event.DIFFERS, columns=frozenset(columns), sent=None, tries=tries).knowing(marks)

    def refused(self, revision: int, reason: Reason) -> Self:
        """Put a revision on hold, which the cloud will not take; a later one it may."""
        if revision != self.revision:
            return self
        return self._after(Event.REFUSED, reason=reason)

    def released(self) -> Self:
        """Let it be tried again; that the cloud refused it stays known."""
        return self._after(Event.RELEASED, reason=self.reason if self.was_refused else None)

    def overdue(self, pulls: int, *, deleted: bool) -> Self | None:
        """Send again what so many pulls ought to have shown; a delete is done."""
        state = self.state(pulls)
        if state not in {OutboxState.SENT, OutboxState.MISSED} or not self.is_late(pulls):
            return self
        if deleted:
            return self._moved(Event.OVERDUE_DELETE, pulls)
        return (
            self if state is OutboxState.MISSED else self._after(Event.OVERDUE, pulls, sent=None, tries=self.tries + 1)
        )

    def set_back(self, columns: Iterable[str]) -> Self:
        """Take these columns for changes: the cloud was put back to before it had them as they are here."""
        return self._after(Event.DIFFERS, columns=frozenset(columns), sent=None)

    def waits(self, reason: Reason | None) -> Self:
        """Note why it waits; None: nothing keeps it."""
        return msgspec.structs.replace(self, reason=reason)

    def _after(self, event: Event, pulls: int = 0, **values: Any) -> Self:  # noqa: ANN401
        moved = self._moved(event, pulls, **values)
        if moved is None:
            raise AssertionError(f"{event} takes nothing out of the outbox")
        return moved

    def _moved(self, event: Event, pulls: int = 0, **values: Any) -> Self | None:  # noqa: ANN401
        """Set ``values``, and what says in which state it is."""
        state = TRANSITIONS[self.state(pulls), event]
        entry = msgspec.structs.replace(self, **values)
        match state:
            case OutboxState.PROVEN:
                return None
            case OutboxState.ON_HOLD:
                return msgspec.structs.replace(entry, held=entry.revision, sent=None)
            case OutboxState.SENT | OutboxState.MISSED:
                return msgspec.structs.replace(entry, sent=entry.revision, held=None)
            case OutboxState.WAITING:
                sent = None if entry.sent == entry.revision else entry.sent
                held = None if entry.held == entry.revision else entry.held
                return msgspec.structs.replace(entry, sent=sent, held=held)


def changed(
    entry: Entry | None,
    revision: int,
    columns: Iterable[str] | None = None,
    knowing: Mapping[str, int] | None = None,
) -> Entry:
    """Put a changed record into the outbox, which may hold it already.

    columns: those that changed; None for the whole record, a tombstone too.
    knowing: marks of the values that the change was made knowing (core.cloud.forms.marks).
    """
    if entry is None:
        after = Entry(revision, None if columns is None else frozenset(columns))
    else:
        after = entry.changed(revision, columns)
    return after if knowing is None else after.knowing(knowing)


class OutboxRecord(msgspec.Struct, frozen=True):
    """A record with what the outbox keeps of it."""

    table: Table
    num: int
    entry: Entry
    record: Record
    seen_ms: float | None = None
    """The cloud's updated_at of it as it was last seen there; None before."""

    @property
    def id(self) -> str:
        """The record's id."""
        return self.record.id

    @property
    def key(self) -> Key:
        """Table and id."""
        return self.table.name, self.record.id

    @property
    def is_new(self) -> bool:
        """Whether the cloud is not known to have it."""
        return self.entry.columns is None

    @property
    def is_edited(self) -> bool:
        """Whether it changed since it came into the outbox."""
        return self.entry.known is not None

    @property
    def makes_visit(self) -> bool:
        """Whether the cloud makes up a visit for it, each time anew (CLOUD.md 4.5)."""
        visit = KEEPING[self.table.name].visit
        return visit is not None and not self.record.text(visit)

    def names(self) -> Iterator[Key]:
        """Name the records that it refers to."""
        for column, target in self.table.references.items():
            value = self.record.text(column)
            if value:
                yield target, value

    def is_shown(self, *, deleted: bool) -> bool:
        """Whether a pull will bring it back, or the end of it (CLOUD.md 2.2, 4.5, 4.6)."""
        if (deleted or not self.is_new) and not KEEPING[self.table.name].edits_return:
            return False
        return deleted or not self.table.clinic or self.record.text(self.table.clinic) is not None


def likely_missed(table: Table, record: Record) -> Reason:
    """Guess why the cloud does not show what it said success to."""
    if table.clinic and not record.text(table.clinic):
        return Code.CLINIC_MISSING.of(table=table.name, column=table.clinic)
    return Code.NOT_SHOWN.of(table=table.name)
