"""Takes in what the cloud sends: merges rows, follows deletions, and sees what was sent arrive (R3, R4, R7, R8).

Every call may be repeated: a pull that was cut off starts over. None waits for the disk: the cursor that is written
after a whole pull takes what was merged before it to the disk along.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property, partial
from typing import Any

import msgspec

from hub.actions.cloud import merge_attributes, queue
from hub.actions.records import counting
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud import going_along
from hub.core.cloud import merge as cloud_merge
from hub.core.cloud.forms import Row
from hub.core.cloud.outbox import GIVE_UP, Entry
from hub.core.cloud.shown import Shown
from hub.core.errors import BadRecord
from hub.core.reasons import Code, Reason
from hub.core.records import cascade, codec
from hub.core.records.codec import Record
from hub.core.records.counters import ITEMS, RECORDS, STOCK
from hub.core.records.merge import Version
from hub.core.records.push_decision import Add
from hub.core.records.table import PushRule, Table
from hub.core.records.tables import DELETES_WITH, TABLES
from hub.store import quarantine
from hub.store.cloud import deleted_there, id_mapping, lost, outbox, seen, went_along
from hub.store.database import Store, Transaction
from hub.store.quarantine import Action
from hub.store.records import owners, record_rows
from hub.store.records.record_rows import HUB, Kept

ROWS_MAX = record_rows.CHUNK
"""How many rows one transaction takes."""
HELD_MAX = 1000
"""Rows of the cloud in quarantine: one that sends nothing else must not take the place of what phones bring."""
HELD_CHARS = 65_536


class PullTally(msgspec.Struct):
    """What became of a pull's rows."""

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    deleted: int = 0
    foreign: int = 0
    """Rows of patients that this hub does not have: not kept (R8)."""
    refused: int = 0
    seen: int = 0
    """Records that were sent, and are in the cloud."""
    lost: int = 0
    """Records that the cloud had, and does not show any more: they are sent again."""
    restored: int = 0
    """Records that the cloud had lost, and has again."""
    moved_in: int = 0
    """Patients who came to the hub's clinics: their older records have to be asked for (CLOUD.md 2.2)."""

    def __add__(self, other: "PullTally") -> "PullTally":
        """Count two pulls of one cycle together."""
        counts = {name: getattr(self, name) + getattr(other, name) for name in self.__struct_fields__}
        return PullTally(**counts)

    @property
    def changed(self) -> bool:
        """Whether it brought anything new."""
        return self != PullTally(unchanged=self.unchanged, foreign=self.foreign)


def merge(
    store: Store,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    tally: PullTally,
    *,
    updated: bool = False,
    shown: Shown | None = None,
) -> list[Record]:
    """Merge rows of one table. What is not readable goes to quarantine, the others go on (P7).

    updated: the cloud says that the hub has these already; a patient whom it has not came from another clinic.
    shown: takes which records a full pull shows.
    Returns the rows of stock, whose figures are for ``count_stock``.
    """
    before = tally.created
    with store.write(durable=False) as tx:
        taken = _Incoming(tx, table, tally, shown).merge(rows)
    if updated and table.name == "patients":
        tally.moved_in += tally.created - before
    return taken if table.name == STOCK else []


def hold(store: Store, table_name: str, rows: Sequence[tuple[str, Reason]], tally: PullTally) -> None:
    """Show in quarantine rows that are no records, each by its id and why."""
    with store.write(durable=False) as tx:
        for record_id, reason in rows:
            _hold(tx, table_name, {"id": record_id} if record_id else {}, reason)
    tally.refused += len(rows)


def _hold(tx: Transaction, table_name: str, raw: Mapping[str, Any], reason: Reason) -> None:
    """Show a row in quarantine, whole if it is small; beyond a bound it is only counted: the cloud has it still."""
    if quarantine.count_of(tx.db, Action.PULL) >= HELD_MAX or quarantine.is_full(tx, HUB):
        return
    record_id = raw.get("id")
    record_id = record_id[: codec.ID_CHARS] if isinstance(record_id, str) else None
    text = cloud_forms.plain_json(raw)
    quarantine.add(
        tx,
        table_name=table_name,
        record_id=record_id,
        action=Action.PULL,
        reason=reason,
        raw=text if len(text) <= HELD_CHARS else cloud_forms.plain_json({"id": record_id}),
        device=HUB,
        user_id="",
    )


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


def count_stock(store: Store, figures: Sequence[Record], tally: PullTally) -> None:
    """Take the cloud's figures of stock, when all that a pull brings is there."""
    if figures:
        with store.write(durable=False) as tx:
            tally.updated += counting.recount_stock(tx, figures)


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
        queue.keep_for_review(tx, table, record, _why_deleted(table, parent))
    if parent is None:
        deleted_there.note(tx, table, nums)
    else:
        went_along.note(tx, table, {num: entries.get(num) for num in nums}, by_cloud=True)
    outbox.remove(tx, table, nums)
    record_rows.delete(tx, table, nums)
    tally.deleted += len(nums)


def _why_deleted(table: Table, parent: Table | None) -> Reason:
    if parent is None:
        return Code.DELETED_IN_CLOUD.of(table=table.name)
    return Code.PARENT_DELETED_IN_CLOUD.of(table=table.name, parent=parent.name)


class _Incoming:
    """Some rows of one table on their way in."""

    def __init__(self, tx: Transaction, table: Table, tally: PullTally, shown: Shown | None) -> None:
        self._tx = tx
        self._table = table
        self._tally = tally
        self._shown = shown
        self._seen: dict[int, float | None] = {}
        self._last_seen: dict[int, float] = {}

    @cached_property
    def _names(self) -> dict[str, str]:
        """Ids made here -> ids in the cloud."""
        return id_mapping.names(self._tx.db)

    def merge(self, raws: Sequence[Mapping[str, Any]]) -> list[Record]:
        read = self._read(raws)
        rows = self._own(read)
        rows |= self._set_back({key: row for key, row in read.items() if key not in rows})
        kept = self._find(rows)
        self._note_shown([row.num for row in kept.values()], raws)
        self._add({key: row for key, row in rows.items() if key not in kept})
        if self._table.name == merge_attributes.TABLE.name:
            self._tally.seen += merge_attributes.unite(self._tx, [row.record for row in rows.values()])
        self._merge_all(kept, rows)
        return [row.record for row in rows.values()]

    def _merge_all(self, kept: dict[str, Kept], rows: Mapping[str, Row]) -> None:
        if not kept:
            return
        kept = self._without_deleted(kept, rows)
        nums = [row.num for row in kept.values()]
        entries = outbox.entries(self._tx.db, self._table, nums)
        self._last_seen = seen.find(self._tx.db, self._table, nums) if self._shown else {}
        for key, found in kept.items():
            self._merge(found, rows[key], entries.get(found.num))
        if self._table.push is PushRule.RECORD:
            self._note_seen()

    def _note_seen(self) -> None:
        """Keep when the cloud says that the records were updated, where they do not say so themselves."""
        kept = seen.find(self._tx.db, self._table, self._seen)
        now = {num: ms for num, ms in self._seen.items() if ms is not None}
        seen.put(self._tx, self._table, {num: ms for num, ms in now.items() if kept.get(num) != ms})
        seen.forget(self._tx, self._table, kept.keys() - now.keys())

    def _without_deleted(self, kept: dict[str, Kept], rows: Mapping[str, Row]) -> dict[str, Kept]:
        """Leave out what is deleted here, but for what only went along and stands elsewhere now: that comes back."""
        deleted = {key: row for key, row in kept.items() if row.deleted is not None}
        if not deleted:
            return kept
        along = went_along.find(self._tx.db, self._table, [row.num for row in deleted.values()])
        standing = self._standing({key: rows[key] for key, row in deleted.items() if row.num in along})
        self._bring_back({deleted.pop(key).num: rows[key].record.id for key in standing})
        self._delete_again([row.num for row in deleted.values() if not along.get(row.num)])
        self._tally.unchanged += len(deleted)
        live = {key: row for key, row in kept.items() if row.deleted is None}
        return live | self._find({key: rows[key] for key in standing})

    def _standing(self, rows: Mapping[str, Row]) -> list[str]:
        """Return which of these rows name no visit that is deleted here; their patients are not (``_own``)."""
        named = {key: {row.record.text(column) or "" for column in self._table.visits} for key, row in rows.items()}
        visits = record_rows.parents(self._tx.db, TABLES["visits"], set().union(*named.values()))
        gone = {visit for visit, parent in visits.items() if parent.is_deleted}
        return [key for key, names in named.items() if names.isdisjoint(gone)]

    def _bring_back(self, back: Mapping[int, str]) -> None:
        """Let records live again, by number and id, and wait for what they waited for."""
        waited = went_along.waited(self._tx.db, self._table, back)
        record_rows.bring_back(self._tx, self._table, back)
        went_along.forget(self._tx, self._table, back)
        outbox.remove(self._tx, self._table, back)
        outbox.put(self._tx, self._table, {num: going_along.brought_back(entry) for num, entry in waited.items()})
        for record_id in back.values():
            quarantine.forget(self._tx, Action.RELAY, self._table.name, record_id)
        if self._table.name == ITEMS:
            counting.recount_items(self._tx, list(back.values()))

    def _delete_again(self, nums: list[int]) -> None:
        """Send the end of what somebody deleted here: deleted stays deleted (P4)."""
        entries = outbox.entries(self._tx.db, self._table, nums)
        queue.changed(self._tx, self._table, [num for num in nums if num not in entries or entries[num].is_sent])

    def _note_shown(self, nums: list[int], raws: Sequence[Mapping[str, Any]]) -> None:
        """Keep that the cloud has these records, also what cannot be read of it."""
        back = lost.find(self._tx.db, self._table, nums)
        lost.forget(self._tx, self._table, back)
        self._tally.restored += len(back)
        if self._shown is None:
            return
        ids = [raw["id"] for raw in raws if isinstance(raw.get("id"), str)]
        self._shown.add(self._table.name, nums)
        self._shown.add(self._table.name, (row.num for row in record_rows.find(self._tx.db, self._table, ids).values()))
        if self._table.push is PushRule.RECORD:
            times = [raw.get("last_modified") for raw in raws]
            self._shown.changed_at(time for time in times if isinstance(time, str))

    def _read(self, raws: Sequence[Mapping[str, Any]]) -> dict[str, Row]:
        rows = {}
        for raw in raws:
            try:
                row = cloud_forms.read(self._table, raw, self._tx.zone)
            except BadRecord as error:
                self._refuse(raw, error.reason)
                continue
            rows[row.record.id] = row
        return rows

    def _own(self, rows: dict[str, Row]) -> dict[str, Row]:
        """Leave out the records of patients whom this hub does not have, or has no more."""
        patient = self._table.patient
        if patient is None or not rows:
            return rows
        asked = {row.record.text(patient) for row in rows.values()}
        known = record_rows.live_ids(self._tx.db, TABLES["patients"], filter(None, asked))
        own = {key: row for key, row in rows.items() if row.record.text(patient) in known}
        self._tally.foreign += len(rows) - len(own)
        return own

    def _set_back(self, foreign: Mapping[str, Row]) -> dict[str, Row]:
        """Return those that stand with a patient whom this hub has no more, and only because a backup was put back."""
        if self._shown is None or not foreign:
            return {}
        kept = {key: row for key, row in self._find(foreign).items() if row.deleted is None}
        self._last_seen = seen.find(self._tx.db, self._table, [row.num for row in kept.values()])
        versions = {key: record_rows.version(self._table, row) for key, row in kept.items()}
        back = {key for key, row in kept.items() if self._is_set_back(row, versions[key], foreign[key])}
        self._tally.foreign -= len(back)
        return {key: foreign[key] for key in back}

    def _find(self, rows: Mapping[str, Row]) -> dict[str, Kept]:
        """Find the records that the hub has, also those whose ids a phone wrote in capitals (CLOUD.md 4.2)."""
        kept = record_rows.find(self._tx.db, self._table, list(rows))
        missing = {key.upper(): key for key in rows if key not in kept}
        if missing and self._table.push is PushRule.RECORD:
            capitals = record_rows.find(self._tx.db, self._table, list(missing))
            kept.update({missing[key]: row for key, row in capitals.items()})
        return kept

    def _add(self, new: Mapping[str, Row]) -> None:
        added = []
        for row in new.values():
            try:
                data, cut = codec.write(row.record)
            except BadRecord as error:
                self._refuse({"id": row.record.id}, error.reason)
                continue
            added.append(Add(row.record, data, cut))
        if not added:
            return
        nums = record_rows.add(self._tx, self._table, added, device=HUB)
        if self._shown is not None:
            self._shown.add(self._table.name, nums)
        self._tally.created += len(added)
        for each in added if self._table.name == RECORDS else ():
            counting.recount_item(self._tx, each.record)

    def _merge(self, kept: Kept, row: Row, entry: Entry | None) -> None:
        version = record_rows.version(self._table, kept)
        set_back = self._is_set_back(kept, version, row)
        if set_back:
            columns = self._table.names | version.record.extra.keys()
            entry = (entry or Entry(self._tx.now_ms)).set_back(columns)
        figures, row = row, counting.without_figures(self._tx, self._table, version.record, row)
        merged = cloud_merge.merge(
            self._table,
            version,
            row,
            pending=entry,
            names=self._names if entry else {},
            revision=self._tx.now_ms,
            zone=self._tx.zone,
        )
        try:
            if merged.changed:
                record_rows.change(self._tx, self._table, kept, merged.record, device=HUB, history=merged.history)
                if self._table.clinic in merged.changed and merged.record.text(self._table.clinic):
                    owners.disown(self._tx, self._table, kept.num)
            elif merged.unseen:
                record_rows.annotate(self._tx, self._table, kept, merged.record)
        except BadRecord as error:  # too large to be kept: what the hub has stays
            self._refuse({"id": merged.record.id}, error.reason)
            return
        theirs_ms = row.record.row.updated_at
        waits = entry is not None and bool(merged.missing)
        self._seen[kept.num] = theirs_ms if waits or theirs_ms != merged.record.row.updated_at else None
        self._tally.updated += bool(merged.changed)
        self._tally.unchanged += not merged.changed
        if entry:
            self._settle(kept, version, merged, entry)
        if set_back and merged.missing:
            lost.note(self._tx, self._table, [kept.num])
        counting.send_larger_sum(self._tx, self._table, kept, version.record, figures.record)

    def _is_set_back(self, kept: Kept, version: Version, row: Row) -> bool:
        """Whether the cloud was put back to before it had this record as it is here; only a full pull shows that."""
        if self._shown is None or self._table.push is not PushRule.RECORD:
            return False
        seen_ms = self._last_seen.get(kept.num, version.record.row.updated_at)
        return cloud_merge.is_set_back(self._table, row, seen_ms=seen_ms, shown_until_ms=self._shown.until_ms)

    def _settle(self, kept: Kept, version: Version, merged: cloud_merge.Merged, entry: Entry) -> None:
        """Note what the row says of a record that was sent, or waits."""
        if not merged.missing:
            self._tally.seen += outbox.remove(self._tx, self._table, [kept.num])
            quarantine.forget(self._tx, Action.RELAY, self._table.name, version.record.id)
        elif entry.is_sent and entry.tries >= GIVE_UP:
            reason = Code.NOT_KEPT.of(table=self._table.name, columns=sorted(merged.missing))
            queue.hold(self._tx, self._table, kept.num, merged.record, reason, revision=entry.revision)
        else:
            differs = queue.shown_again(entry).differs(merged.missing, merged.known)
            outbox.put(self._tx, self._table, {kept.num: differs})
            if entry.is_held and not differs.is_held:
                quarantine.forget(self._tx, Action.RELAY, self._table.name, version.record.id)

    def _refuse(self, raw: Mapping[str, Any], reason: Reason) -> None:
        _hold(self._tx, self._table.name, raw, reason)
        self._tally.refused += 1
