"""Counts over time for the charts, and with them where hub time stood on the wall clock."""

import time
from collections.abc import Iterator

import msgspec
from sqlite_utils import Database

from hub.core.clock import NEWEST_MS, OLDEST_MS
from hub.store.database import Transaction

BUCKET_MS = 600_000
KEPT_MS = 9 * 86_400_000
"""The charts show a week."""
_STEP_MS = 60_000
"""The wall clock was set when it is further off than this from where it should be."""


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
    wall = believed_ms(time.time_ns() // 1_000_000)
    row = tx.db.execute("SELECT at, wall FROM counters ORDER BY at DESC LIMIT 1").fetchone()
    if row and tx.now_ms - row[0] < BUCKET_MS and not _was_set(row[1], wall, tx.now_ms - row[0]):
        return int(row[0])
    waiting = tx.db.execute("SELECT waiting FROM counters ORDER BY at DESC LIMIT 1").fetchone()
    tx.db.execute(
        "INSERT INTO counters (at, wall, entered, relayed, waiting) VALUES (?, ?, 0, 0, ?)",
        [tx.now_ms, wall, waiting[0] if waiting else 0],
    )
    tx.db.execute("DELETE FROM counters WHERE at < ?", [tx.now_ms - KEPT_MS])
    return tx.now_ms


def believed_ms(wall: int) -> int | None:
    """Return what the wall clock says, None if it cannot be right."""
    return wall if OLDEST_MS <= wall < NEWEST_MS else None


def _was_set(before: int | None, now: int | None, passed_ms: int) -> bool:
    if before is None or now is None:
        return before is not now
    return abs(now - before - passed_ms) > _STEP_MS
