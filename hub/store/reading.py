"""Reads live records for online mode: one by id, or those that share an indexed column."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlite_utils import Database

from hub.core import records
from hub.core.records import Record
from hub.core.tables import Table

View = Database
"""One unchanging view of everything committed, as ``Store.read`` and ``Transaction.db`` give it."""

SCANNED = 20_000
"""How many records are looked through, at most, for those that fit; whoever means older ones narrows the time."""

ROWS = 2000
"""How many records one answer may hold: more than any patient or clinic has of a kind."""


def find(db: Database, table: Table, record_id: str) -> Record | None:
    """Give a live record by its id."""
    row = db.execute(
        f"SELECT data, cut FROM [{table.name}] WHERE id = ? AND local_server_deleted_at IS NULL", [record_id]
    ).fetchone()
    return records.stored(table, *row) if row else None


def known(db: Database, table: Table, record_id: str) -> bool:
    """Tell whether the hub has or had a record of this id."""
    return db.execute(f"SELECT 1 FROM [{table.name}] WHERE id = ?", [record_id]).fetchone() is not None


def where(db: Database, table: Table, columns: Mapping[str, Any]) -> list[Record]:
    """Give the live records in which ``columns``, each with an index, have these values; newest first."""
    return [
        records.stored(table, *row)
        for row in db.execute(
            f"SELECT data, cut FROM [{table.name}] WHERE {' AND '.join(f'[{name}] = ?' for name in columns)}"
            " AND local_server_deleted_at IS NULL ORDER BY made_ms DESC, num DESC LIMIT ?",
            [*columns.values(), ROWS],
        )
    ]


def every(db: Database, table: Table) -> list[Record]:
    """Give all live records of a small table, in the order in which they came."""
    rows = db.execute(
        f"SELECT data, cut FROM [{table.name}] WHERE local_server_deleted_at IS NULL ORDER BY num LIMIT ?", [ROWS]
    )
    return [records.stored(table, *row) for row in rows]


def between(db: Database, table: Table, column: str, start: float, end: float) -> Iterator[Record]:
    """Give the live records whose ``column``, an indexed moment, lies in [start, end]; latest first."""
    rows = db.execute(
        f"SELECT data, cut FROM [{table.name}] WHERE [{column}] BETWEEN ? AND ?"
        f" AND local_server_deleted_at IS NULL ORDER BY [{column}] DESC, num DESC LIMIT ?",
        [start, end, SCANNED],
    )
    for row in rows:
        yield records.stored(table, *row)
