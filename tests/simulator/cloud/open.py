"""Opens a store by what an operator names: a directory for SQLite, a connection string for PostgreSQL."""

from pathlib import Path

from tests.simulator.cloud.sqlite import SqliteStore
from tests.simulator.cloud.store import CloudStore


def open_store(where: Path | str) -> CloudStore:
    """Open a SQLite file in the directory ``where``, or PostgreSQL when it is a connection string, tables made."""
    store: CloudStore
    if isinstance(where, Path):
        where.mkdir(parents=True, exist_ok=True)
        store = SqliteStore(where / "cloud.db")
    else:
        # PostgreSQL's driver is needed by tests only; the demo runs without it.
        from tests.simulator.cloud.postgres import PostgresStore  # noqa: PLC0415

        store = PostgresStore(where)
    store.create_tables()
    return store
