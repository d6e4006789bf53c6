"""Follows the cloud's deletions: those that it announces, and those that only a full pull shows (CLOUD.md 2.1, 4.6)."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

from hub.actions.cloud import queue
from hub.core.cloud import going_along
from hub.core.cloud.outbox import Entry
from hub.core.cloud.pull_tally import PullTally
from hub.core.errors import Unavailable
from hub.core.records import cascade
from hub.core.records.codec import Record
from hub.core.records.table import Table
from hub.core.records.tables import DELETES_WITH
from hub.store.cloud import deleted_there, id_mapping, outbox, went_along
from hub.store.database import Store, Transaction
from hub.store.records import record_rows


def delete(store: Store, table: Table, ids: Sequence[str], tally: PullTally, *, full: bool) -> bool:
    """Delete what the cloud deleted, and what goes with it: that the cloud tells nobody (CLOUD.md 4.6).

    Whether it deleted the children, or had moved them before, and perhaps told nobody, only a full pull can say. So
    without one (``full``) a parent stays that has children there.

    The same holds for what was deleted here as well, and took along what the cloud is yet to be told to delete. And
    what was entered here and not sent must be kept for people: until there is room for that, all of it stays, on hold.

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
            family = [_Gone(table, [row.num]), *(_Gone(child, nums, table) for child, nums in children)]
            if _delete(tx, family):
                tally.deleted += sum(len(gone.nums) for gone in family)
            else:
                stays = True
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


class _Gone(NamedTuple):
    """Records that the cloud deleted, with their parent of that table; None for the parent itself."""

    table: Table
    nums: Sequence[int]
    parent: Table | None = None


def _delete(tx: Transaction, family: Iterable[_Gone]) -> bool:
    """Delete records here, and nowhere else; what was not sent of them is kept where people find it.

    Returns whether there was room for that; without it they stay.
    """
    with tx.attempt() as undo:
        try:
            for gone in family:
                _keep_unsent(tx, gone)
                _remove(tx, gone)
        except Unavailable:
            undo()
            for gone in family:
                _hold_unsent(tx, gone)
            return False
    return True


def _keep_unsent(tx: Transaction, gone: _Gone) -> None:
    for _, record, _ in _unsent(tx, gone):
        queue.keep_for_review(tx, gone.table, record, going_along.why_deleted(gone.table, gone.parent))


def _hold_unsent(tx: Transaction, gone: _Gone) -> None:
    for num, record, entry in _unsent(tx, gone):
        reason = going_along.why_deleted(gone.table, gone.parent)
        queue.hold(tx, gone.table, num, record, reason, revision=entry.revision)


def _unsent(tx: Transaction, gone: _Gone) -> Iterator[tuple[int, Record, Entry]]:
    entries = outbox.entries(tx.db, gone.table, gone.nums)
    unsent = [num for num, entry in entries.items() if going_along.is_for_people(gone.table, entry)]
    for num, record in record_rows.by_num(tx.db, gone.table, unsent).items():
        yield num, record, entries[num]


def _remove(tx: Transaction, gone: _Gone) -> None:
    if gone.parent is None:
        deleted_there.note(tx, gone.table, gone.nums)
    else:
        entries = outbox.entries(tx.db, gone.table, gone.nums)
        went_along.note(tx, gone.table, {num: entries.get(num) for num in gone.nums}, by_cloud=True)
    outbox.remove(tx, gone.table, gone.nums)
    record_rows.delete(tx, gone.table, gone.nums)
