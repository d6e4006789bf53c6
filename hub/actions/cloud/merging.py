"""Merges the rows and deletions of a pull, one bounded transaction for each part of it (R6, R7)."""

from typing import Any

from hub.actions.cloud import incoming
from hub.actions.cloud import users as cloud_users
from hub.actions.cloud.incoming import Tally
from hub.core.cloud import tables as cloud_tables
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.records import record_rows

ROWS_MAX = record_rows.CHUNK
"""How many rows one transaction takes."""
_SWEPT = ("user_clinic_permissions", "app_config")
"""Tables of which the cloud announces no deletions, and sends every row in a full pull whatever its age."""


class Merging:
    """A pull on its way into the store."""

    def __init__(self, store: Store, *, full: bool) -> None:
        self.tally = Tally()
        self._store = store
        self._full = full
        self._named: dict[str, set[str]] = {name: set() for name in (*_SWEPT, cloud_tables.USERS)}

    def take(self, name: str, part: str, values: list[Any]) -> None:
        """Merge rows or deletions of one table; those of tables that the hub does not keep are passed over."""
        if name == cloud_tables.USERS:
            # Not durable by itself: the cursor that is written after it takes it to disk along.
            with self._store.write(durable=False) as tx:
                if part == "deleted":
                    cloud_users.delete(tx, _texts(values), self.tally)
                else:
                    users = _rows(values)
                    cloud_users.take(tx, users, self.tally)
                    self._name(name, users)
            return
        table = None if name in cloud_tables.UNWANTED else TABLES.get(name)
        if table is None:
            return
        with self._store.write(durable=False) as tx:
            if part == "deleted":
                incoming.delete(tx, table, _texts(values), self.tally)
                return
            rows = _rows(values)
            self._name(name, rows)
            incoming.take(tx, table, rows, self.tally, updated=part == "updated")

    def sweep(self) -> None:
        """Delete what a full pull did not name, and end the sign-ins of users who have gone with it."""
        if not self._full:
            return
        for name in _SWEPT:
            with self._store.write(durable=False) as tx:
                self.tally.deleted += incoming.sweep(tx, TABLES[name], self._named[name])
        with self._store.write(durable=False) as tx:
            cloud_users.sweep(tx, self._named[cloud_tables.USERS], self.tally)

    def _name(self, table: str, rows: list[dict[str, Any]]) -> None:
        """Remember which rows a full pull names, of tables where that says something of the others."""
        if self._full and table in self._named:
            self._named[table].update(row["id"] for row in rows if isinstance(row.get("id"), str))


def _rows(values: list[Any]) -> list[dict[str, Any]]:
    return [value for value in values if isinstance(value, dict)]


def _texts(values: list[Any]) -> list[str]:
    return [value for value in values if isinstance(value, str)]
