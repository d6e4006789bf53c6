"""Which records a full pull does not show though the cloud had them, and what was sent again of them (R9)."""

from collections.abc import Iterable, Iterator

import msgspec
from sqlite_utils import Database

from hub.core.cloud.shown import Shown
from hub.core.records.table import Table
from hub.store.database import Transaction


def proven_but_unseen(db: Database, table: Table, shown: Shown, since_ms: float) -> Iterator[int]:
    """Return the live records that the cloud had and did not show, made or changed since, that were not sent again."""
    rows = db.execute(
        f"SELECT num FROM [{table.name}] AS t WHERE local_server_deleted_at IS NULL"
        " AND max(made_ms, local_server_last_modified) >= ?"
        " AND NOT EXISTS (SELECT 1 FROM outbox AS o WHERE o.table_name = ? AND o.num = t.num)"
        " AND NOT EXISTS (SELECT 1 FROM cloud_lost AS l WHERE l.table_name = ? AND l.num = t.num)",
        [since_ms, table.name, table.name],
    )
    return (num for (num,) in rows if not shown.has(table.name, num))


def note(tx: Transaction, table: Table, nums: Iterable[int]) -> None:
    """Note records that are sent again."""
    tx.db.conn.executemany(
        "INSERT OR IGNORE INTO cloud_lost (table_name, num) VALUES (?, ?)", [(table.name, num) for num in nums]
    )


def find(db: Database, table: Table, nums: Iterable[int]) -> set[int]:
    """Return which of these records were sent again, and not shown since."""
    rows = db.execute(
        "SELECT num FROM cloud_lost WHERE table_name = ? AND num IN (SELECT value FROM json_each(?))",
        [table.name, msgspec.json.encode(list(nums)).decode()],
    )
    return {num for (num,) in rows.fetchall()}


def forget(tx: Transaction, table: Table, nums: Iterable[int]) -> None:
    """Forget it of records that the cloud shows."""
    tx.db.conn.executemany(
        "DELETE FROM cloud_lost WHERE table_name = ? AND num = ?", [(table.name, num) for num in nums]
    )
