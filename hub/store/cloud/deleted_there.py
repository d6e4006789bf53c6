"""Which tombstones the cloud made, and nobody here: who enters something for them cannot know of it (R9)."""

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database

from hub.core.records.table import Table
from hub.store.database import Transaction


def note(tx: Transaction, table: Table, nums: Iterable[int]) -> None:
    """Note records that the cloud deleted by name; what went along is noted there (store.cloud.went_along)."""
    tx.db.conn.executemany(
        "INSERT OR IGNORE INTO deleted_there (table_name, num) VALUES (?, ?)", [(table.name, num) for num in nums]
    )


def find(db: Database, table: Table, ids: Iterable[str]) -> set[str]:
    """Return which of these are deleted by the cloud, by name or with what they belonged to."""
    rows = db.execute(
        f"SELECT id FROM [{table.name}] AS t WHERE id IN (SELECT value FROM json_each(:ids))"
        " AND local_server_deleted_at IS NOT NULL AND ("
        "EXISTS (SELECT 1 FROM deleted_there AS d WHERE d.table_name = :table AND d.num = t.num) OR "
        "EXISTS (SELECT 1 FROM went_along AS w WHERE w.table_name = :table AND w.num = t.num AND w.by_cloud))",
        {"ids": msgspec.json.encode(sorted(ids)).decode(), "table": table.name},
    )
    return {row[0] for row in rows}
