"""Measures the database for a technician: how much is in it and whether it is whole, nothing of what is in it (S6)."""

import sqlite3
from typing import Any

from sqlite_utils import Database

from hub.store.database import Store
from hub.store.migrations import migrations

_FINDINGS = 20


def take(store: Store) -> dict[str, Any]:
    """Count every table and check the file, which takes as long as reading all of it.

    Sizes in bytes. ``damage`` is what the check found, in SQLite's words, which name tables, indexes and pages.
    """
    with store.read() as db:
        page_bytes, pages, free = (_pragma(db, name) for name in ("page_size", "page_count", "freelist_count"))
        found = {
            "sqlite": sqlite3.sqlite_version,
            "schema_steps": len(migrations.applied(db)),
            "schema_steps_missing": len(migrations.pending(db)),
            "size_bytes": page_bytes * pages,
            "free_bytes": page_bytes * free,
            "rows": {name: _count(db, name) for name in sorted(db.table_names()) if not name.startswith("sqlite_")},
        }
    return {**found, "damage": store.check(full=True)[:_FINDINGS]}


def _pragma(db: Database, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])


def _count(db: Database, name: str) -> int:
    return int(db.execute(f"SELECT count(*) FROM [{name}]").fetchone()[0])
