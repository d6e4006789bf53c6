"""Databases of earlier releases, and what a step of the schema may do to them."""

import gzip
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sqlite_utils import Database

from hub.core.records.table import Table
from hub.store.database import FILE_NAME, Store

VECTORS = Path(__file__).parents[1] / "vectors"
RELEASED = ("hub_v1",)
"""The schemas that hubs in the field may have."""

_COMPUTED = 2
"""How SQLite marks a generated column in table_xinfo."""

_NEW = re.compile(r"CREATE (?:VIRTUAL )?TABLE (?:IF NOT EXISTS )?\[?(\w+)", re.IGNORECASE)
_DROPPED = re.compile(r"DROP TRIGGER (\w+)$", re.IGNORECASE)
_COLUMN = re.compile(r"ALTER TABLE \[?(\w+)\]? ADD COLUMN \[?(\w+)\]? ?(.*)", re.IGNORECASE | re.DOTALL)
_FILLED = re.compile(r'INSERT (?:OR \w+ )?INTO [\["]?(\w+)', re.IGNORECASE)
_UPDATED = re.compile(r"UPDATE \[?(\w+)\]? SET (.*?)(?: WHERE | FROM |$)", re.IGNORECASE | re.DOTALL)
_SET = re.compile(r"(?:^|, )\[?(\w+)\]? ?=")
_HARMLESS = re.compile(
    r"(CREATE (INDEX|VIEW|TRIGGER)|SELECT|WITH|PRAGMA|SAVEPOINT|RELEASE|BEGIN|COMMIT|--)", re.IGNORECASE
)


def put(release: str, data: Path) -> Path:
    """Lay the database of a release into a data folder."""
    data.mkdir(parents=True, exist_ok=True)
    (data / FILE_NAME).write_bytes(gzip.decompress((VECTORS / f"{release}.db.gz").read_bytes()))
    return data


def of(db: Database) -> list[tuple[str, ...]]:
    """Return the whole schema, in an order that does not tell how it came about."""
    return sorted(db.execute("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_master").fetchall())


def at(data: Path) -> list[tuple[str, ...]]:
    """Return the schema of a data folder once the hub has opened it."""
    store = Store(data)
    with store.read() as db:
        found = of(db)
    store.close()
    return found


def missing(db: Database, tables: Iterable[Table]) -> Iterator[str]:
    """Say what is declared in core.records.tables and not made by any step."""
    for table in tables:
        columns = {row[1]: row[6] for row in db.execute(f"PRAGMA table_xinfo([{table.name}])")}
        wanted = {"id": 0, "data": 0, **dict.fromkeys(table.keys, 0), **dict.fromkeys(table.computed, _COMPUTED)}
        indexed = {index.columns[0] for index in db[table.name].indexes} if columns else set()  # type: ignore[union-attr]
        for column, hidden in wanted.items():
            if columns.get(column) != hidden or (column in (*table.keys, *table.computed) and column not in indexed):
                kind = "a computed column" if hidden else "a column"
                yield (
                    f"core.records.tables declares {table.name}.{column} and no step of hub.store.migrations makes it"
                    f" {kind} with an index: add a step (a new column for looking up is computed, see 04_lookups.sql)"
                )


def narrowing(statements: Iterable[str]) -> Iterator[str]:
    """Return the statements under which the previous release's program would no longer work."""
    tables: set[str] = {"_sqlite_migrations", "patient_words"}  # the latter is derived, and may be derived anew
    columns: set[tuple[str, str]] = set()
    for statement in _without_replaced(list(statements)):
        if made := _NEW.match(statement):
            tables.add(made[1])
        elif added := _COLUMN.match(statement):
            columns.add((added[1], added[2]))
            if re.search("NOT NULL", added[3], re.IGNORECASE) and "DEFAULT" not in added[3].upper():
                yield statement
        elif updated := _UPDATED.match(statement):
            if updated[1] not in tables and not {(updated[1], name) for name in _SET.findall(updated[2])} <= columns:
                yield statement
        elif filled := _FILLED.match(statement):
            if filled[1] not in tables:
                yield statement
        elif not _HARMLESS.match(statement) and not _is_of(tables, statement):
            yield statement


def _without_replaced(statements: Sequence[str]) -> Iterator[str]:
    """Leave out what drops a trigger that is made anew after it."""
    for place, statement in enumerate(statements):
        dropped = _DROPPED.match(statement)
        again = f"CREATE TRIGGER {dropped[1]} " if dropped else None
        if not again or not any(later.startswith(again) for later in statements[place:]):
            yield statement


def _is_of(tables: set[str], statement: str) -> bool:
    """Whether it is a unique index on a table of the same step."""
    found = re.match(r"CREATE UNIQUE INDEX \[?\w+\]?\s+ON \[?(\w+)", statement, re.IGNORECASE)
    return found is not None and found[1] in tables
