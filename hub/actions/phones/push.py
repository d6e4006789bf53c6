"""Takes a push in: one transaction that merges every record, cascades deletions, and fills outbox and quarantine.

A push applies whole or not at all (P1, P2). A record that cannot be taken in is quarantined and the others go on
(P7). Parents come before their children (core.tables declares them so), so that a child of a deleted patient or
visit is a tombstone from the start (P4).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec

from hub.actions.cloud import queue
from hub.core.cloud import forms as cloud_forms
from hub.core.errors import BadRecord
from hub.core.reasons import Code, Reason
from hub.core.records import access, cascade, codec, merge
from hub.core.records.access import Rights
from hub.core.records.codec import Pushed, Record
from hub.core.records.merge import History, Stamp
from hub.core.records.tables import PHONE_TABLES, TABLES, Cascade, PushRule, Table
from hub.store import quarantine
from hub.store.box import counters
from hub.store.database import Store, Transaction
from hub.store.phones import devices, ledger
from hub.store.phones.known_versions import KnownVersions
from hub.store.quarantine import Action
from hub.store.records import record_rows
from hub.store.records.record_rows import CHUNK, HUB, Kept, New


class TableChanges(msgspec.Struct, frozen=True):
    """What a push holds for one table; records stay JSON until it is their turn."""

    created: Sequence[msgspec.Raw] = ()
    updated: Sequence[msgspec.Raw] = ()
    deleted: Sequence[msgspec.Raw] = ()


class Source(msgspec.Struct, frozen=True):
    """Who pushed."""

    device: int
    rights: Rights


class Receipt(msgspec.Struct):
    """What became of a push, in records."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    quarantined: int = 0


def push(store: Store, changes: Mapping[str, TableChanges | None], source: Source) -> Receipt:
    """Take in what a phone changed; when this returns, it is on disk (P1)."""
    with store.write() as tx:
        receipt = take(tx, changes, source)
        counters.add(tx, entered=receipt.created + receipt.updated + receipt.deleted)
        devices.seen(tx, source.device)
    return receipt


def take(tx: Transaction, changes: Mapping[str, TableChanges | None], source: Source) -> Receipt:
    """Take in a push; raises Unavailable, with nothing stored, when the quarantine is full."""
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
    return intake.receipt


def retry(tx: Transaction, entry: Mapping[str, object], source: Source) -> bool:
    """Take a quarantined record in again; returns whether it worked. The entry stays if it did not."""
    raw = msgspec.Raw(str(entry["raw"]).encode())
    action = Action(str(entry["action"]))
    part = TableChanges(deleted=[raw]) if action is Action.DELETE else TableChanges(updated=[raw])
    quarantine.remove(tx, int(str(entry["num"])))
    return take(tx, {str(entry["table_name"]): part}, source).quarantined == 0


def enter(tx: Transaction, table: Table, pushed: Pushed, rights: Rights) -> None:
    """Take in one record that a user made or changed on the hub itself, seeing all that the hub has.

    No phone holds it, so every phone gets it. Raises BadRecord (NotAllowed) instead of quarantining it.
    """
    _Intake(tx, Source(HUB, rights)).enter(table, pushed)


def remove(tx: Transaction, table: Table, record_id: str, rights: Rights) -> None:
    """Delete a record, and what goes with it, on the hub itself; raises NotAllowed."""
    _Intake(tx, Source(HUB, rights)).delete(table, {"id": record_id})


def _place(name: str) -> int:
    return list(TABLES).index(name) if name in TABLES else len(TABLES)


class _Intake:
    """One push on its way in."""

    def __init__(self, tx: Transaction, source: Source) -> None:
        self.receipt = Receipt()
        self._tx = tx
        self._source = source
        self._rights = source.rights
        self._known_versions = KnownVersions(tx.db, source.device)
        self._patients = _Parents(tx, TABLES["patients"])
        self._visits = _Parents(tx, TABLES["visits"])

    def table(self, table: Table, part: TableChanges) -> None:
        for chunk in _chunks([*part.created, *part.updated]):
            self._keep(table, self._read(table, chunk))
        for chunk in _chunks(part.deleted):
            for raw in chunk:
                try:
                    value = _value(table, raw)
                    self.delete(table, value if isinstance(value, dict) else {"id": value})
                except BadRecord as error:
                    self._refuse(table.name, Action.DELETE, raw, error.reason)

    def enter(self, table: Table, pushed: Pushed) -> None:
        kept = record_rows.find(self._tx.db, table, [pushed.record.id]).get(pushed.record.id)
        if kept is not None:
            self._merge(table, kept, pushed, held=self._tx.now_ms)
            return
        new = self._new(table, pushed)
        if new.deleted:
            raise BadRecord(Code.PARENT_DELETED.of(table=table.name))
        self._add(table, [new])

    def reference(self, table: Table, part: TableChanges) -> None:
        """Pass over what a forced upload repeats; keep what a phone tried to change where people can see it."""
        for raw in (*part.created, *part.updated):
            try:
                self._check_reference(table, raw)
            except BadRecord as error:
                self._refuse(table.name, Action.KEEP, raw, error.reason)
        for raw in part.deleted:
            self._refuse(table.name, Action.DELETE, raw, Code.REFERENCE_DELETED.of(table=table.name))

    def refuse_all(self, name: str, part: TableChanges, reason: Reason) -> None:
        for raw in (*part.created, *part.updated):
            self._refuse(name, Action.KEEP, raw, reason)
        for raw in part.deleted:
            self._refuse(name, Action.DELETE, raw, reason)

    def _read(self, table: Table, chunk: Iterable[msgspec.Raw]) -> list[tuple[msgspec.Raw, Pushed]]:
        read: list[tuple[msgspec.Raw, Pushed]] = []
        for raw in chunk:
            try:
                read.append((raw, codec.read(table, raw)))
            except BadRecord as error:
                self._refuse(table.name, Action.KEEP, raw, error.reason)
        return read

    def _keep(self, table: Table, chunk: list[tuple[msgspec.Raw, Pushed]]) -> None:
        """Add the records that are new, merge the others. Of one that is there twice the second is merged."""
        kept = record_rows.find(self._tx.db, table, [pushed.record.id for _, pushed in chunk])
        self._foresee(table, [pushed.record for _, pushed in chunk])
        new: dict[str, New] = {}
        again: list[tuple[msgspec.Raw, Pushed]] = []
        for raw, pushed in chunk:
            if pushed.record.id in kept or pushed.record.id in new:
                again.append((raw, pushed))
                continue
            try:
                new[pushed.record.id] = self._new(table, pushed)
            except BadRecord as error:
                self._refuse(table.name, Action.KEEP, raw, error.reason)
        self._add(table, list(new.values()))
        for raw, pushed in again:
            row = (
                kept.get(pushed.record.id) or record_rows.find(self._tx.db, table, [pushed.record.id])[pushed.record.id]
            )
            kept.pop(pushed.record.id, None)  # it is about to change: a second push of it must read it anew
            try:
                self._merge(table, row, pushed, held=self._held(table, row, pushed))
            except BadRecord as error:
                self._refuse(table.name, Action.KEEP, raw, error.reason)

    def _new(self, table: Table, pushed: Pushed) -> New:
        access.check_create(self._rights, table, self._clinic(table, pushed.record))
        data, cut = codec.write(pushed.record)
        gone = self._says_deleted(table, pushed.record) or self._parent_is_deleted(table, pushed.record)
        return New(pushed.record, data, cut, deleted=gone, history=self._first_history(pushed, data))

    def _first_history(self, pushed: Pushed, data: str) -> History | None:
        """Remember what was edited before the first push; of a record pushed untouched its text says it all."""
        if not pushed.changed:
            return None
        device = self._source.device
        stamp = Stamp(pushed.record.row.updated_at, self._tx.now_ms, device)
        return History(stamp, {}, {str(device): codec.digest(pushed, data)})

    def _add(self, table: Table, new: list[New]) -> None:
        if not new:
            return
        nums = record_rows.add(self._tx, table, new, device=self._source.device)
        queue.added(self._tx, table, nums)
        self._forget_parents(table, [row.record.id for row in new])
        gone = [row.record.id for row in new if row.deleted]
        self.receipt.deleted += len(gone)
        self.receipt.created += len(new) - len(gone)
        for record_id in gone:  # what names it may have come before it
            self._bury_children(table, record_id)

    def _held(self, table: Table, kept: Kept, pushed: Pushed) -> int:
        """Return the revision that the phone knew: whoever edits a record has held at least its first version."""
        return max(self._known_versions.revision(table, kept.num), kept.created if pushed.changed else 0)

    def _merge(self, table: Table, kept: Kept, pushed: Pushed, *, held: int) -> None:
        if kept.deleted is not None:
            self._owe(table, kept)
            return
        version = record_rows.version(table, kept)
        merged = merge.merge(
            table,
            version,
            pushed,
            device=self._source.device,
            revision=self._tx.now_ms,
            held=held,
        )
        if not merged.changed:
            if merged.history != version.history:
                record_rows.remember(self._tx, table, kept.num, merged.history)
            if merged.exact:
                self.receipt.unchanged += 1
            else:
                self._owe(table, kept)
            return
        clinic = self._clinic(table, version.record)
        access.check_update(self._rights, table, clinic, version.record, merged.changed)
        if self._says_deleted(table, merged.record):
            access.check_delete(self._rights, table, self._clinic(table, merged.record))
            self._bury(table, kept.num, merged.record.id)
            return
        access.check_update(self._rights, table, self._clinic(table, merged.record), version.record, merged.changed)
        if self._parent_is_deleted(table, merged.record):
            self._bury(table, kept.num, merged.record.id)
            return
        device = self._source.device if merged.exact else HUB
        record_rows.change(self._tx, table, kept, merged.record, device=device, history=merged.history)
        knowing = cloud_forms.marks(table, version.record, merged.changed)
        queue.changed(self._tx, table, [kept.num], merged.changed, knowing)
        self._forget_parents(table, [pushed.record.id])
        self.receipt.updated += 1

    def delete(self, table: Table, values: dict[str, Any]) -> None:
        """Delete by whole record or id. A record that the hub never had leaves a tombstone, should it come later."""
        record = codec.build(table, values)
        kept = record_rows.find(self._tx.db, table, [record.id]).get(record.id)
        if kept is None:
            access.check_delete(self._rights, table, self._clinic(table, record))
            data, cut = codec.write(record)
            self._add(table, [New(record, data, cut, deleted=True)])
        elif kept.deleted is None:
            access.check_delete(self._rights, table, self._clinic(table, record_rows.version(table, kept).record))
            self._bury(table, kept.num, record.id)
        else:
            self.receipt.unchanged += 1

    def _bury(self, table: Table, num: int, record_id: str) -> None:
        self._bury_nums(table, [num])
        self._bury_children(table, record_id)
        self._forget_parents(table, [record_id])

    def _bury_children(self, table: Table, record_id: str) -> None:
        for child, nums in cascade.plan(table, record_id, partial(record_rows.live_children, self._tx.db)):
            self._bury_nums(child, nums)

    def _bury_nums(self, table: Table, nums: list[int]) -> None:
        record_rows.delete(self._tx, table, nums)
        queue.changed(self._tx, table, nums)
        self.receipt.deleted += len(nums)

    def _check_reference(self, table: Table, raw: msgspec.Raw) -> None:
        pushed = codec.read(table, raw)
        if not pushed.synced:
            access.check_table(table)
        self.receipt.unchanged += 1

    def _owe(self, table: Table, kept: Kept) -> None:
        """Owe the phone the hub's version: its push left it believing otherwise."""
        if self._source.device != HUB:
            ledger.force(self._tx, self._source.device, table, kept.num)
        self.receipt.unchanged += 1

    def _refuse(self, table_name: str, action: Action, raw: msgspec.Raw, reason: Reason) -> None:
        record_id = _id_of(raw)
        quarantine.add(
            self._tx,
            table_name=table_name[: codec.ID_CHARS],
            record_id=record_id,
            action=action,
            reason=reason,
            raw=bytes(raw).decode("utf-8", "replace"),
            device=self._source.device,
            user_id=self._rights.user_id,
        )
        self.receipt.quarantined += 1
        self._owe_what_stands(table_name, record_id)

    def _owe_what_stands(self, table_name: str, record_id: str | None) -> None:
        """Owe the phone the record that its refused edit was about: it takes the edit for accepted."""
        table = TABLES.get(table_name)
        kept = record_rows.find(self._tx.db, table, [record_id]).get(record_id) if table and record_id else None
        if table and kept and self._source.device != HUB:
            ledger.force(self._tx, self._source.device, table, kept.num)

    def _says_deleted(self, table: Table, record: Record) -> bool:
        return table.deletable and bool(record.row.is_deleted)

    def _foresee(self, table: Table, chunk: list[Record]) -> None:
        """Look the parents of a chunk up together."""
        self._patients.foresee(record.text(table.patient) for record in chunk)
        for column in table.visits:
            self._visits.foresee(record.text(column) for record in chunk)

    def _parent_is_deleted(self, table: Table, record: Record) -> bool:
        if Cascade.PATIENT in table.goes_with and self._patients.is_deleted(record.text("patient_id")):
            return True
        return any(self._visits.is_deleted(record.text(column)) for column in table.visits)

    def _clinic(self, table: Table, record: Record) -> str | None:
        """Return the clinic that a record belongs to: its own, or else its patient's."""
        return record.text(table.clinic) or self._patients.clinic(record.text(table.patient))

    def _forget_parents(self, table: Table, ids: list[str]) -> None:
        for parents in (self._patients, self._visits):
            if parents.table is table:
                parents.forget(ids)


class _Parents:
    """What a push must know of the patients or visits that its records name, each looked up once."""

    def __init__(self, tx: Transaction, table: Table) -> None:
        self.table = table
        self._tx = tx
        self._known: dict[str, tuple[str | None, bool]] = {}

    def foresee(self, ids: Iterable[str | None]) -> None:
        missing = {record_id for record_id in ids if record_id and record_id not in self._known}
        if not missing:
            return
        clinic = "primary_clinic_id" if self.table.name == "patients" else "NULL"
        rows = self._tx.db.execute(
            f"SELECT id, {clinic}, local_server_deleted_at IS NOT NULL FROM [{self.table.name}]"
            " WHERE id IN (SELECT value FROM json_each(?))",
            [msgspec.json.encode(sorted(missing)).decode()],
        )
        found = {row[0]: (row[1], bool(row[2])) for row in rows}
        self._known.update({record_id: found.get(record_id, (None, False)) for record_id in missing})

    def forget(self, ids: list[str]) -> None:
        for record_id in ids:
            self._known.pop(record_id, None)

    def is_deleted(self, record_id: str | None) -> bool:
        return self._get(record_id)[1]

    def clinic(self, record_id: str | None) -> str | None:
        return self._get(record_id)[0]

    def _get(self, record_id: str | None) -> tuple[str | None, bool]:
        if not record_id:
            return None, False
        if record_id not in self._known:
            self.foresee([record_id])
        return self._known[record_id]


def _chunks(raws: Sequence[msgspec.Raw]) -> Iterator[Sequence[msgspec.Raw]]:
    for start in range(0, len(raws), CHUNK):
        yield raws[start : start + CHUNK]


def _value(table: Table, raw: msgspec.Raw) -> object:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRecord(Code.NOT_JSON.of(table=table.name)) from None


def _id_of(raw: msgspec.Raw) -> str | None:
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    found = value.get("id") if isinstance(value, dict) else value
    return found[: codec.ID_CHARS] if isinstance(found, str) else None
