"""Takes records out of the outbox for a push, and keeps what became of each (R1, R2, R5)."""

from collections.abc import Iterable, Sequence
from itertools import chain

import msgspec

from hub.actions.cloud import matching, merge_attributes, queue
from hub.core.cloud import batches
from hub.core.cloud.batches import Candidates, Conditions, Decision, Drop, Hold, Item, Queued, Wait
from hub.core.cloud.outbox import Entry, Key, OutboxRecord
from hub.core.reasons import Reason
from hub.core.records.table import Table
from hub.store import quarantine
from hub.store.box import counters
from hub.store.cloud import id_mapping, named, outbox, seen
from hub.store.database import Store, View
from hub.store.quarantine import Action


class Bounds(msgspec.Struct, frozen=True):
    """Which records of the outbox are looked at, and how many at a time."""

    until: int
    """The revision up to which changes are looked at: what comes later goes in the next cycle, behind its parents."""
    only_new: bool
    """Leave edits out: they must not go without what the cloud has now (R3)."""
    most_records: int
    most_bytes: int


def begin(store: Store, clinics: frozenset[str], most_records: int) -> tuple[int, frozenset[str], Conditions]:
    """Return the newest revision in the outbox, of which tables records wait, and what holds for the whole push.

    clinics: the hub's in the cloud.
    """
    with store.read() as db:
        names = id_mapping.names(db)
        unmatched = matching.unmatched(db) if id_mapping.any_unmatched(db) else {}
        conditions = Conditions(clinics, names, unmatched, store.zone, most_records)
        return outbox.newest_revision(db), outbox.waiting_tables(db), conditions


def candidates(store: Store, table: Table, bounds: Bounds, *, after: int, deleted: bool = False) -> Candidates | None:
    """Return the next waiting records of a table behind number ``after``; None at the end."""
    with store.read() as db:
        records = outbox.waiting_records(
            db,
            table,
            after=after,
            until=bounds.until,
            deleted=deleted,
            only_new=bounds.only_new,
            most=bounds.most_records,
            most_bytes=bounds.most_bytes,
        )
        if not records or deleted:
            return Candidates(records, deleted=True) if records else None
        tombstones = _tombstones(db, batches.naming_anew(records), set())
        return Candidates(
            records,
            not_in_cloud_yet=frozenset(outbox.not_in_cloud_yet(db, batches.named([*records, *tombstones]))),
            unknown=frozenset(named.unknown(db, chain.from_iterable(map(batches.names_anew, records)))),
            tombstones=tombstones,
        )


def explain(store: Store, decisions: Iterable[Decision]) -> None:
    """Note why records wait that are looked at again in every cycle; nothing keeps those that are queued.

    What there is nothing of in the cloud to delete leaves the outbox.
    That the cloud refused one stays known until it takes it, or it changes.
    """
    reasons: dict[Table, dict[int, Reason | None]] = {}
    done: dict[Table, list[int]] = {}
    for decision in decisions:
        if isinstance(decision, Drop):
            done.setdefault(decision.of.table, []).append(decision.of.num)
            continue
        reason = decision.reason if isinstance(decision, Wait) else None
        known = isinstance(decision, Queued) and decision.of.entry.was_refused
        if not isinstance(decision, Hold) and not known and reason != decision.of.entry.reason:
            reasons.setdefault(decision.of.table, {})[decision.of.num] = reason
    if not reasons and not done:
        return
    with store.write(durable=False) as tx:
        for table, nums in done.items():
            outbox.remove(tx, table, nums)
        for table, by_num in reasons.items():
            now = outbox.entries(tx.db, table, by_num)
            outbox.put(tx, table, {num: entry.waits(by_num[num]) for num, entry in now.items()})


def confirm(store: Store, items: Sequence[Item], pulls: int) -> None:
    """Note the cloud's success for just these revisions (R1); ``pulls`` were complete by now."""
    with store.write() as tx:
        counters.add(tx, relayed=len(items))
        for table in dict.fromkeys(item.of.table for item in items):
            sent = {item.of.num: item for item in items if item.of.table is table}
            now = outbox.entries(tx.db, table, sent)
            outbox.put(tx, table, {num: _confirmed(now[num], sent[num], pulls) for num in sent if num in now})
            # The least that the cloud says of them from now on: also if it refused them for something newer.
            seen.put(tx, table, {num: item.updated_ms for num, item in sent.items() if item.body is not None})
            if table.name == merge_attributes.TABLE.name:
                merge_attributes.send_newer_again(
                    tx, [item.of.record for item in sent.values() if item.body is not None]
                )
        for item in items:
            if item.of.entry.reason:
                quarantine.forget(tx, Action.RELAY, item.of.table.name, item.of.id)


def suspect(store: Store, items: Iterable[Item]) -> None:
    """Note that the cloud refused records: they wait, and the next push asks for each by itself."""
    explain(store, [Wait(item.of, batches.refusal(item)) for item in items])


def hold(store: Store, record: OutboxRecord, reason: Reason) -> None:
    """Put on hold what the cloud would not take; quarantine shows it."""
    with store.write() as tx:
        revision = record.entry.revision
        queue.hold(tx, record.table, record.num, record.record, reason, revision=revision)


def patient_in_cloud(store: Store, clinics: Iterable[str]) -> OutboxRecord | None:
    """Return a patient of these clinics whom the cloud has, as far as the hub knows."""
    with store.read() as db:
        return named.patient_in_cloud(db, clinics)


def _confirmed(entry: Entry, item: Item, pulls: int) -> Entry | None:
    shown = item.of.is_shown(deleted=item.body is None)
    return entry.confirmed(item.of.entry.revision, pulls=pulls, shown=shown)


def _tombstones(db: View, records: Iterable[OutboxRecord], met: set[Key]) -> list[OutboxRecord]:
    """Find the deleted records that these name, each behind those that it names itself."""
    found: list[OutboxRecord] = []
    for record in outbox.tombstones(db, batches.named(records)):
        if record.key not in met:
            met.add(record.key)
            found += [*_tombstones(db, [record], met), record]
    return found
