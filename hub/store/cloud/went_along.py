"""Which tombstones nobody made by name: they went along with a patient or a visit, and may stand elsewhere (R9)."""

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database

from hub.core.records.table import Table
from hub.store.database import Transaction


def note(tx: Transaction, table: Table, nums: Iterable[int], *, by_cloud: bool) -> None:
    """Note records that were deleted with their parent; ``by_cloud``: the cloud deleted that, and nobody here."""
    tx.db.conn.executemany(
        "INSERT OR REPLACE INTO went_along (table_name, num, by_cloud) VALUES (?, ?, ?)",
        [(table.name, num, by_cloud) for num in nums],
    )


def find(db: Database, table: Table, nums: Iterable[int]) -> dict[int, bool]:
    """Return which of these records went along: number -> whether with what the cloud deleted."""
    rows = db.execute(
        "SELECT num, by_cloud FROM went_along WHERE table_name = ? AND num IN (SELECT value FROM json_each(?))",
        [table.name, msgspec.json.encode(list(nums)).decode()],
    )
    return {num: bool(by_cloud) for num, by_cloud in rows.fetchall()}


def forget(tx: Transaction, table: Table, nums: Iterable[int]) -> None:
    """Forget it of records that came back, or were deleted by name."""
    tx.db.conn.executemany(
        "DELETE FROM went_along WHERE table_name = ? AND num = ?", [(table.name, num) for num in nums]
    )
