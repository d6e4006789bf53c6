"""Takes a phone's push in: one transaction that keeps every record it can, and quarantines the others.

A push applies whole or not at all (P1, P2). A record that cannot be taken in is quarantined and the others go on
(P7). Parents come before their children (core.records.tables declares them so), so that a child of a deleted patient
or visit is a tombstone from the start (P4).
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from hub.actions.records.changes import Changes, Receipt
from hub.core.errors import BadRecord, ParentHeld
from hub.core.fleet.totals import Total
from hub.core.reasons import Code, Reason
from hub.core.records import access, codec, ids
from hub.core.records.access import Rights
from hub.core.records.codec import Pushed, Record
from hub.core.records.table import PushRule, Table
from hub.core.records.tables import PHONE_TABLES, TABLES
from hub.store import quarantine
from hub.store.box import counters
from hub.store.database import Store, Transaction
from hub.store.people import users
from hub.store.phones import callers
from hub.store.quarantine import Action
from hub.store.records.record_rows import CHUNK, HUB


class TableChanges(msgspec.Struct, frozen=True):
    """What a push holds for one table; records stay JSON until it is their turn."""

    created: Sequence[msgspec.Raw] = ()
    updated: Sequence[msgspec.Raw] = ()
    deleted: Sequence[msgspec.Raw] = ()


PushedChanges = Mapping[str, TableChanges | None]
"""What a phone changed, by the name of the table."""


class Source(msgspec.Struct, frozen=True):
    """Who pushed."""

    device: int
    rights: Rights
    is_answered_for: bool = False
    """An administrator takes it in, whatever its author may do, with what waits for it."""
    entered_on: int = HUB
    """The phone from which a second try came in the first place."""

    @property
    def phone(self) -> int:
        """Return the phone whose users may have entered it; HUB where that does not matter."""
        return HUB if self.is_answered_for else self.entered_on or self.device


def push(store: Store, changes: PushedChanges, source: Source) -> Receipt:
    """Take in a push; when this returns, it is on disk (P1).

    Raises Unavailable, with nothing stored, when the quarantine is full. A device's pushes and pulls must not overlap.
    """
    with store.write() as tx:
        receipt = take(tx, changes, source)
        counters.add(tx, entered=receipt.entered)
        callers.seen(tx, source.device, carried=Total.PUSHES)
        return receipt


def take(tx: Transaction, changes: PushedChanges, source: Source) -> Receipt:
    """Take in a push as a part of a transaction; raises Unavailable when the quarantine is full."""
    intake = _Intake(tx, source)
    for name in sorted(changes, key=_place):
        part = changes[name]
        if part is None:
            continue
        table = PHONE_TABLES.get(name)
        if table is None:
            intake.refuse_all(name, part, Code.UNKNOWN_TABLE.of(table=name[: codec.ID_CHARS]))
        elif table.push is PushRule.REFERENCE:
            intake.reference(table, part)
        else:
            intake.table(table, part)
    intake.settle()
    intake.release()
    return intake.receipt


def retry(tx: Transaction, entry: Mapping[str, object], source: Source) -> bool:
    """Take a quarantined record in again, with what waits for it; returns whether it worked.

    The entry stays if it did not.
    """
    raw = msgspec.Raw(str(entry["raw"]).encode())
    action = Action(str(entry["action"]))
    part = TableChanges(deleted=[raw]) if action is Action.DELETE else TableChanges(updated=[raw])
    quarantine.remove(tx, int(str(entry["num"])))
    return take(tx, {str(entry["table_name"]): part}, source).quarantined == 0


def _place(name: str) -> int:
    return list(TABLES).index(name) if name in TABLES else len(TABLES)


class _Intake:
    """One push on its way in: reads the JSON, hands on what it can, and quarantines the rest."""

    def __init__(self, tx: Transaction, source: Source) -> None:
        self._tx = tx
        self._source = source
        self._changes = Changes(tx, source.device, source.rights, phone=source.phone)
        self.receipt = self._changes.receipt

    def table(self, table: Table, part: TableChanges) -> None:
        for chunk in _chunks([*part.created, *part.updated]):
            self._keep(table, chunk)
        for raw in part.deleted:
            try:
                self._changes.delete(table, _record_to_delete(table, raw))
            except BadRecord as error:
                self._refuse(table.name, Action.DELETE, raw, error.reason)

    def reference(self, table: Table, part: TableChanges) -> None:
        """Pass over what a forced upload repeats; keep what a phone tried to change where people can see it."""
        for raw in (*part.created, *part.updated):
            try:
                if not codec.read(table, raw, self._tx.zone).synced:
                    access.check_table(table)
                self.receipt.unchanged += 1
            except BadRecord as error:
                self._refuse(table.name, Action.KEEP, raw, error.reason)
        for raw in part.deleted:
            self._refuse(table.name, Action.DELETE, raw, Code.REFERENCE_DELETED.of(table=table.name))

    def refuse_all(self, name: str, part: TableChanges, reason: Reason) -> None:
        for raw in (*part.created, *part.updated):
            self._refuse(name, Action.KEEP, raw, reason)
        for raw in part.deleted:
            self._refuse(name, Action.DELETE, raw, reason)

    def settle(self) -> None:
        """Count what was handed out, when all of it is there."""
        self._changes.settle()

    def release(self) -> None:
        """Try again what was held because what it belongs to was not accepted, and is here now."""
        for num in quarantine.waiting_for(self._tx.db, self._changes.added) if self._changes.added else ():
            entry = quarantine.entry(self._tx.db, num)
            rights = self._rights_of(str(entry["user_id"])) if entry else None
            if entry and rights:
                retry(self._tx, entry, Source(HUB, rights, self._source.is_answered_for, entry["device"]))

    def _rights_of(self, user_id: str) -> Rights | None:
        """Return the rights of who entered a record, or those by which its parent was taken in."""
        if self._source.is_answered_for:
            return msgspec.structs.replace(self._source.rights, user_id=user_id)
        user = users.find(self._tx.db, user_id)
        return callers.rights(self._tx.db, user.id, user.role) if user else None

    def _keep(self, table: Table, chunk: Sequence[msgspec.Raw]) -> None:
        raws: list[msgspec.Raw] = []
        read: list[Pushed] = []
        for raw in chunk:
            try:
                read.append(codec.read(table, raw, self._tx.zone))
                raws.append(raw)
            except BadRecord as error:
                self._refuse(table.name, Action.KEEP, raw, error.reason)
        for place, refusal in self._changes.keep(table, read).items():
            parent = refusal.parent if isinstance(refusal, ParentHeld) else None
            self._refuse(table.name, Action.KEEP, raws[place], refusal.reason, parent)

    def _refuse(
        self, table_name: str, action: Action, raw: msgspec.Raw, reason: Reason, parent: str | None = None
    ) -> None:
        record_id = _id_of(raw)
        quarantine.add(
            self._tx,
            table_name=table_name[: codec.ID_CHARS],
            record_id=record_id,
            action=action,
            reason=reason,
            raw=bytes(raw).decode("utf-8", "replace"),
            device=self._source.device,
            user_id=self._source.rights.user_id,
            parent=parent,
        )
        self.receipt.quarantined += 1
        table = TABLES.get(table_name)
        if table and record_id:
            self._changes.force(table, record_id)


def _chunks(raws: Sequence[msgspec.Raw]) -> Iterator[Sequence[msgspec.Raw]]:
    for start in range(0, len(raws), CHUNK):
        yield raws[start : start + CHUNK]


def _record_to_delete(table: Table, raw: msgspec.Raw) -> Record:
    """Read what a phone deletes: a whole record or its id."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRecord(Code.NOT_JSON.of(table=table.name)) from None
    return codec.build(table, value if isinstance(value, dict) else {"id": value})


def _id_of(raw: msgspec.Raw) -> str | None:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = value.get("id") if isinstance(value, dict) else value
    return ids.canonical(found)[: codec.ID_CHARS] if isinstance(found, str) else None
