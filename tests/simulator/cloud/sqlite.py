"""Keeps the cloud's tables in a SQLite file, for the demo and for tests without PostgreSQL."""

import datetime as dt
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from tests.simulator.cloud.columns import Column, Kind, Table
from tests.simulator.cloud.instants import iso, midnight
from tests.simulator.cloud.schema import statements
from tests.simulator.cloud.store import Wire
from tests.simulator.cloud.values import Json, Refused, Value

_BUSY_S = 30.0  # SQLite has one writer: a transaction held open makes pushes wait, which PostgreSQL's would not
_TYPES = {
    Kind.UUID: "TEXT",
    Kind.TEXT: "TEXT",
    Kind.TS: "TEXT",
    Kind.DATE: "TEXT",
    Kind.NUMERIC: "TEXT",
    Kind.INT: "INTEGER",
    Kind.FLOAT: "REAL",
    Kind.BOOL: "INTEGER",
    Kind.JSON: "TEXT",
}


class SqliteTransaction:
    """A transaction on a connection of its own."""

    def __init__(self, connection: sqlite3.Connection, ahead: dt.timedelta) -> None:
        self._connection = connection
        self.now = dt.datetime.now(dt.UTC) + ahead

    def execute(self, sql: str, values: Sequence[Value] = ()) -> sqlite3.Cursor:
        """Run one statement; Refused when a constraint forbids it."""
        try:
            return self._connection.execute(sql, [_bound(value) for value in values])
        except (sqlite3.IntegrityError, OverflowError, UnicodeEncodeError) as error:
            raise Refused(str(error)) from error

    def copy(self, table: Table, rows: Iterable[Sequence[Value]]) -> None:
        """Insert many rows."""
        marks = ", ".join("?" * len(table.columns))
        sql = f'INSERT INTO "{table.name}" VALUES ({marks})'
        self._connection.executemany(sql, ([_bound(value) for value in row] for row in rows))


class SqliteStore:
    """A SQLite file; each transaction has a connection, so that readers and a writer see what PostgreSQL's would."""

    def __init__(self, path: Path) -> None:
        self.ahead = dt.timedelta()
        self._path = path
        self._idle: list[sqlite3.Connection] = []

    def create_tables(self) -> None:
        """Create what is missing."""
        with closing(self._connect()) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            for statement in statements(lambda column: _TYPES[column.kind]):
                connection.execute(statement)

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """Open a transaction; it takes the write lock at once."""
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(connection, self.ahead)
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Return rows as committed now."""
        with self._connection() as connection:
            return connection.execute(sql, [_bound(value) for value in values]).fetchall()

    def wire(self, column: Column, zone: ZoneInfo) -> Wire:
        """Return what turns a stored value into its wire form."""
        match column.kind:
            case Kind.TS:
                return _ts
            case Kind.DATE:
                return lambda day: _date(day, zone)
            case Kind.BOOL:
                return bool
            case Kind.JSON:
                return msgspec.Raw
            case Kind.FLOAT:
                return lambda number: int(number) if number.is_integer() else number
            case Kind.UUID | Kind.TEXT | Kind.NUMERIC | Kind.INT:
                return None

    def items(self, column: str) -> str:
        """Return SQL that yields the texts of a JSON array."""
        return f'json_each("{column}")'

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            self._idle.append(connection)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = OFF")  # a stand-in has nothing to lose
        return connection


def _bound(value: Value) -> str | int | float | None:
    match value:
        case dt.datetime():
            # Fixed width, always UTC: text that sorts as time does.
            return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
        case dt.date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case Json():
            return msgspec.json.encode(value.value).decode()
        case _:
            return value


def _ts(text: str) -> str:
    return text[:23] + "Z"


@lru_cache(maxsize=50_000)
def _date(day: str, zone: ZoneInfo) -> str:
    return iso(midnight(dt.date.fromisoformat(day), zone))
