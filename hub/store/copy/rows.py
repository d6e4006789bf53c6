"""Reads the rows that an entry of the copy journal holds, and puts the rows of an entry back."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

from sqlite_utils import Database

from hub.core.copy.entry import Key, Part, Rows
from hub.store.copy.capture import CopiedTable, Tables

_KEYS = 100
"""Asked for in one statement."""
_PART_BYTES = 512 * 1024
"""A part holds about so much, or a single larger row."""
_VALUE_BYTES = 8
"""What a number takes, about."""


def parts(db: Database, known: Tables, changed: Mapping[str, Sequence[Key]]) -> Iterator[Part]:
    """Return an entry of these rows as they are in this view, in parts: all keys first, then the rows."""
    for name, keys in changed.items():
        for start in range(0, len(keys), _PART_BYTES // 64):
            yield Part(keys={name: list(keys[start : start + _PART_BYTES // 64])})
    for name, keys in changed.items():
        yield from _of_table(db, known[name], keys)


def one_part(db: Database, known: Tables, changed: Mapping[str, Sequence[Key]]) -> Part:
    """Return an entry of a few rows."""
    rows = {
        name: Rows(known[name].columns, [row for some in _chunks(db, known[name], keys) for row in some])
        for name, keys in changed.items()
    }
    return Part({name: list(keys) for name, keys in changed.items()}, rows)


def put(db: Database, known: Tables, part: Part) -> None:
    """Replace the rows of a part; triggers of the schema keep what is derived from them."""
    for name, keys in part.keys.items():
        if name in known:
            where = " AND ".join(f"[{column}] = ?" for column in known[name].key)
            db.conn.executemany(f"DELETE FROM [{name}] WHERE {where}", keys)
    for name, rows in part.rows.items():
        if name in known:
            columns = ", ".join(f"[{column}]" for column in rows.columns)
            marks = ", ".join("?" * len(rows.columns))
            db.conn.executemany(f"INSERT INTO [{name}] ({columns}) VALUES ({marks})", rows.rows)


def _of_table(db: Database, table: CopiedTable, keys: Sequence[Key]) -> Iterator[Part]:
    waiting: list[Any] = []
    size = 0
    for some in _chunks(db, table, keys):
        for row in some:
            waiting.append(row)
            size += sum(len(value) if isinstance(value, str | bytes) else _VALUE_BYTES for value in row)
            if size >= _PART_BYTES:
                yield Part(rows={table.name: Rows(table.columns, waiting)})
                waiting, size = [], 0
    if waiting:
        yield Part(rows={table.name: Rows(table.columns, waiting)})


def _chunks(db: Database, table: CopiedTable, keys: Sequence[Key]) -> Iterator[list[Any]]:
    for start in range(0, len(keys), _KEYS):
        some = keys[start : start + _KEYS]
        yield db.execute(_select(table, len(some)), [value for key in some for value in key]).fetchall()


@cache
def _select(table: CopiedTable, count: int) -> str:
    columns = ", ".join(f"[{column}]" for column in table.columns)
    key = ", ".join(f"[{column}]" for column in table.key)
    if len(table.key) == 1:
        return f"SELECT {columns} FROM [{table.name}] WHERE {key} IN ({', '.join('?' * count)})"
    one = f"({', '.join('?' * len(table.key))})"
    return f"SELECT {columns} FROM [{table.name}] WHERE ({key}) IN (VALUES {', '.join([one] * count)})"
