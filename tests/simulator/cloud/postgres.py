"""Keeps the cloud's tables in PostgreSQL, as the real one does."""

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias, cast
from zoneinfo import ZoneInfo

import msgspec
import psycopg
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.types.json import Jsonb
from psycopg.types.string import TextLoader

from tests.simulator.cloud.columns import Column, Kind, Table
from tests.simulator.cloud.instants import iso, midnight
from tests.simulator.cloud.schema import statements
from tests.simulator.cloud.store import Wire
from tests.simulator.cloud.values import Json, Refused, Value

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_TYPES = {
    Kind.UUID: "uuid",
    Kind.TS: "timestamptz",
    Kind.DATE: "date",
    Kind.FLOAT: "float8",
    Kind.BOOL: "boolean",
    Kind.JSON: "jsonb",
}


class _RawLoader(Loader):
    """Keeps JSON as the text that PostgreSQL sends."""

    def load(self, data: Buffer) -> msgspec.Raw:
        return msgspec.Raw(bytes(data))


class PostgresTransaction:
    """A transaction on a connection of its own."""

    def __init__(self, connection: Connection, ahead: dt.timedelta) -> None:
        self._connection = connection
        now = connection.execute("SELECT now()").fetchone()
        self.now = cast("tuple[dt.datetime]", now)[0] + ahead

    def execute(self, sql: str, values: Sequence[Value] = ()) -> psycopg.Cursor[tuple[Any, ...]]:
        """Run one statement; Refused when a constraint or a type forbids it."""
        try:
            return self._connection.execute(_query(sql), [_bound(value) for value in values])
        except (psycopg.IntegrityError, psycopg.DataError, UnicodeEncodeError) as error:
            raise Refused(str(error)) from error

    def copy(self, table: Table, rows: Iterable[Sequence[Value]]) -> None:
        """Insert many rows by COPY."""
        columns = ", ".join(f'"{name}"' for name in table.names)
        sql = _query(f'COPY "{table.name}" ({columns}) FROM STDIN')
        with self._connection.cursor() as cursor, cursor.copy(sql) as out:
            for row in rows:
                out.write_row([_bound(value) for value in row])


class PostgresStore:
    """A PostgreSQL database, by its connection string."""

    def __init__(self, dsn: str) -> None:
        self.ahead = dt.timedelta()
        self._dsn = dsn
        self._idle: list[Connection] = []

    def create_tables(self) -> None:
        """Create what is missing."""
        with self._connection() as connection, connection.transaction():
            for statement in statements(_type):
                connection.execute(_query(statement))

    @contextmanager
    def transaction(self) -> Iterator[PostgresTransaction]:
        """Open a transaction."""
        with self._connection() as connection, connection.transaction():
            yield PostgresTransaction(connection, self.ahead)

    def read(self, sql: str, values: Sequence[Value] = ()) -> list[tuple[Any, ...]]:
        """Return rows as committed now."""
        with self._connection() as connection:
            return connection.execute(_query(sql), [_bound(value) for value in values]).fetchall()

    def wire(self, column: Column, zone: ZoneInfo) -> Wire:
        """Return what turns a stored value into its wire form."""
        match column.kind:
            case Kind.TS:
                return iso
            case Kind.DATE:
                return lambda day: _date(day, zone)
            case Kind.NUMERIC:
                return str
            case Kind.FLOAT:
                return lambda number: int(number) if number.is_integer() else number
            case Kind.UUID | Kind.TEXT | Kind.INT | Kind.BOOL | Kind.JSON:
                return None

    def items(self, column: str) -> str:
        """Return SQL that yields the texts of a JSON array."""
        return f'jsonb_array_elements_text("{column}") AS item(value)'

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            self._idle.pop().close()

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            yield connection
        finally:
            if not connection.closed:
                self._idle.append(connection)

    def _connect(self) -> Connection:
        connection = psycopg.connect(self._dsn, autocommit=True, options="-c timezone=UTC")
        connection.adapters.register_loader("jsonb", _RawLoader)
        connection.adapters.register_loader("uuid", TextLoader)
        return connection


def _query(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()


def _type(column: Column) -> str:
    match column.kind:
        case Kind.TEXT:
            return f"varchar({column.size})" if column.size else "text"
        case Kind.NUMERIC:
            return f"numeric({column.size}, {column.scale})"
        case Kind.INT:
            return f"int{column.size // 8}"
        case kind:
            return _TYPES[kind]


def _bound(value: Value) -> str | float | dt.date | Decimal | Jsonb | None:
    return Jsonb(value.value, dumps=msgspec.json.encode) if isinstance(value, Json) else value


@lru_cache(maxsize=50_000)
def _date(day: dt.date, zone: ZoneInfo) -> str:
    return iso(midnight(day, zone))
