"""Reads whose a record is, as the rule of who may see it asks (hub.core.records.access.sees)."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import msgspec
from sqlite_utils import Database

from hub.core.records.access import Owner
from hub.core.records.table import SeenBy, Table
from hub.store.database import Transaction


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
        case SeenBy.CARERS if table.patient or table.owned_by:
            return "patient.primary_clinic_id, CASE WHEN patient.num IS NULL THEN t.author ELSE patient.author END"
        case SeenBy.CARERS:
            return "t.primary_clinic_id, t.author"


def join(table: Table) -> str:
    """Write what joins a record ``t`` to its ``patient``, if it has one."""
    if table.owned_by:
        column, parent = table.owned_by
        return (
            f"LEFT JOIN [{parent}] AS parent ON parent.id = t.[{column}]"
            " LEFT JOIN patients AS patient ON patient.id = parent.patient_id"
        )
    return "LEFT JOIN patients AS patient ON patient.id = t.patient_id" if table.patient else ""


def of(db: Database, table: Table, nums: Iterable[int]) -> Iterator[tuple[int, Owner]]:
    """Return whose the live records of these numbers are."""
    wanted = msgspec.json.encode(list(nums)).decode()
    rows = db.execute(
        f"SELECT t.num, {columns(table)} FROM json_each(?) AS wanted CROSS JOIN [{table.name}] AS t"
        f" ON t.num = wanted.value {join(table)} WHERE t.local_server_deleted_at IS NULL",
        [wanted],
    )
    for num, *owner in rows:
        yield num, Owner(*owner)


def disown(tx: Transaction, table: Table, num: int) -> None:
    """Forget who entered a record: the cloud gave it a clinic, so it is that clinic's alone, known here or not."""
    if table.is_authored:
        tx.db.execute(f"UPDATE [{table.name}] SET author = NULL WHERE num = ?", [num])


def find(db: Database, table: Table, record_id: str) -> Owned:
    """Return whose a record is; nobody's where there is none."""
    stray = "patient.num IS NULL" if table.patient or table.owned_by else "0"
    row = db.execute(
        f"SELECT {columns(table)}, {stray} FROM [{table.name}] AS t {join(table)} WHERE t.id = ?", [record_id]
    ).fetchone()
    return Owned(Owner(row[0], row[1]), bool(row[2])) if row else Owned(Owner(), is_stray=True)
