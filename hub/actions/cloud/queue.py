"""Moves records into, through and out of the outbox, as parts of their caller's transaction (hub.core.cloud.outbox)."""

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from random import SystemRandom
from typing import Any

from hub.actions.records import refused
from hub.core.cloud import outbox as states
from hub.core.cloud.outbox import Entry, Key, OutboxRecord, OutboxState
from hub.core.cloud.tables import PUSHED
from hub.core.errors import Unavailable
from hub.core.reasons import Code, Reason
from hub.core.records import codec
from hub.core.records.codec import Record
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store import quarantine
from hub.store.cloud import connection, lost, outbox, seen
from hub.store.database import Transaction
from hub.store.quarantine import Action, Refused
from hub.store.records import record_rows

_JUDGED = states.REFUSALS | {Code.NOT_KEPT, Code.NOT_SHOWN, Code.CLINIC_MISSING}
"""Reasons that may have gone in the cloud without a word."""
_random = SystemRandom()


def changed(
    tx: Transaction,
    table: Table,
    nums: Iterable[int],
    columns: Iterable[str] | None = None,
    knowing: Mapping[str, int] | None = None,
    *,
    old_ms: float | None = None,
) -> None:
    """Queue changed records; see core.cloud.outbox.changed. old_ms: updated_at before the change."""
    if not outbox.travels(tx.db, table):
        return
    nums = list(nums)
    before = outbox.entries(tx.db, table, nums)
    if old_ms is not None:
        seen.keep(tx, table, [num for num in nums if num not in before or before[num].reached], old_ms)
    outbox.put(tx, table, {num: states.changed(before.get(num), tx.now_ms, columns, knowing) for num in nums})


def hold(tx: Transaction, table: Table, num: int, record: Record, reason: Reason, *, revision: int) -> None:
    """Put a record on hold and show it in quarantine, if there is room; it goes when it changes or someone says so."""
    with suppress(Unavailable):  # full: others go on, and list_held comes back to it
        keep_for_review(tx, table, record, reason)
    entry = outbox.entries(tx.db, table, [num]).get(num)
    if entry is not None:
        outbox.put(tx, table, {num: entry.refused(revision, reason)})


def list_held(tx: Transaction) -> None:
    """Show in quarantine what is on hold and had no room there."""
    with suppress(Unavailable):
        for record in list(outbox.unlisted(tx.db)):
            keep_for_review(
                tx, record.table, record.record, record.entry.reason or Code.REFUSED.of(table=record.table.name)
            )


def keep_for_review(tx: Transaction, table: Table, record: Record, reason: Reason) -> None:
    """Show in quarantine a record that does not reach the cloud; raises Unavailable when that is full."""
    quarantine.forget(tx, Action.RELAY, table.name, record.id)
    entry = Refused(
        table_name=table.name,
        record_id=record.id,
        action=Action.RELAY,
        reason=reason,
        raw=codec.write(record)[0],
        device=0,
        user_id="",
    )
    refused.keep(tx, entry)


def release(tx: Transaction, table_name: str, record_id: str) -> bool:
    """Let a record go to the cloud again; returns whether it is in the outbox at all."""
    table = TABLES[table_name]
    num, entry = outbox.find(tx.db, table_name, record_id) or (0, None)
    if entry is None:  # quarantine is the only place that still has it
        return False
    outbox.put(tx, table, {num: entry.released()})
    quarantine.forget(tx, Action.RELAY, table_name, record_id)
    return True


def release_all(tx: Transaction, most: int | None = None) -> int:
    """Let what is on hold go again; returns how many.

    most: only some, and only what the cloud itself judged: the hub's own reasons go when the record changes, and what
    the cloud keeps from this hub takes a full pull.
    """
    held = list(outbox.on_hold(tx.db))
    if most is not None:
        judged = [each for each in held if _was_judged(tx, *each[:2])]
        held = _random.sample(judged, min(most, len(judged)))
    return sum(release(tx, table.name, record_id) for table, _, record_id in held)


def send_unshown(tx: Transaction, pulls: int) -> None:
    """Send the edits once more that a full pull does not show: the cloud may have lost their records.

    Put them on hold when the next one does not show them either: the cloud has something newer, and not for us.
    """
    for record in list(outbox.unshown(tx.db, pulls)):
        table, num, entry = record.table, record.num, record.entry
        if lost.find(tx.db, table, [num]):
            lost.forget(tx, table, [num])
            hold(tx, table, num, record.record, Code.MOVED_IN_CLOUD.of(table=table.name), revision=entry.revision)
        else:
            lost.note(tx, table, [num])
            outbox.put(tx, table, {num: entry.set_back(entry.columns or ())})


def shown_again(entry: Entry) -> Entry:
    """Let an edit go that was on hold only because the cloud did not show its record."""
    return entry.released() if entry.reason is not None and entry.reason.code is Code.MOVED_IN_CLOUD else entry


def _was_judged(tx: Transaction, table: Table, num: int) -> bool:
    reason = outbox.entries(tx.db, table, [num])[num].reason
    return reason is not None and reason.code in _JUDGED


def retry(tx: Transaction, entry: Mapping[str, Any]) -> bool:
    """Let a quarantined record go to the cloud again, or ask the cloud for it again; returns whether there is a way.

    There is none for a record that was deleted in the cloud before it was sent: its entry stays.
    """
    if entry["action"] == Action.PULL:
        quarantine.remove(tx, entry["num"])
        connection.want_everything(tx)
        return True
    return release(tx, entry["table_name"], entry["record_id"])


def release_with_visit(tx: Transaction) -> None:
    """Let the events go that were on hold for a visit that has come since."""
    table = TABLES["events"]
    for record in record_rows.by_num(tx.db, table, outbox.with_visit_now(tx.db)).values():
        release(tx, table.name, record.id)


def send_overdue(tx: Transaction, pulls: int) -> int:
    """Queue again what ought to have been in the last pulls and was not; returns how many.

    What was sent again and again goes on hold, for a person. Deletes are done, and what was sent again because a full
    pull did not show it, and the cloud has elsewhere: that is asked twice, for a cloud that is put back may be so once
    more. What the cloud refused goes along that names what it has lost.
    """
    again: set[Key] = set()
    for table in PUSHED:
        late = list(outbox.late(tx.db, table, pulls))
        elsewhere = _elsewhere(tx, table, [num for num, entry, _ in late if entry.known is None and entry.tries])
        after = {num: entry.overdue(pulls, deleted=deleted or num in elsewhere) for num, entry, deleted in late}
        missed = {num for num, entry in after.items() if entry and entry.state(pulls) is OutboxState.MISSED}
        outbox.put(tx, table, {num: entry for num, entry in after.items() if num not in missed})
        _hold_missed(tx, table, missed)
        sent = [num for num, entry in after.items() if entry is not None and num not in missed]
        again.update((table.name, record.id) for record in record_rows.by_num(tx.db, table, sent).values())
    return len(again) + _release_naming(tx, again)


def _elsewhere(tx: Transaction, table: Table, nums: Collection[int]) -> set[int]:
    """Return which of these, that a full pull did not show, the cloud has in another clinic.

    What names no clinic goes with its patient: what is not shown though the patient is has ended there without a word.
    """
    found = lost.find(tx.db, table, nums)
    if table.clinic or not found:
        return found
    patients = TABLES["patients"]
    of = {num: record.text("patient_id") or "" for num, record in record_rows.by_num(tx.db, table, found).items()}
    kept = {patient: row.num for patient, row in record_rows.find(tx.db, patients, sorted(set(of.values()))).items()}
    shown = set(kept.values()) - lost.find(tx.db, patients, kept.values())
    return {num for num, patient in of.items() if kept.get(patient) not in shown}


def _release_naming(tx: Transaction, lost: set[Key]) -> int:
    """Let go what the cloud refused and names one of these, or what is let go with them; returns how many."""
    released = 0
    for table, num, record_id in list(outbox.on_hold(tx.db)) if lost else ():
        record = OutboxRecord(table, num, outbox.NEVER, record_rows.by_num(tx.db, table, [num])[num])
        if _was_judged(tx, table, num) and not lost.isdisjoint(record.names()):
            lost.add((table.name, record_id))
            released += release(tx, table.name, record_id)
    return released


def _hold_missed(tx: Transaction, table: Table, nums: Collection[int]) -> None:
    entries = outbox.entries(tx.db, table, nums)
    for num, record in record_rows.by_num(tx.db, table, nums).items():
        hold(tx, table, num, record, states.likely_missed(table, record), revision=entries[num].revision)
