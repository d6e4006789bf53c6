"""Finds what the records of the outbox name, and whom the cloud knows: other records, people."""

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database

from hub.core.cloud.outbox import Key, OutboxRecord
from hub.core.cloud.tables import USERS
from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox


def unknown(db: Database, named: Iterable[Key]) -> set[Key]:
    """Return which of these records and people the hub does not have; of what it may never have, batches, none."""
    by_table: dict[str, set[str]] = {}
    for table, record_id in named:
        by_table.setdefault(table, set()).add(record_id)
    found = set()
    for table, ids in by_table.items():
        if table == USERS or (table in TABLES and not TABLES[table].is_next):
            rows = db.execute(
                f"SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM [{table}])",
                [msgspec.json.encode(sorted(ids)).decode()],
            )
            found |= {(table, row[0]) for row in rows}
    return found


def patient_in_cloud(db: Database, clinics: Iterable[str]) -> OutboxRecord | None:
    """Return a patient of these clinics whom the cloud has, as far as the hub knows; None if there is none."""
    row = db.execute(
        "SELECT num, data, cut FROM patients WHERE primary_clinic_id IN (SELECT value FROM json_each(?))"
        " AND local_server_deleted_at IS NULL AND num NOT IN (SELECT num FROM outbox WHERE table_name = 'patients')"
        " LIMIT 1",
        [msgspec.json.encode(sorted(clinics)).decode()],
    ).fetchone()
    table = TABLES["patients"]
    return OutboxRecord(table, row[0], outbox.NEVER, codec.stored(table, row[1], row[2])) if row else None
