"""Keeps the phone's local database: the rows of schema 9 with the ORM's own two columns.

``_status``  created | updated | synced | deleted; a deleted row stays, invisible to everything
``_changed`` the columns edited since the last push, comma-separated, in the order of their first edit

Source: PROTOCOL.md "What the phone does with an answer".
"""

import random
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy

from hub.core.records.tables import NEXT_TABLES, PHONE_TABLES
from tests.simulator import rows
from tests.simulator.rows import Row, Value, Values

DEVICE_TABLES = frozenset({"event_logs", "peers"})
"""Tables of the schema that never leave a phone; what a hub sends for them is taken and not looked at."""


class LocalStoreError(Exception):
    """The database refuses; the message is the one that the app would log."""


class LocalStore:
    """The tables of one phone, in memory.

    ``rng`` draws the ids and ``now_ms`` is the phone's own clock, which may be wrong.
    next_app: it has the tables of a later app too.
    """

    def __init__(self, rng: random.Random, now_ms: Callable[[], int], *, next_app: bool = False) -> None:
        self._rng = rng
        self._now_ms = now_ms
        self.next_tables = tuple(table.name for table in NEXT_TABLES if next_app)
        self._tables: dict[str, dict[str, Row]] = {
            name: {} for name, table in PHONE_TABLES.items() if next_app or not table.is_next
        }

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the tables."""
        return tuple(self._tables)

    def copied(self, rng: random.Random, now_ms: Callable[[], int]) -> "LocalStore":
        """Return what a backup of this database is on another phone."""
        copy = LocalStore(rng, now_ms, next_app=bool(self.next_tables))
        copy._tables = deepcopy(self._tables)
        return copy

    def table(self, name: str) -> dict[str, Row]:
        """Return a table as it lies in the database, deleted rows included: id -> row.

        Raises LocalStoreError for a table that the schema does not know, in the app's own words.
        """
        try:
            return self._tables[name]
        except KeyError:
            raise LocalStoreError("TypeError: Cannot read properties of null (reading 'schema')") from None

    def rows(self, table: str) -> Iterator[Row]:
        """Return the rows that a query of the app sees."""
        return (row for row in self.table(table).values() if row["_status"] != "deleted")

    def deleted(self) -> set[str]:
        """Return the ids of all rows that no query shows any more."""
        return {
            row_id for table in self._tables.values() for row_id, row in table.items() if row["_status"] == "deleted"
        }

    def find(self, table: str, row_id: object) -> Row | None:
        """Return one row as a query of the app sees it; None for a deleted or unknown one."""
        row = self.table(table).get(row_id) if isinstance(row_id, str) else None
        return row if row is not None and row["_status"] != "deleted" else None

    def create(self, table: str, values: Values) -> Row:
        """Make a row here; id and both times are drawn unless given."""
        row_id = values.get("id", "") or self.new_id()
        if not isinstance(row_id, str) or row_id in self.table(table):
            raise unique_failed(table)
        now_ms = self._now_ms()
        row = rows.complete(
            table, {"created_at": now_ms, "updated_at": now_ms, **values}, row_id=row_id, status="created"
        )
        self._tables[table][row_id] = row
        return row

    def edit(self, table: str, row_id: str, values: Mapping[str, Value]) -> Row:
        """Set columns of a row; the ORM sets updated_at first and lists only what became different."""
        row = self.find(table, row_id)
        if row is None:
            raise LookupError(f"{table} has no row {row_id}")
        for column, value in {"updated_at": self._now_ms(), **values}.items():
            _set(table, row, column, value)
        return row

    def delete(self, table: str, row_id: str) -> None:
        """Mark a row deleted, as the app's own delete does; it can never come back."""
        row = self.find(table, row_id)
        if row is not None:
            row["_status"] = "deleted"

    def put(self, table: str, row: Row) -> None:
        """Write a row as it is, over an older one of its id."""
        self._tables[table][str(row["id"])] = row

    def new_id(self) -> str:
        """Draw an id: time(48 bit, ms) + random, with version 7 and variant of RFC 9562 section 5.7."""
        drawn = self._rng.getrandbits(74)
        number = (self._now_ms() & (2**48 - 1)) << 80 | 7 << 76 | (drawn >> 62) << 64 | 2 << 62 | drawn & (2**62 - 1)
        text = f"{number:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def unique_failed(table: str) -> LocalStoreError:
    """Return the error of an id that is in the database already."""
    return LocalStoreError(f"UNIQUE constraint failed: {table}.id")


def _set(table: str, row: Row, column: str, value: Value) -> None:
    fitted = rows.fitted(table, column, value)
    before = row[column]
    if fitted == before and isinstance(fitted, bool) == isinstance(before, bool):
        return
    row[column] = fitted
    changed = str(row["_changed"])
    if column not in changed.split(","):
        row["_changed"] = f"{changed},{column}" if changed else column
    if row["_status"] != "created":
        row["_status"] = "updated"
