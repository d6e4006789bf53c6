"""Keeps what the cloud has not confirmed, and which columns changed here since it last did.

How records go from here to the cloud, and what is known of them on the way, is in hub.store.cloud.departures.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise

import msgspec
from sqlite_utils import Database

from hub.core.records.tables import Push, Table
from hub.store.database import Transaction

KNOWN = 8
"""How many former values of a column are remembered."""

_columns = msgspec.json.Decoder(list[str]).decode
_marks = msgspec.json.Decoder(dict[str, list[int]]).decode


def add(tx: Transaction, table: Table, nums: Iterable[int], columns: Iterable[str] | None = None) -> None:
    """Put records into the outbox; ``columns`` None stands for the whole record.

    Columns add up until the cloud has shown them. Tables that the cloud takes from nobody are left out.
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


def add_known(tx: Transaction, table: Table, num: int, marks: Mapping[str, int]) -> None:
    """Note values that a change was made knowing (core.cloud_forms.mark), for a record that is in the outbox."""
    where = [table.name, num]
    row = tx.db.execute("SELECT known FROM outbox WHERE table_name = ? AND num = ?", where).fetchone()
    if row is None:
        return
    known = known_marks(row[0])
    for column, mark in marks.items():
        known[column] = [*(old for old in known.get(column, []) if old != mark), mark][-KNOWN:]
    text = msgspec.json.encode(known).decode()
    if text != row[0]:
        tx.db.execute("UPDATE outbox SET known = ? WHERE table_name = ? AND num = ?", [text, *where])


def known_marks(text: str | None) -> dict[str, list[int]]:
    """Read the marks of a record."""
    return _marks(text) if text else {}


def waiting(db: Database) -> int:
    """Count the records that are to be sent to the cloud: neither sent as they are now, nor held back."""
    return int(
        db.execute("SELECT count(*) FROM outbox WHERE sent IS NOT revision AND held IS NOT revision").fetchone()[0]
    )


def unproven(db: Database) -> int:
    """Count the records that were sent as they are now, and that the cloud has yet to show."""
    return int(db.execute("SELECT count(*) FROM outbox WHERE sent IS revision").fetchone()[0])


def ages(db: Database, since: Sequence[int]) -> list[int]:
    """Count what waits by age: what was queued after each of these falling hub times, and the rest."""
    edges = [None, *since]
    found = [
        int(
            db.execute(
                "SELECT count(*) FROM outbox WHERE sent IS NOT revision AND held IS NOT revision AND queued > ?"
                " AND queued <= coalesce(?, queued)",
                [after, before],
            ).fetchone()[0]
        )
        for before, after in pairwise(edges)
    ]
    return [*found, waiting(db) - sum(found)]


def waiting_since(db: Database) -> int | None:
    """Return the hub time since when the longest waiting record waits; None if none does."""
    row = db.execute("SELECT min(queued) FROM outbox WHERE sent IS NOT revision AND held IS NOT revision").fetchone()
    return row[0] if row else None


def columns_of(db: Database, table: Table, num: int) -> list[str] | None:
    """Return the columns that wait for the cloud; None for the whole record, [] for nothing."""
    row = db.execute("SELECT columns FROM outbox WHERE table_name = ? AND num = ?", [table.name, num]).fetchone()
    if row is None:
        return []
    return _columns(row[0]) if row[0] is not None else None
