"""Unites what two phones entered for the same field of a patient: the cloud keeps one row of them (CLOUD.md 4.5).

Its key is the patient and the field, and the first id stays. The hub keeps the row that the cloud shows; what was
entered under another id goes into it, and the other id is deleted. Until then the newest of them goes last.
"""

from collections.abc import Container, Iterable, Sequence

from hub.actions.cloud import queue
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.outbox import Entry
from hub.core.records import codec
from hub.core.records.codec import Record
from hub.core.records.merge import History, Stamp
from hub.core.records.table import Cascade
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox
from hub.store.database import Transaction
from hub.store.records import record_rows

TABLE = TABLES["patient_additional_attributes"]
_VALUES = ("attribute", "number_value", "string_value", "date_value", "boolean_value", "metadata")


def unite(tx: Transaction, shown: Sequence[Record]) -> int:
    """Unite the rows that the cloud shows with others of the same field; returns how many had been sent."""
    by_key = {_key(record): record for record in shown}
    twins = [twin for twin in _others(tx, shown) if _key(twin[1]) in by_key]
    entries = outbox.entries(tx.db, TABLE, [num for num, _ in twins])
    seen = 0
    for num, twin in twins:
        here = entries.get(num)
        if here and not here.is_sent:
            _carry(tx, by_key[_key(twin)].id, twin, here)
        seen += outbox.remove(tx, TABLE, [num])
        record_rows.delete(tx, TABLE, [num])
    return seen


def send_newer_again(tx: Transaction, sent: Iterable[Record]) -> None:
    """Queue once more what is newer than what was just sent for the same field: the cloud keeps what came last."""
    last = {_key(record): record for record in sent}
    live = [(num, record) for num, record in _live(tx, last.values()) if _key(record) in last]
    newest = {_key(record): (num, record) for num, record in sorted(live, key=lambda each: each[1].row.updated_at)}
    entries = outbox.entries(tx.db, TABLE, [num for num, _ in newest.values()])
    for key, (num, record) in newest.items():
        there, entry = last[key], entries.get(num)
        if record.row.updated_at > there.row.updated_at and (entry is None or entry.is_sent):
            changed = {name for name in _VALUES if getattr(record.row, name) != getattr(there.row, name)}
            queue.changed(tx, TABLE, [num], changed, cloud_forms.marks(TABLE, there, changed, tx.zone))


def _carry(tx: Transaction, record_id: str, twin: Record, entry: Entry) -> None:
    """Put into the shown row what was entered under another id and has not been sent, if it is newer."""
    kept = record_rows.find(tx.db, TABLE, [record_id])[record_id]
    version = record_rows.version(TABLE, kept)
    if kept.deleted is not None or twin.row.updated_at <= version.record.row.updated_at:
        return
    values = {name: getattr(twin.row, name) for name in _VALUES if entry.holds(name)}
    changed = {name: value for name, value in values.items() if getattr(version.record.row, name) != value}
    if not changed:
        return
    record = codec.replaced(TABLE, version.record, {**changed, "updated_at": twin.row.updated_at})
    stamp = Stamp(twin.row.updated_at, tx.now_ms, record_rows.HUB)
    history = History(
        version.history.base, {**version.history.columns, **dict.fromkeys(changed, stamp)}, version.history.pushed
    )
    record_rows.change(tx, TABLE, kept, record, device=record_rows.HUB, history=history)
    marks = cloud_forms.marks(TABLE, version.record, changed, tx.zone)
    queue.changed(tx, TABLE, [kept.num], changed, marks, old_ms=version.record.row.updated_at)


def _others(tx: Transaction, shown: Sequence[Record]) -> list[tuple[int, Record]]:
    """Return the live attributes of these patients that are not among ``shown``."""
    return list(_live(tx, shown, but=frozenset(record.id.lower() for record in shown)))


def _live(tx: Transaction, of: Iterable[Record], *, but: Container[str] = ()) -> Iterable[tuple[int, Record]]:
    """Return the live attributes of the patients of these, without those ids."""
    patients = sorted({record.row.patient_id for record in of})
    live = record_rows.live_children(tx.db, TABLE, Cascade.PATIENT, patients)
    wanted = [num for num, record_id in live if record_id.lower() not in but]
    return record_rows.by_num(tx.db, TABLE, wanted).items()


def _key(record: Record) -> tuple[str, str]:
    return record.row.patient_id.lower(), record.row.attribute_id
