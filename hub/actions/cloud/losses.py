"""Sends again what the cloud had, and a full pull does not show: it was restored, or has it elsewhere (R9)."""

from collections.abc import Collection, Mapping

from hub.actions.cloud import queue
from hub.core.cloud.pull_tally import PullTally
from hub.core.cloud.shown import Shown
from hub.core.cloud.tables import PUSHED
from hub.core.records.codec import Record
from hub.core.records.table import Table
from hub.store.cloud import connection, id_mapping, lost, outbox, seen
from hub.store.database import Store, Transaction
from hub.store.records import record_rows


def send_again(store: Store, shown: Shown, tally: PullTally) -> None:
    """Queue what is missing. It goes stamped so old that it is inserted or nothing happens (core.cloud.batches)."""
    with store.write(durable=False) as tx:
        found = connection.link(tx.db)
        if found is None:
            return
        prescriptions: set[str] = set()
        for table in [table for table in PUSHED if outbox.travels(tx.db, table)]:
            missing = _missing(tx, table, shown, frozenset(found.clinics))
            if table.name == "prescriptions":
                prescriptions = {record.id for record in missing.values()}
            if table.name == "prescription_items":
                # Items are removed for good (CLOUD.md 4.6): one that is gone by itself was deleted by someone.
                missing = {
                    num: record for num, record in missing.items() if record.text("prescription_id") in prescriptions
                }
            for num, record in missing.items():
                seen.keep(tx, table, [num], record.row.updated_at)
            queue.changed(tx, table, missing)
            lost.note(tx, table, missing)
            tally.lost += len(missing)


def _missing(tx: Transaction, table: Table, shown: Shown, clinics: Collection[str]) -> dict[int, Record]:
    names = id_mapping.names(tx.db)
    nums = list(lost.proven_but_unseen(tx.db, table, shown, shown.since_ms()))
    missing: dict[int, Record] = {}
    for start in range(0, len(nums), record_rows.CHUNK):
        records = record_rows.by_num(tx.db, table, nums[start : start + record_rows.CHUNK])
        missing |= {num: each for num, each in records.items() if _would_be_shown(table, each, clinics, names)}
    return missing


def _would_be_shown(table: Table, record: Record, clinics: Collection[str], names: Mapping[str, str]) -> bool:
    """Whether the cloud would show this hub a record that it has (CLOUD.md 2.2)."""
    if not table.clinic:
        return True
    clinic = record.text(table.clinic) or ""
    return names.get(clinic, clinic).lower() in clinics
