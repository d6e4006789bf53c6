"""Deletes records within one transaction, with what goes with them, here and in the cloud (P4)."""

from functools import partial

from hub.actions.cloud import queue
from hub.actions.records import counting
from hub.core.records import cascade
from hub.core.records.counters import RECORDS
from hub.core.records.table import Table
from hub.store.cloud import outbox, went_along
from hub.store.database import Transaction
from hub.store.records import record_rows


def by_name(tx: Transaction, table: Table, num: int, record_id: str, *, device: int) -> int:
    """Delete a record that somebody names; returns how many went with it, itself among them."""
    went_along.forget(tx, table, [num])
    return _delete(tx, table, [num], device) + children(tx, table, record_id, device=device)


def children(tx: Transaction, table: Table, record_id: str, *, device: int) -> int:
    """Delete what goes with a deleted record; returns how many these are."""
    deleted = 0
    for child, nums in cascade.plan(table, record_id, partial(record_rows.live_children, tx.db)):
        waited = outbox.entries(tx.db, child, nums)
        went_along.note(tx, child, {num: waited.get(num) for num in nums}, by_cloud=False)
        deleted += _delete(tx, child, nums, device)
    return deleted


def _delete(tx: Transaction, table: Table, nums: list[int], device: int) -> int:
    if table.name == RECORDS:
        counting.take_back(tx, nums, device=device)
    record_rows.delete(tx, table, nums)
    queue.changed(tx, table, nums)
    return len(nums)
