"""The cloud's updated_at of records as they were last seen there: what an edit may overwrite, and nothing newer (R9).

It is kept where it differs from the record's own; that of a record that waits is always kept.
"""

from collections.abc import Iterable, Mapping

import msgspec
from sqlite_utils import Database

from hub.core.records.table import Table
from hub.store.database import Transaction


def find(db: Database, table: Table, nums: Iterable[int]) -> dict[int, float]:
    """Return what is kept of these records."""
    rows = db.execute(
        "SELECT num, updated_ms FROM cloud_seen WHERE table_name = ? AND num IN (SELECT value FROM json_each(?))",
        [table.name, msgspec.json.encode(list(nums)).decode()],
    )
    return dict(rows.fetchall())


def put(tx: Transaction, table: Table, times: Mapping[int, float]) -> None:
    """Keep when the cloud says that records were last updated: number -> milliseconds."""
    tx.db.conn.executemany(
        "INSERT OR REPLACE INTO cloud_seen (table_name, num, updated_ms) VALUES (?, ?, ?)",
        [(table.name, num, ms) for num, ms in times.items()],
    )


def keep(tx: Transaction, table: Table, nums: Iterable[int], updated_ms: float) -> None:
    """Keep it of records that are about to change here, unless it is kept already."""
    tx.db.conn.executemany(
        "INSERT OR IGNORE INTO cloud_seen (table_name, num, updated_ms) VALUES (?, ?, ?)",
        [(table.name, num, updated_ms) for num in nums],
    )


def forget(tx: Transaction, table: Table, nums: Iterable[int]) -> None:
    """Forget it where the record says the same."""
    tx.db.conn.executemany(
        "DELETE FROM cloud_seen WHERE table_name = ? AND num = ?", [(table.name, num) for num in nums]
    )
