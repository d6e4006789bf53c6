"""Finds what the records of the outbox name, and whom the cloud knows: other records, people."""

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database

from hub.core.cloud.outbox import OutboxRecord
from hub.core.cloud.tables import USERS
from hub.core.records import codec
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox


def missing(db: Database, table: Table, ids: Iterable[str]) -> set[str]:
    """Return which of these ids the hub has no record of."""
    asked = set(ids)
    rows = db.execute(
        f"SELECT id FROM [{table.name}] WHERE id IN (SELECT value FROM json_each(?))",
        [msgspec.json.encode(sorted(asked)).decode()],
    )
    return asked - {row[0] for row in rows}


def missing_tables(db: Database, named: Iterable[tuple[str, str]]) -> set[str]:
    """Return the tables in which the hub does not have what a record names."""
    found = set()
    for table_name, record_id in named:
        if table_name in TABLES and missing(db, TABLES[table_name], [record_id]):
            found.add(table_name)
        elif table_name == USERS and not db.execute("SELECT 1 FROM users WHERE id = ?", [record_id]).fetchone():
            found.add(USERS)
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
