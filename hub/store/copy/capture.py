"""Notes which rows a transaction changes: temporary triggers on every table, while there is a copy to be kept.

They belong to the connection, so a hub without a copy has none, and no table can be forgotten: they are made from the
schema. What they note is in memory, and is undone with the transaction.
"""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple, TypeAlias

from sqlite_utils import Database

from hub.core.copy.entry import Key

NOT_COPIED: Final = frozenset({"copy_log", "_sqlite_migrations", "patients_unsearched"})
"""What is about the copy itself, about the program, and about the search's index, which comes back with the rows."""
_WRITES = re.compile(r"\b(?:INSERT(?: OR \w+)? INTO|UPDATE(?! SET\b)|DELETE FROM)\s+\[?(\w+)", re.IGNORECASE)


class CopiedTable(NamedTuple):
    """A table as it is copied."""

    name: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    """Without those that SQLite computes."""
    is_numbered: bool
    """Whether its key is one whole number."""


Tables: TypeAlias = Mapping[str, CopiedTable]
"""By name."""


def tables(db: Database) -> Tables:
    """Return every table whose rows are copied, in the order of the schema."""
    names = db.execute(
        "SELECT list.name FROM pragma_table_list AS list JOIN sqlite_master ON sqlite_master.name = list.name"
        " WHERE list.schema = 'main' AND list.type = 'table' ORDER BY sqlite_master.rowid"
    ).fetchall()
    left_out = NOT_COPIED | derived(db)
    return {name: _described(db, name) for (name,) in names if name not in left_out and not name.startswith("sqlite_")}


def derived(db: Database) -> set[str]:
    """Return the tables that triggers keep: they come back with the rows of the tables that the triggers are on."""
    triggers = db.execute("SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
    return {
        written for table, sql in triggers for written in _WRITES.findall(sql.partition("BEGIN")[2]) if written != table
    }


def _described(db: Database, name: str) -> CopiedTable:
    rows = db.execute("SELECT name, type, pk FROM pragma_table_info(?)", [name]).fetchall()
    key = tuple(column for _, column in sorted((place, column) for column, _, place in rows if place))
    if not key:
        raise NotImplementedError(f"table {name} has no key by which its rows could be copied")
    is_numbered = [kind for _, kind, place in rows if place] == ["INTEGER"]
    return CopiedTable(name, key, tuple(column for column, _, _ in rows), is_numbered)


class Capture:
    """What is noted on one connection."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._tables: Tables = {}
        self._touched = ""

    @property
    def tables(self) -> Tables:
        """The tables that are noted; none while nothing is."""
        return self._tables

    def follow(self, *, is_on: bool) -> None:
        """Begin or end noting, inside a transaction; costs nothing when it is as it was."""
        if is_on and not self._tables:
            self._begin()
        elif not is_on and self._tables:
            self._end()

    def forget(self) -> None:
        """Look at the connection again: a transaction that began or ended noting was undone."""
        row = self._db.execute("SELECT 1 FROM sqlite_temp_master LIMIT 1").fetchone()
        if bool(row) != bool(self._tables):
            self._tables = tables(self._db) if row else {}

    def taken(self) -> dict[str, list[Key]]:
        """Return the rows that were changed since the last time, by table."""
        if not self._tables:
            return {}
        touched = [name for (name,) in self._db.execute(self._touched)]
        found = {name: self._db.execute(f"SELECT * FROM temp.[{_noted(name)}]").fetchall() for name in touched}
        for name in touched:
            self._db.execute(f"DELETE FROM temp.[{_noted(name)}]")
        return found

    def _begin(self) -> None:
        self._tables = tables(self._db)
        self._touched = " UNION ALL ".join(
            f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM temp.[{_noted(name)}])" for name in self._tables
        )
        for table in self._tables.values():
            self._db.execute(f"CREATE TEMP TABLE [{_noted(table.name)}] {_shape(table)}")
            for name, sql in _triggers(table).items():
                self._db.execute(f"CREATE TEMP TRIGGER [{name}] {sql}")

    def _end(self) -> None:
        for table in self._tables.values():
            for name in _triggers(table):
                self._db.execute(f"DROP TRIGGER temp.[{name}]")
            self._db.execute(f"DROP TABLE temp.[{_noted(table.name)}]")
        self._tables = {}


def _noted(name: str) -> str:
    return f"copy_{name}"


def _shape(table: CopiedTable) -> str:
    """Return the columns of the table that holds its keys; one number as key costs least."""
    if table.is_numbered:
        return f"([{table.key[0]}] INTEGER PRIMARY KEY)"
    key = ", ".join(f"[{column}]" for column in table.key)
    return f"({key}, PRIMARY KEY ({key})) WITHOUT ROWID"


def _triggers(table: CopiedTable) -> dict[str, str]:
    """Return the triggers of a table: name and text."""

    def trigger(when: str, side: str) -> str:
        values = ", ".join(f"{side}.[{column}]" for column in table.key)
        # Not OR IGNORE: the policy of the statement that sets a trigger off counts instead, and an upsert's is to fail.
        # Source: SQLite, CREATE TRIGGER.
        return (
            f"AFTER {when} ON main.[{table.name}]"
            f" BEGIN INSERT INTO [{_noted(table.name)}] VALUES ({values}) ON CONFLICT DO NOTHING; END"
        )

    return {
        f"copy_{table.name}_new": trigger("INSERT", "NEW"),
        f"copy_{table.name}_changed": trigger("UPDATE", "NEW"),
        f"copy_{table.name}_moved": trigger(f"UPDATE OF {', '.join(f'[{column}]' for column in table.key)}", "OLD"),
        f"copy_{table.name}_gone": trigger("DELETE", "OLD"),
    }
