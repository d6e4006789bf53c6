"""Merges the rows and deletions of a pull, one bounded transaction for each part of it (R6, R7)."""

from typing import Any

from hub.actions.cloud import incoming
from hub.actions.cloud import users as cloud_users
from hub.actions.cloud.incoming import PullTally
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
        self.tally = PullTally()
        self._store = store
        self._full = full
        self._deleted: dict[str, list[str]] = {}
        self._named: dict[str, set[str]] = {name: set() for name in (*_SWEPT, cloud_tables.USERS)}

    def take(self, name: str, part: str, values: list[Any]) -> None:
        """Merge rows or deletions of one table; those of tables that the hub does not keep are passed over."""
        if name in cloud_tables.UNWANTED or name not in {*TABLES, cloud_tables.USERS}:
            return
        if part == "deleted":
            self._deleted.setdefault(name, []).extend(value for value in values if isinstance(value, str))
        else:
            self._merge(name, [value for value in values if isinstance(value, dict)], updated=part == "updated")

    def delete(self) -> bool:
        """Follow the deletions, after all rows: what stood with a deleted record may stand elsewhere now (R9).

        Returns whether a full pull must say where some of it stands.
        """
        asks = False
        for name in reversed((*TABLES, cloud_tables.USERS)):  # children before what they name
            ids = self._deleted.get(name, [])
            for start in range(0, len(ids), ROWS_MAX):
                asks |= self._delete(name, ids[start : start + ROWS_MAX])
        return asks

    def sweep(self) -> None:
        """Delete what a full pull did not name, and end the sign-ins of users who have gone with it."""
        if not self._full:
            return
        for name in _SWEPT:
            incoming.sweep(self._store, TABLES[name], self._named[name], self.tally)
        cloud_users.sweep(self._store, self._named[cloud_tables.USERS], self.tally)

    def _merge(self, name: str, rows: list[dict[str, Any]], *, updated: bool) -> None:
        if self._full and name in self._named:
            self._named[name].update(row["id"] for row in rows if isinstance(row.get("id"), str))
        if name == cloud_tables.USERS:
            cloud_users.merge(self._store, rows, self.tally)
        else:
            incoming.merge(self._store, TABLES[name], rows, self.tally, updated=updated)

    def _delete(self, name: str, ids: list[str]) -> bool:
        if name == cloud_tables.USERS:
            cloud_users.delete(self._store, ids, self.tally)
            return False
        return incoming.delete(self._store, TABLES[name], ids, self.tally, full=self._full)
