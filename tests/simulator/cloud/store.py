"""What the stand-in asks of a database: transactions of their own clock, and rows in their wire form."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from tests.simulator.cloud.columns import Column, Table
from tests.simulator.cloud.values import Value

Wire: TypeAlias = Callable[[Any], object] | None


class Cursor(Protocol):
    """The part of a DB-API cursor that is used here."""

    @property
    def rowcount(self) -> int:
        """How many rows the statement touched."""

    def fetchall(self) -> list[Any]:
        """Return the rows that are left."""


class Transaction(Protocol):
    """An open transaction; its clock stands still at its start, as PostgreSQL's now() does (CLOUD.md 2.1)."""

    now: dt.datetime

    def execute(self, sql: str, values: Sequence[Value] = ()) -> Cursor:
        """Run one statement with ``?`` for values; Refused when the database will not have it."""

    def copy(self, table: Table, rows: Iterable[Sequence[Value]]) -> None:
        """Insert many rows, each with all columns in order."""


class CloudStore(Protocol):
    """A database of the cloud's tables."""

    ahead: dt.timedelta
    """How far the clocks of server and database are ahead."""

    def create_tables(self) -> None:
        """Create what is missing."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a transaction that commits at the end of the block; readers see nothing of it before."""

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Return rows as committed now, in no transaction with other reads."""

    def wire(self, column: Column, zone: ZoneInfo) -> Wire:
        """Return what turns a stored value, never None, into its wire form; None when it is that already."""

    def items(self, column: str) -> str:
        """Return the SQL for a FROM clause that yields the texts of a JSON array as ``value``."""

    def close(self) -> None:
        """Close all connections."""


def select(table: Table, where: str = "") -> str:
    """Write a SELECT of all columns of ``table``."""
    columns = ", ".join(f'"{name}"' for name in table.names)
    return f'SELECT {columns} FROM "{table.name}"' + (f" WHERE {where}" if where else "")


def wire_rows(
    store: CloudStore, table: Table, zone: ZoneInfo, where: str = "", values: Sequence[Value] = ()
) -> list[dict[str, Any]]:
    """Read complete rows as a pull sends them, ready for msgspec."""
    return encoded(store, table, zone, store.read(select(table, where), values))


def encoded(store: CloudStore, table: Table, zone: ZoneInfo, rows: Iterable[tuple[Any, ...]]) -> list[dict[str, Any]]:
    """Turn rows of all columns into their wire form."""
    names = table.names
    wires = [(column.name, wire) for column in table.columns if (wire := store.wire(column, zone))]
    answer = []
    for row in rows:
        record = dict(zip(names, row, strict=True))
        for name, wire in wires:
            if record[name] is not None:
                record[name] = wire(record[name])
        answer.append(record)
    return answer
