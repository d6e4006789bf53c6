"""Keeps what the cloud has not confirmed, and which columns changed here since it last did."""

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database

from hub.core.tables import Push, Table
from hub.store.database import Transaction

_columns = msgspec.json.Decoder(list[str]).decode


def add(tx: Transaction, table: Table, nums: Iterable[int], columns: Iterable[str] | None = None) -> None:
    """Put records into the outbox; ``columns`` None stands for the whole record.

    Columns add up until the cloud confirms. Tables that the cloud takes from nobody are left out.
    """
    if table.push is not Push.RECORD:
        return
    changed = None if columns is None else msgspec.json.encode(sorted(columns)).decode()
    tx.db.conn.executemany(
        "INSERT INTO outbox (table_name, num, columns, revision, queued) VALUES (:table, :num, :columns, :now, :now)"
        " ON CONFLICT (table_name, num) DO UPDATE SET revision = :now, columns = CASE WHEN columns IS NULL THEN NULL"
        " WHEN :columns IS NULL THEN NULL ELSE (SELECT json_group_array(value) FROM"
        " (SELECT value FROM json_each(columns) UNION SELECT value FROM json_each(:columns))) END",
        [{"table": table.name, "num": num, "columns": changed, "now": tx.now_ms} for num in nums],
    )


def add_new(tx: Transaction, table: Table, nums: range) -> None:
    """Put records that were just added into the outbox, all in one statement."""
    if table.push is Push.RECORD:
        tx.db.execute(
            "INSERT INTO outbox (table_name, num, columns, revision, queued)"
            f" SELECT ?, num, NULL, ?, ? FROM [{table.name}] WHERE num BETWEEN ? AND ?",
            [table.name, tx.now_ms, tx.now_ms, nums.start, nums.stop - 1],
        )


def waiting(db: Database) -> int:
    """Count the records that the cloud has not confirmed."""
    return int(db.execute("SELECT count(*) FROM outbox").fetchone()[0])


def columns_of(db: Database, table: Table, num: int) -> list[str] | None:
    """Give the columns that wait for the cloud; None for the whole record, [] for nothing."""
    row = db.execute("SELECT columns FROM outbox WHERE table_name = ? AND num = ?", [table.name, num]).fetchone()
    if row is None:
        return []
    return _columns(row[0]) if row[0] is not None else None
