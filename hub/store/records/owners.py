"""Reads whose a record is, as the rule of who may see it asks (hub.core.records.access.sees)."""

from typing import NamedTuple

from sqlite_utils import Database

from hub.core.records.access import Owner
from hub.core.records.table import SeenBy, Table


class Owned(NamedTuple):
    """Whose a record is; ``is_stray`` while the hub does not have its patient."""

    owner: Owner
    is_stray: bool


def columns(table: Table) -> str:
    """Write the two columns of an Owner, of a record ``t`` and its ``patient`` (see ``join``)."""
    match table.seen_by:
        case SeenBy.EVERYONE:
            return "NULL, NULL"
        case SeenBy.HOLDER:
            return "NULL, t.user_id"
        case SeenBy.STAFF:
            return "t.clinic_id, t.author"
        case SeenBy.CARERS if table.patient:
            return "patient.primary_clinic_id, CASE WHEN patient.num IS NULL THEN t.author ELSE patient.author END"
        case SeenBy.CARERS:
            return "t.primary_clinic_id, t.author"


def join(table: Table) -> str:
    """Write what joins a record ``t`` to its ``patient``, if it has one."""
    return "LEFT JOIN patients AS patient ON patient.id = t.patient_id" if table.patient else ""


def find(db: Database, table: Table, record_id: str) -> Owned:
    """Return whose a record is; nobody's where there is none."""
    stray = "patient.num IS NULL" if table.patient else "0"
    row = db.execute(
        f"SELECT {columns(table)}, {stray} FROM [{table.name}] AS t {join(table)} WHERE t.id = ?", [record_id]
    ).fetchone()
    return Owned(Owner(row[0], row[1]), bool(row[2])) if row else Owned(Owner(), is_stray=True)
