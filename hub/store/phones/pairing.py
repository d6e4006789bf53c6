"""Keeps until when new phones may pair (S2); any process of the box may open and close."""

from sqlite_utils import Database

from hub.store.database import Transaction
from hub.store.people import audit


def open_for(tx: Transaction, minutes: int) -> int:
    """Open pairing; returns the hub time at which it ends."""
    until = tx.now_ms + minutes * 60_000
    tx.db.execute("INSERT OR REPLACE INTO hub (key, value) VALUES ('pairing_until', ?)", [until])
    audit.note(tx, "pairing.opened", detail=f"{minutes} min")
    return until


def close(tx: Transaction) -> None:
    """Close pairing; paired phones are not touched."""
    tx.db.execute("DELETE FROM hub WHERE key = 'pairing_until'")
    audit.note(tx, "pairing.closed")


def left_s(db: Database, now_ms: int) -> int:
    """Return for how many seconds more pairing is open; 0 if it is closed."""
    row = db.execute("SELECT value FROM hub WHERE key = 'pairing_until'").fetchone()
    return max(0, -(-(int(row[0]) - now_ms) // 1000)) if row else 0
