"""Reads live records for online mode: one by id, or those that share an indexed column."""

from collections.abc import Iterator, Mapping
from typing import Any

from hub.core.records import codec
from hub.core.records.codec import Record
from hub.core.records.table import Table
from hub.store.database import View

SCANNED = 20_000
"""How many records are looked through, at most, for those that fit; whoever means older ones narrows the time."""

ROWS = 2000
"""How many records one answer may hold: more than any patient or clinic has of a kind."""


def find(db: View, table: Table, record_id: str) -> Record | None:
    """Return a live record by its id."""
    row = db.execute(
        f"SELECT data, cut FROM [{table.name}] WHERE id = ? AND local_server_deleted_at IS NULL", [record_id]
    ).fetchone()
    return codec.stored(table, *row) if row else None


def known(db: View, table: Table, record_id: str) -> bool:
    """Whether the hub has or had a record of this id."""
    return db.execute(f"SELECT 1 FROM [{table.name}] WHERE id = ?", [record_id]).fetchone() is not None


def where(db: View, table: Table, columns: Mapping[str, Any]) -> list[Record]:
    """Return the live records in which ``columns``, each with an index, have these values; newest first."""
    return [
        codec.stored(table, *row)
        for row in db.execute(
            f"SELECT data, cut FROM [{table.name}] WHERE {' AND '.join(f'[{name}] = ?' for name in columns)}"
            " AND local_server_deleted_at IS NULL ORDER BY made_ms DESC, num DESC LIMIT ?",
            [*columns.values(), ROWS],
        )
    ]


def every(db: View, table: Table) -> list[Record]:
    """Return all live records of a small table, in the order in which they came."""
    rows = db.execute(
        f"SELECT data, cut FROM [{table.name}] WHERE local_server_deleted_at IS NULL ORDER BY num LIMIT ?", [ROWS]
    )
    return [codec.stored(table, *row) for row in rows]


def between(db: View, table: Table, column: str, start: float, end: float) -> Iterator[Record]:
    """Return the live records whose ``column``, an indexed moment, lies in [start, end]; latest first."""
    rows = db.execute(
        f"SELECT data, cut FROM [{table.name}] WHERE [{column}] BETWEEN ? AND ?"
        f" AND local_server_deleted_at IS NULL ORDER BY [{column}] DESC, num DESC LIMIT ?",
        [start, end, SCANNED],
    )
    for row in rows:
        yield codec.stored(table, *row)
