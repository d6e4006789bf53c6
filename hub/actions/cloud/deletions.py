"""Follows the cloud's deletions: those that it announces, and those that only a full pull shows (CLOUD.md 2.1, 4.6)."""

from collections.abc import Sequence
from functools import partial

from hub.actions.cloud import queue
from hub.core.cloud import going_along
from hub.core.cloud.pull_tally import PullTally
from hub.core.records import cascade
from hub.core.records.table import Table
from hub.core.records.tables import DELETES_WITH
from hub.store.cloud import deleted_there, id_mapping, outbox, went_along
from hub.store.database import Store, Transaction
from hub.store.records import record_rows


def delete(store: Store, table: Table, ids: Sequence[str], tally: PullTally, *, full: bool) -> bool:
    """Delete what the cloud deleted, and what goes with it: that the cloud tells nobody (CLOUD.md 4.6).

    Whether it deleted the children, or had moved them before, and perhaps told nobody, only a full pull can say. So
    without one (``full``) a parent stays that has children there.

    The same holds for what was deleted here as well, and took along what the cloud is yet to be told to delete.

    Returns whether a full pull must say so.
    """
    with store.write(durable=False) as tx:
        kept = record_rows.find(tx.db, table, ids)
        live = {record_id: row for record_id, row in kept.items() if row.deleted is None}
        gone = [row.num for row in kept.values() if row.deleted is not None]
        stays = not full and _takes_along_unsent(tx, table, gone)
        tally.seen += outbox.remove(tx, table, gone)
        for record_id, row in live.items():
            children = cascade.plan(table, record_id, partial(record_rows.live_children, tx.db))
            if not full and any(_has_reached(tx, child, nums) for child, nums in children):
                stays = True
                continue
            _delete(tx, table, [row.num], None, tally)
            for child, nums in children:
                _delete(tx, child, nums, table, tally)
    return stays


def _takes_along_unsent(tx: Transaction, table: Table, nums: Sequence[int]) -> bool:
    """Whether the end of any of these has yet to be sent, with that of what went along."""
    if table.name not in DELETES_WITH:
        return False
    return any(not entry.is_sent for entry in outbox.entries(tx.db, table, nums).values())


def _has_reached(tx: Transaction, table: Table, nums: Sequence[int]) -> bool:
    """Whether the cloud may have any of these records."""
    entries = outbox.entries(tx.db, table, nums)
    return any(num not in entries or entries[num].reached for num in nums)


def sweep(store: Store, table: Table, named: set[str], tally: PullTally) -> None:
    """Delete rows that a complete pull does not name any more: the cloud announces no such deletions (CLOUD.md 2.1).

    Rows that were made on this hub stay.
    """
    with store.write(durable=False) as tx:
        stay = named | id_mapping.made_here(tx.db, table)
        gone = [num for num, record_id in record_rows.live(tx.db, table) if record_id not in stay]
        record_rows.delete(tx, table, gone)
    tally.deleted += len(gone)


def _delete(tx: Transaction, table: Table, nums: list[int], parent: Table | None, tally: PullTally) -> None:
    """Delete records here, and nowhere else; what was not sent of them is kept where people find it."""
    entries = outbox.entries(tx.db, table, nums)
    unsent = [num for num, entry in entries.items() if going_along.is_for_people(table, entry)]
    for record in record_rows.by_num(tx.db, table, unsent).values():
        queue.keep_for_review(tx, table, record, going_along.why_deleted(table, parent))
    if parent is None:
        deleted_there.note(tx, table, nums)
    else:
        went_along.note(tx, table, {num: entries.get(num) for num in nums}, by_cloud=True)
    outbox.remove(tx, table, nums)
    record_rows.delete(tx, table, nums)
    tally.deleted += len(nums)
