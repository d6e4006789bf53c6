"""What the hub counts over its whole life, by name (hub.core.fleet.totals)."""

from sqlite_utils import Database

from hub.store.database import Transaction

ADD = "INSERT INTO totals (name, count) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET count = count + excluded.count"
"""Counts; its parameters are the name and by how much."""


def add(tx: Transaction, name: str, count: int = 1) -> None:
    """Count, within a transaction that writes anyway."""
    tx.db.execute(ADD, [name, count])


def every(db: Database) -> dict[str, int]:
    """Return all counts."""
    return dict(db.execute("SELECT name, count FROM totals").fetchall())
