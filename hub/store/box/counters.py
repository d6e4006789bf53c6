"""Counts over time for the charts, and with them where hub time stood on the wall clock."""

import time
from collections.abc import Iterator

import msgspec
from sqlite_utils import Database

from hub.core import clock
from hub.store.database import Transaction

BUCKET_MS = 600_000
KEPT_MS = 9 * 86_400_000
"""The charts show a week."""


class Bucket(msgspec.Struct, frozen=True):
    """What happened from hub time ``at`` on; ``wall`` is what the wall clock said, None if it cannot be right."""

    at: int
    wall: int | None
    entered: int
    relayed: int
    waiting: int


def add(tx: Transaction, *, entered: int = 0, relayed: int = 0) -> None:
    """Count records that a phone brought or that the cloud took."""
    if entered or relayed:
        at = _bucket(tx)
        tx.db.execute(
            "UPDATE counters SET entered = entered + ?, relayed = relayed + ? WHERE at = ?", [entered, relayed, at]
        )


def sample(tx: Transaction, *, waiting: int) -> None:
    """Note how many records wait now."""
    tx.db.execute("UPDATE counters SET waiting = ? WHERE at = ?", [waiting, _bucket(tx)])


def since(db: Database, at: int) -> Iterator[Bucket]:
    """Return the buckets from hub time ``at`` on, oldest first."""
    for row in db.execute("SELECT at, wall, entered, relayed, waiting FROM counters WHERE at >= ? ORDER BY at", [at]):
        yield Bucket(*row)


def wall_ms(db: Database, at: int) -> int | None:
    """Return what the wall clock said at a hub time, as far as it was noted; None if it never could be believed."""
    row = db.execute(
        "SELECT at, wall FROM counters WHERE wall IS NOT NULL ORDER BY at > ?, abs(at - ?) LIMIT 1", [at, at]
    ).fetchone()
    return int(row[1]) + at - int(row[0]) if row else None


def _bucket(tx: Transaction) -> int:
    """Return the bucket of now; a new one every ten minutes, and whenever the wall clock was set."""
    wall = clock.believed_ms(time.time_ns() // 1_000_000)
    row = tx.db.execute("SELECT at, wall, waiting FROM counters ORDER BY at DESC LIMIT 1").fetchone()
    if row and tx.now_ms - row[0] < BUCKET_MS and not clock.was_set(row[1], wall, tx.now_ms - row[0]):
        return int(row[0])
    tx.db.execute(
        "INSERT INTO counters (at, wall, entered, relayed, waiting) VALUES (?, ?, 0, 0, ?)",
        [tx.now_ms, wall, row[2] if row else 0],
    )
    tx.db.execute("DELETE FROM counters WHERE at < ?", [tx.now_ms - KEPT_MS])
    return tx.now_ms
