"""Compares what two phones hold, as far as their users could tell."""

import json
from collections.abc import Iterable, Iterator

from hub.core.tables import UNCOUNTED
from hub.demo.local_store import LocalStore
from hub.demo.outgoing import PUSH_TABLES
from hub.demo.rows import Row, Value

SHARED_TABLES = tuple(table for table in PUSH_TABLES if table != "users")
"""The tables in which all phones of a clinic hold the same; permissions are each user's own."""

_LOCAL = UNCOUNTED | {"_status", "_changed"}


def differences(one: LocalStore, other: LocalStore, tables: Iterable[str] = SHARED_TABLES) -> list[str]:
    """Name every record that ``one`` and ``other`` do not hold alike: table, id and what is different.

    Deleted rows count as not held, be it by ``_status`` or by is_deleted. Columns that a phone sets by itself
    after a push do not count, nor does JSON that was encoded once more than needed.
    """
    found: list[str] = []
    for table in tables:
        left, right = held(one, table), held(other, table)
        found += [f"{table} {row_id}: only one of them holds it" for row_id in sorted(left.keys() ^ right.keys())]
        for row_id in sorted(left.keys() & right.keys()):
            columns = list(_different(left[row_id], right[row_id]))
            if columns:
                found.append(f"{table} {row_id}: {', '.join(columns)}")
    return found


def held(store: LocalStore, table: str) -> dict[str, Row]:
    """Give the rows of a table that its user can see: id -> row."""
    return {str(row["id"]): row for row in store.rows(table) if not row.get("is_deleted")}


def _different(left: Row, right: Row) -> Iterator[str]:
    return (
        column
        for column, value in left.items()
        if column not in _LOCAL and value != right[column] and _plain(value) != _plain(right[column])
    )


def _plain(value: Value) -> Value:
    while isinstance(value, str) and value[:1] == '"':
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return value
