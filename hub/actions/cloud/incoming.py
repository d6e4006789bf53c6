"""Merges the rows that the cloud sends, and sees what was sent arrive (R3, R4, R7, R8).

Every call may be repeated: a pull that was cut off starts over. None waits for the disk: the cursor that is written
after a whole pull takes what was merged before it to the disk along.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from hub.actions.cloud import coming_back, going_with, merge_attributes, queue, unreadable
from hub.actions.records import counting
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud import merge as cloud_merge
from hub.core.cloud.forms import Row
from hub.core.cloud.outbox import GIVE_UP, Entry
from hub.core.cloud.pull_tally import PullTally
from hub.core.cloud.shown import Shown
from hub.core.errors import BadRecord
from hub.core.reasons import Code, Reason
from hub.core.records import codec
from hub.core.records.codec import Record
from hub.core.records.counters import RECORDS, STOCK
from hub.core.records.merge import Version
from hub.core.records.push_decision import Add
from hub.core.records.table import Cascade, PushRule, Table
from hub.core.records.tables import TABLES
from hub.store import quarantine
from hub.store.cloud import id_mapping, lost, outbox, seen
from hub.store.database import Store, Transaction
from hub.store.quarantine import Action
from hub.store.records import owners, record_rows
from hub.store.records.record_rows import HUB, Kept

ROWS_MAX = record_rows.CHUNK
"""How many rows one transaction takes."""


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


def count_stock(store: Store, figures: Sequence[Record], tally: PullTally) -> None:
    """Take the cloud's figures of stock, when all that a pull brings is there."""
    if figures:
        with store.write(durable=False) as tx:
            tally.updated += counting.recount_stock(tx, figures)


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
        self._tally.deleted += going_with.end(self._tx, self._table, [row.record for row in rows.values()])
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
        """Leave out what is deleted here, but for what comes back."""
        deleted = {key: row for key, row in kept.items() if row.deleted is not None}
        if not deleted:
            return kept
        back = coming_back.bring_back(self._tx, self._table, deleted, rows)
        self._tally.unchanged += len(deleted) - len(back)
        live = {key: row for key, row in kept.items() if row.deleted is None}
        return live | self._find({key: rows[key] for key in back})

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
        """Leave out the records of patients whom this hub does not have, or has no more.

        What outlives its patient, and is here, is not left out: it would never be proven.
        """
        patient = self._table.patient
        if patient is None or not rows:
            return rows
        asked = {row.record.text(patient) for row in rows.values()}
        known = record_rows.live_ids(self._tx.db, TABLES["patients"], filter(None, asked))
        own = {key: row for key, row in rows.items() if row.record.text(patient) in known}
        if Cascade.PATIENT not in self._table.goes_with:
            here = record_rows.live_ids(self._tx.db, self._table, rows.keys() - own.keys())
            own |= {key: rows[key] for key in here}
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
            ended=self._ended(version.record, row.record) if entry else (),
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
        if counting.send_larger_sum(self._tx, self._table, kept, version.record, figures.record):
            self._seen[kept.num] = theirs_ms

    def _ended(self, ours: Record, theirs: Record) -> list[str]:
        """Return the columns in which ours names a patient or visit that is deleted here, and theirs another one."""
        names: dict[str, str] = dict.fromkeys(self._table.visits, "visits")
        if self._table.patient:
            names[self._table.patient] = "patients"
        differ = {column: ours.text(column) for column in names if ours.text(column) != theirs.text(column)}
        return [column for column, named in differ.items() if named and self._is_deleted(names[column], named)]

    def _is_deleted(self, name: str, record_id: str) -> bool:
        parent = record_rows.parents(self._tx.db, TABLES[name], [record_id]).get(record_id)
        return parent is not None and parent.is_deleted

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
        unreadable.show(self._tx, self._table.name, raw, reason)
        self._tally.refused += 1
