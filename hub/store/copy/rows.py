"""Reads the rows that an entry of the copy journal holds, and puts the rows of an entry back."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from sqlite_utils import Database

from hub.core.copy.entry import Changed, EncodedPart, EncodedRows, Key, Part, encode, encode_changed
from hub.store.copy.capture import CopiedTable, Tables

_KEYS = 250
"""Asked for in one statement."""
_KEYS_AT_ONCE = 8_192
_PART_BYTES = 512 * 1024
"""A part holds about so much, or a single larger row."""


class _OpenPart:
    """A part that is being filled; rows are encoded one by one, so that large ones are never there together."""

    def __init__(self) -> None:
        self._keys: dict[str, list[Key]] = {}
        self._rows: dict[str, EncodedRows] = {}
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return self._bytes >= _PART_BYTES

    def add_keys(self, table: CopiedTable, keys: list[Key]) -> None:
        self._keys.setdefault(table.name, []).extend(keys)
        self._bytes += len(encode_changed({table.name: keys}))

    def add_row(self, table: CopiedTable, row: Sequence[Any]) -> None:
        if table.name not in self._rows:
            self._rows[table.name] = EncodedRows(table.columns, [])
        self._bytes += self._rows[table.name].add(row)

    def close(self) -> bytes:
        """Return the part, encoded, and begin the next one."""
        raw = encode(EncodedPart(self._keys, self._rows))
        self._keys, self._rows, self._bytes = {}, {}, 0
        return raw


def parts(db: Database, known: Tables, changed: Changed) -> Iterator[bytes]:
    """Return an entry of these rows as they are in this view, in encoded parts: all keys first, then the rows."""
    part = _OpenPart()
    for name, keys in changed.items():
        for start in range(0, len(keys), _KEYS_AT_ONCE):
            part.add_keys(known[name], keys[start : start + _KEYS_AT_ONCE])
            if part.is_full:
                yield part.close()
    for name, keys in changed.items():
        for row in _rows(db, known[name], keys):
            part.add_row(known[name], row)
            if part.is_full:
                yield part.close()
    yield part.close()


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


def _rows(db: Database, table: CopiedTable, keys: Sequence[Key]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(keys), _KEYS):
        some = keys[start : start + _KEYS]
        yield from db.execute(_select(table, len(some)), [value for key in some for value in key])


@lru_cache(256)
def _select(table: CopiedTable, count: int) -> str:
    """Return a statement that looks each key up: for an IN list of keys of several columns SQLite reads the table."""
    columns = ", ".join(f"row.[{column}]" for column in table.columns)
    keys = ", ".join([f"({', '.join('?' * len(table.key))})"] * count)
    is_it = " AND ".join(f"row.[{column}] = key.column{place}" for place, column in enumerate(table.key, 1))
    return f"SELECT {columns} FROM (VALUES {keys}) AS key CROSS JOIN [{table.name}] AS row ON {is_it}"
