"""Counts within one transaction what dispensing records hand out: on the prescription's item, and in stock."""

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from hub.actions.cloud import queue
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.forms import Row
from hub.core.records import codec, counters, merge
from hub.core.records.codec import Pushed, Record
from hub.core.records.counters import AVAILABLE, DISPENSED, ITEMS, RECORDS, STOCK
from hub.core.records.merge import HUB, History, Knowledge, Stamp
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox
from hub.store.database import Transaction
from hub.store.phones import ledger, twins
from hub.store.records import counters as rows
from hub.store.records import record_rows
from hub.store.records.record_rows import Kept

_ITEMS, _STOCK, _RECORDS = TABLES[ITEMS], TABLES[STOCK], TABLES[RECORDS]


def hand_out(tx: Transaction, record: Record, *, device: int, times: int = 1) -> None:
    """Count what a record hands out; times: -1 to take it back."""
    step = times * counters.quantity(record)
    item, batch = rows.item(tx.db, record), rows.stock(tx.db, record)
    if item:
        take_step(tx, _ITEMS, item, DISPENSED, step, device=device)
    if batch:
        take_step(tx, _STOCK, batch, AVAILABLE, -step, device=device)


def hand_out_otherwise(tx: Transaction, num: int, old: Record, new: Record, *, device: int) -> None:
    """Count a record that was changed; the cloud changes nothing in stock then (CLOUD.md 4.8)."""
    if (counters.quantity(old), counters.batch(old), old.text("prescription_item_id")) == (
        counters.quantity(new),
        counters.batch(new),
        new.text("prescription_item_id"),
    ):
        return
    _take_back(tx, num, old, device=device)
    item, batch = rows.item(tx.db, new), rows.stock(tx.db, new)
    if item:
        take_step(tx, _ITEMS, item, DISPENSED, counters.quantity(new), device=device)
    if batch and not _is_in_cloud(tx, num):
        take_step(tx, _STOCK, batch, AVAILABLE, -counters.quantity(new), device=device)


def take_back(tx: Transaction, nums: Iterable[int], *, device: int) -> None:
    """Count no more what records hand out that are about to be deleted."""
    for num, record in record_rows.by_num(tx.db, _RECORDS, nums).items():
        _take_back(tx, num, record, device=device)


def shares_id(tx: Transaction, phone: int, device: int, cursor: float, again: Mapping[str, int]) -> bool:
    """Return whether several phones hand out under the id of one; what shows it here is noted for ever.

    A phone that was not told of its last push repeats it whole: what is missing then another one handed out, and so it
    is with what it brings as new and another one brought first.

    device: the number under which it pushes; cursor: the answer on which that follows; again: the ids of dispensing
    records that it brings and that are here already, with the device that was first.
    """
    if twins.is_shared(tx.db, phone):
        return True
    told = ledger.next_answer(tx.db, device, cursor)
    lacks = told is not None and not rows.brought_since(tx, device, told) <= again.keys()
    repeats = any(first not in {device, HUB} for first in again.values())
    is_shared = lacks or repeats or twins.in_use(tx.db, phone, tx.now_ms) > 1
    if is_shared:
        twins.note_shared(tx, phone)
    return is_shared


def take_pushed(
    tx: Transaction, table: Table, pushed: Pushed, *, device: int, known: Knowledge | None, is_shared: bool
) -> None:
    """Take what a push says of the counters of a record, if that is live; known: None where it is new."""
    if not record_rows.live_ids(tx.db, table, [pushed.record.id]):
        return
    if known is None:
        take_first_figures(tx, table, pushed.record, device=device)
    else:
        columns = [name for name in counters.figures(table.name, pushed) if not (is_shared and name == AVAILABLE)]
        take_figures(tx, table, pushed.record, columns, device=device, known=known)
    if device != HUB:
        settle(tx, table, pushed, device)


def take_figures(
    tx: Transaction, table: Table, pushed: Record, columns: Iterable[str], *, device: int, known: Knowledge
) -> None:
    """Take of a phone's figures what its records do not say."""
    for column in columns:
        kept = record_rows.find(tx.db, table, [pushed.id])[pushed.id]
        now = record_rows.version(table, kept).record
        steps = rows.steps(tx.db, table, kept.num, column)
        last = rows.last_figure(tx.db, table, kept.num, column, device)
        if last and last.revision <= known.emptied:
            last = None
        before = counters.had_last(now.get(column), steps, device=device, known=known.has, said=last)
        rows.say(tx, table, kept.num, column, device, pushed.get(column))
        if before is None or (column == DISPENSED and rows.of_item(tx.db, now)):
            continue
        step = counters.beside_records(pushed.get(column), before, steps, device)
        if step and table is _STOCK:
            rows.enter(tx, kept.num, column, step)
        take_step(tx, table, kept, column, step, device=device)


def take_first_figures(tx: Transaction, table: Table, pushed: Record, *, device: int) -> None:
    """Settle the figures of a new item or batch: they hold what the records that came with it hand out."""
    kept = record_rows.find(tx.db, table, [pushed.id])[pushed.id]
    for column in counters.COUNTERS[table.name]:
        rows.say(tx, table, kept.num, column, device, pushed.get(column))
    if table is _ITEMS:
        everyones = rows.of_item(tx.db, pushed)
        own = rows.of_item(tx.db, pushed, device=device)
        right = sum(map(counters.quantity, everyones)) + counters.made_with(pushed.row.quantity_dispensed, own)
        now = record_rows.version(table, kept).record.row.quantity_dispensed
        take_step(tx, table, kept, DISPENSED, right - now, device=device)
    else:
        steps = rows.steps(tx.db, table, kept.num, AVAILABLE)
        own_steps = sum(step.step for step in steps if step.device == device)
        take_step(tx, table, kept, AVAILABLE, -own_steps, device=device)


def settle(tx: Transaction, table: Table, pushed: Pushed, device: int) -> None:
    """Let the phone have the counters as they are now, unless it has just this."""
    kept = record_rows.find(tx.db, table, [pushed.record.id])[pushed.record.id]
    if merge.is_same(table, pushed, record_rows.version(table, kept).record):
        record_rows.held_by(tx, table, kept.num, device)
    else:
        record_rows.held_by(tx, table, kept.num, HUB)
        ledger.force(tx, device, table, kept.num)


def recount_item(tx: Transaction, record: Record) -> None:
    """Count a record that came from the cloud: what the item says may hold it already."""
    kept = rows.item(tx.db, record)
    if kept:
        _recount(tx, kept)


def recount_items(tx: Transaction, ids: Sequence[str]) -> None:
    """Count items that live again: what was handed out of them meanwhile too."""
    for kept in record_rows.find(tx.db, _ITEMS, ids).values():
        _recount(tx, kept)


def recount_stock(tx: Transaction, figures: Iterable[Record]) -> int:
    """Make the cloud's figures the hub's, with what it does not know of; returns how many batches that changed."""
    unsent = rows.unsent(tx.db)
    changed = 0
    for theirs in figures:
        kept = record_rows.find(tx.db, _STOCK, [theirs.id]).get(theirs.id)
        if kept is None or kept.deleted is not None:
            continue
        batch = counters.batch(theirs)
        ours = record_rows.version(_STOCK, kept).record
        if (theirs.row.last_counted_at or 0) > rows.counted(tx.db, kept.num):
            rows.count_in_cloud(tx, kept.num, theirs.row.last_counted_at)
        for column in sorted(counters.COUNTERS[STOCK]):
            left = unsent.get(batch, 0) if batch and column == AVAILABLE else 0
            right = counters.in_stock(theirs.get(column), rows.entered(tx.db, kept.num, column), left)
            if right != ours.get(column):
                take_step(tx, _STOCK, kept, column, right - ours.get(column), device=HUB)
                kept = record_rows.find(tx.db, _STOCK, [theirs.id])[theirs.id]
                changed += 1
    return changed


def without_figures(tx: Transaction, table: Table, ours: Record, theirs: Row) -> Row:
    """Return the cloud's row with our counters: they are counted here, but those of an item that nobody counted."""
    if table.name not in counters.COUNTERS or (table is _ITEMS and not rows.of_item(tx.db, ours)):
        return theirs
    columns = counters.COUNTERS[STOCK] if table is _STOCK else {DISPENSED}
    record = codec.replaced(table, theirs.record, {column: ours.get(column) for column in columns})
    return msgspec.structs.replace(theirs, record=record)


def send_larger_sum(tx: Transaction, table: Table, kept: Kept, ours: Record, theirs: Record) -> bool:
    """Send an item's sum again that is larger here than in the cloud; a smaller one knows fewer records."""
    is_larger = table is _ITEMS and ours.row.quantity_dispensed > theirs.row.quantity_dispensed
    if is_larger and rows.of_item(tx.db, ours):
        queue.changed(tx, table, [kept.num], [DISPENSED])
        return True
    return False


def take_step(tx: Transaction, table: Table, kept: Kept, column: str, step: float, *, device: int) -> None:
    """Let a counter go by a step; every phone will get what it then is."""
    version = record_rows.version(table, kept)
    value = _whole(version.record.get(column) + step)
    if step:
        rows.note(tx, table, kept.num, column, device=device, step=step, value=value)
        updated_at = version.record.row.updated_at + 1
        stamp = Stamp(updated_at, tx.now_ms, HUB)
        old = version.history
        history = History(old.base, {**old.columns, column: stamp}, old.pushed)
        record = codec.replaced(table, version.record, {column: value, "updated_at": updated_at})
        record_rows.change(tx, table, kept, record, device=HUB, history=history)
        knowing = cloud_forms.marks(table, version.record, [column], tx.zone)
        queue.changed(tx, table, [kept.num], [column], knowing, old_ms=version.record.row.updated_at)
    else:
        record = version.record
    rows.mark_beyond(tx, table, kept.num, is_beyond=counters.is_beyond(table.name, record))


def _recount(tx: Transaction, kept: Kept) -> None:
    item = record_rows.version(_ITEMS, kept).record
    total = sum(map(counters.quantity, rows.of_item(tx.db, item)))
    take_step(tx, _ITEMS, kept, DISPENSED, max(0, total - item.row.quantity_dispensed), device=HUB)


def _take_back(tx: Transaction, num: int, record: Record, *, device: int) -> None:
    item, batch = rows.item(tx.db, record), rows.stock(tx.db, record)
    if item:
        take_step(tx, _ITEMS, item, DISPENSED, -counters.quantity(record), device=device)
    if batch and not _is_in_cloud(tx, num):
        take_step(tx, _STOCK, batch, AVAILABLE, counters.quantity(record), device=device)


def _is_in_cloud(tx: Transaction, num: int) -> bool:
    """Whether the cloud has taken a record from its stock already, and will not give it back (CLOUD.md 4.8)."""
    entry = outbox.entries(tx.db, _RECORDS, [num]).get(num)
    return entry is None or entry.reached


def _whole(value: float) -> float:
    return int(value) if value == int(value) else value
