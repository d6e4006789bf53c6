"""Which tombstones nobody made by name: they went along with a patient or a visit, and may stand elsewhere (R9).

What waited of them for the cloud then is kept beside it: it waits again when they come back.
"""

from collections.abc import Iterable, Mapping

import msgspec
from sqlite_utils import Database

from hub.core.cloud.outbox import Entry
from hub.core.records.table import Table
from hub.store.cloud import outbox
from hub.store.database import Transaction

_WAITED = "outbox_along"


def note(tx: Transaction, table: Table, waited: Mapping[int, Entry | None], *, by_cloud: bool) -> None:
    """Note records that are deleted with their parent, with what the outbox had of each.

    by_cloud: the cloud deleted the parent, and nobody here.
    """
    tx.db.conn.executemany(
        "INSERT OR REPLACE INTO went_along (table_name, num, by_cloud) VALUES (?, ?, ?)",
        [(table.name, num, by_cloud) for num in waited],
    )
    outbox.put(tx, table, waited, into=_WAITED)


def find(db: Database, table: Table, nums: Iterable[int]) -> dict[int, bool]:
    """Return which of these records went along: number -> whether with what the cloud deleted."""
    rows = db.execute(
        "SELECT num, by_cloud FROM went_along WHERE table_name = ? AND num IN (SELECT value FROM json_each(?))",
        [table.name, msgspec.json.encode(list(nums)).decode()],
    )
    return {num: bool(by_cloud) for num, by_cloud in rows.fetchall()}


def waited(db: Database, table: Table, nums: Iterable[int]) -> dict[int, Entry]:
    """Return what waited of those of these records of which anything did."""
    return outbox.entries(db, table, nums, of=_WAITED)


def wait(tx: Transaction, table: Table, num: int, entry: Entry) -> None:
    """Note what else waits of a record that went along, should it come back."""
    outbox.put(tx, table, {num: entry}, into=_WAITED)


def forget(tx: Transaction, table: Table, nums: Iterable[int]) -> None:
    """Forget it of records that came back, or were deleted by name."""
    gone = list(nums)
    tx.db.conn.executemany(
        "DELETE FROM went_along WHERE table_name = ? AND num = ?", [(table.name, num) for num in gone]
    )
    outbox.remove(tx, table, gone, of=_WAITED)
