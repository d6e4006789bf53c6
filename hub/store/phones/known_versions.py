"""Looks up which version of a record a phone is known to have: what its edits were made knowing."""

from pyroaring import FrozenBitMap
from sqlite_utils import Database

from hub.core.phone.sheets import Sheet, known_revision
from hub.core.records.table import Table
from hub.store.phones import ledger


class KnownVersions:
    """Up to which revision one phone is known to have each record."""

    def __init__(self, db: Database, device: int) -> None:
        """Read what the ledger last kept; tables are read when they are asked for."""
        self._db = db
        self._device = device
        self._tables: dict[str, tuple[Sheet, dict[int, FrozenBitMap]] | None] = {}
        row = db.execute("SELECT revision, since FROM ledger_heads WHERE device = ?", [device]).fetchone()
        self._revision = int(row[0]) if row else 0
        self.since = int(row[1]) if row else 0
        """When it started over for the last time: what it pushed before it may have no more."""

    def revision(self, table: Table, num: int) -> int:
        """Return that revision; 0 where nothing is known."""
        if table.name not in self._tables:
            self._tables[table.name] = self._read(table.name)
        kept = self._tables[table.name]
        return known_revision(num, kept[0], self._revision, kept[1]) if kept else 0

    def _read(self, name: str) -> tuple[Sheet, dict[int, FrozenBitMap]] | None:
        where = [self._device, name]
        row = self._db.execute(
            "SELECT held, owed, hidden, frontier FROM ledger WHERE device = ? AND table_name = ?", where
        ).fetchone()
        if row is None:
            return None
        rows = self._db.execute("SELECT revision, nums FROM stale WHERE device = ? AND table_name = ?", where)
        return ledger.sheet(*row), {revision: ledger.unpack(nums) for revision, nums in rows}
