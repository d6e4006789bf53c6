"""Writes the DDL of the cloud's tables for either database from their one declaration."""

from collections.abc import Callable, Iterator

from tests.simulator.cloud.columns import Column, Table
from tests.simulator.cloud.tables import CREATION_ORDER

_INDEXED = ("patient_id", "visit_id", "current_visit_id", "prescription_id")  # what a delete cascades along


def statements(sql_type: Callable[[Column], str]) -> Iterator[str]:
    """Yield CREATE statements in an order that foreign keys allow."""
    for table in CREATION_ORDER:
        yield _table(table, sql_type)
        for name in table.names:
            if name in _INDEXED:
                yield f'CREATE INDEX IF NOT EXISTS "{table.name}_{name}" ON "{table.name}" ("{name}")'


def _table(table: Table, sql_type: Callable[[Column], str]) -> str:
    lines = [_column(column, sql_type(column)) for column in table.columns]
    lines.append('PRIMARY KEY ("id")')
    if table.key != ("id",):
        lines.append("UNIQUE ({})".format(", ".join(f'"{name}"' for name in table.key)))
    return f'CREATE TABLE IF NOT EXISTS "{table.name}" (\n  ' + ",\n  ".join(lines) + "\n)"


def _column(column: Column, sql_type: str) -> str:
    words = [f'"{column.name}"', sql_type]
    if not column.null:
        words.append("NOT NULL")
    if column.references:
        words.append(f'REFERENCES "{column.references}" ("id")')
    return " ".join(words)
