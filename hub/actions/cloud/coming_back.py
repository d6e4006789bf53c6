"""Brings back what went along with a deleted patient or visit, where the cloud shows that it stands elsewhere (R9)."""

from collections.abc import Mapping

from hub.actions.cloud import queue
from hub.actions.records import counting
from hub.core.cloud import going_along
from hub.core.cloud.forms import Row
from hub.core.records.counters import ITEMS
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store import quarantine
from hub.store.cloud import outbox, went_along
from hub.store.database import Transaction
from hub.store.quarantine import Action
from hub.store.records import record_rows
from hub.store.records.record_rows import Kept


def bring_back(tx: Transaction, table: Table, deleted: Mapping[str, Kept], rows: Mapping[str, Row]) -> list[str]:
    """Let those of these tombstones live again that only went along; of the others send the end again.

    deleted, rows: what the hub and the cloud have, by id. Returns the ids of those that live.
    """
    along = went_along.find(tx.db, table, [row.num for row in deleted.values()])
    back = _standing(tx, table, {key: rows[key] for key, row in deleted.items() if row.num in along})
    _revive(tx, table, {deleted[key].num: rows[key].record.id for key in back})
    ended = [row.num for key, row in deleted.items() if key not in back and not along.get(row.num)]
    _delete_again(tx, table, ended)
    return back


def _standing(tx: Transaction, table: Table, rows: Mapping[str, Row]) -> list[str]:
    """Return which of these rows, whose patients are here, name no visit that is deleted here."""
    named = {key: {row.record.text(column) or "" for column in table.visits} for key, row in rows.items()}
    visits = record_rows.parents(tx.db, TABLES["visits"], set().union(*named.values()))
    gone = {visit for visit, parent in visits.items() if parent.is_deleted}
    return [key for key, names in named.items() if names.isdisjoint(gone)]


def _revive(tx: Transaction, table: Table, back: Mapping[int, str]) -> None:
    """Let records live again, by number and id, and wait for what they waited for."""
    waited = went_along.waited(tx.db, table, back)
    record_rows.bring_back(tx, table, back)
    went_along.forget(tx, table, back)
    outbox.remove(tx, table, back)
    outbox.put(tx, table, {num: going_along.brought_back(entry) for num, entry in waited.items()})
    for record_id in back.values():
        quarantine.forget(tx, Action.RELAY, table.name, record_id)
    if table.name == ITEMS:
        counting.recount_items(tx, list(back.values()))


def _delete_again(tx: Transaction, table: Table, nums: list[int]) -> None:
    """Send the end of what somebody deleted here: deleted stays deleted (P4)."""
    entries = outbox.entries(tx.db, table, nums)
    queue.changed(tx, table, [num for num in nums if num not in entries or entries[num].is_sent])
