"""Keeps until when the hub shows where it is; any process of the box may ask for it and looks here."""

from sqlite_utils import Database

from hub.store.database import Transaction


def start(tx: Transaction, seconds: int) -> None:
    """Let the lights call for so long."""
    tx.db.execute("INSERT OR REPLACE INTO hub (key, value) VALUES ('locating_until', ?)", [tx.now_ms + seconds * 1000])


def stop(tx: Transaction) -> None:
    """Let the lights be as they were."""
    tx.db.execute("DELETE FROM hub WHERE key = 'locating_until'")


def left_s(db: Database, now_ms: int) -> int:
    """Return for how many seconds more the lights call; 0 if they do not."""
    row = db.execute("SELECT value FROM hub WHERE key = 'locating_until'").fetchone()
    return max(0, -(-(int(row[0]) - now_ms) // 1000)) if row else 0
