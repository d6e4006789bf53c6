"""Keeps within one transaction what is entered for a record after it was deleted, so that it is not lost (P4, R9).

The record stays deleted. An edit of one that only went along with its parent is kept with it: the cloud may have moved
it before. What is entered for what the cloud deleted, which nobody here could know, is shown to people.
"""

from collections.abc import Iterable, Mapping, Sequence

from hub.actions.cloud import queue
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud import outbox as outbox_states
from hub.core.reasons import Code
from hub.core.records.codec import Record
from hub.core.records.merge import HUB
from hub.core.records.push_decision import Merge, Tombstone
from hub.core.records.table import PushRule, Table
from hub.core.records.tables import TABLES
from hub.store.cloud import deleted_there, seen, went_along
from hub.store.database import Transaction
from hub.store.records import record_rows
from hub.store.records.record_rows import Kept


def tombstone(tx: Transaction, table: Table, row: Kept) -> Tombstone:
    """Read a deleted row as what a push is decided about."""
    along = went_along.find(tx.db, table, [row.num])
    return Tombstone(record_rows.version(table, row) if along else None)


def keep_edit(tx: Transaction, table: Table, row: Kept, edit: Merge) -> None:
    """Keep an edit of a record that went along, and that it waits should the record come back."""
    record_rows.change(tx, table, row, edit.record, device=HUB, history=edit.history)
    seen.keep(tx, table, [row.num], edit.old.row.updated_at)
    knowing = cloud_forms.marks(table, edit.old, edit.changed, tx.zone)
    waited = went_along.waited(tx.db, table, [row.num]).get(row.num)
    went_along.wait(tx, table, row.num, outbox_states.changed(waited, tx.now_ms, edit.changed, knowing))
    show_edit(tx, table, edit.record)


def show_edit(tx: Transaction, table: Table, record: Record) -> None:
    """Show people an edit of a record that the cloud deleted."""
    if table.push is PushRule.RECORD and deleted_there.find(tx.db, table, [record.id]):
        queue.keep_for_review(tx, table, record, Code.DELETED_IN_CLOUD.of(table=table.name))


def show_new(tx: Transaction, table: Table, records: Sequence[Record]) -> None:
    """Show people the new records of what the cloud deleted."""
    if table.push is not PushRule.RECORD:
        return

    for parent, found in _parents(table, records).items():
        gone = deleted_there.find(tx.db, TABLES[parent], found)
        for parent_id in sorted(gone):
            for record in found[parent_id]:
                reason = Code.PARENT_DELETED_IN_CLOUD.of(table=table.name, parent=parent)
                queue.keep_for_review(tx, table, record, reason)


def _parents(table: Table, records: Iterable[Record]) -> Mapping[str, dict[str, list[Record]]]:
    """Return what records go with: table -> id -> those records."""
    found: dict[str, dict[str, list[Record]]] = {}
    for record in records:
        for column, parent in table.ends_with:
            parent_id = record.text(column)
            if parent_id:
                found.setdefault(parent, {}).setdefault(parent_id, []).append(record)
    return found
