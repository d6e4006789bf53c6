"""Rows of those who administer this hub by its page; names differ by more than their case."""

from collections.abc import Iterator
from typing import Any

from sqlite_utils import Database

from hub.store.database import Transaction


def any_there(db: Database) -> bool:
    """Whether there is an administrator."""
    return count(db) > 0


def count(db: Database) -> int:
    """Count the administrators."""
    return db.table("administrators").count


def every(db: Database) -> Iterator[dict[str, Any]]:
    """Return the administrators as ``{name, made}``, by name."""
    yield from db.query("SELECT name, made FROM administrators ORDER BY name")


def exists(db: Database, name: str) -> bool:
    """Whether there is an administrator of this name."""
    return hashed_password(db, name) is not None


def hashed_password(db: Database, name: str) -> str | None:
    """Return what is stored of an administrator's password; None when there is none of this name."""
    row = db.execute("SELECT hashed_password FROM administrators WHERE name = ?", [name]).fetchone()
    return str(row[0]) if row else None


def add(tx: Transaction, name: str, hashed: str) -> None:
    """Add an administrator."""
    tx.db.table("administrators").insert({"name": name, "hashed_password": hashed, "made": tx.now_ms})


def set_password(tx: Transaction, name: str, hashed: str) -> None:
    """Set what is stored of a password."""
    tx.db.execute("UPDATE administrators SET hashed_password = ? WHERE name = ?", [hashed, name])


def remove(tx: Transaction, name: str) -> None:
    """Remove an administrator."""
    tx.db.execute("DELETE FROM administrators WHERE name = ?", [name])
