"""Writes a damaged database anew where every row can still be read: only what is made of rows was damaged, as indexes.

A row that cannot be read is for people: a copy, a backup or the cloud may have it. Nothing is left out by itself.
"""

import sqlite3
from contextlib import closing
from pathlib import Path

from hub import files
from hub.core.records.tables import TABLES
from hub.store.records import search

_TABLES = (
    "SELECT name, sql FROM damaged.sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT GLOB 'sqlite_*'"
)
_INDEXES = "SELECT sql FROM damaged.sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
_WITHOUT_PAGES = (
    "INSERT INTO main.sqlite_schema SELECT * FROM damaged.sqlite_schema"
    " WHERE type IN ('view', 'trigger') OR type = 'table' AND rootpage = 0"
)


def anew(file: Path) -> bool:
    """Put a sound database in the place of a damaged one that nobody has open; returns whether that was possible.

    The damaged one is kept beside it, as ``before`` names it. A power cut leaves the one or the other.
    """
    made = file.with_name(f".{file.name}.anew")
    made.unlink(missing_ok=True)
    try:
        made.touch(mode=0o600)
        _bring_log_in(file)
        _write(file, made)
        files.flush(made)
        before(file).unlink(missing_ok=True)
        before(file).hardlink_to(file)
        made.replace(file)
        files.flush(file.parent)
    except (sqlite3.Error, OSError):
        made.unlink(missing_ok=True)
        return False
    return True


def before(file: Path) -> Path:
    """Return where a damaged database is kept when another one took its place."""
    return file.with_name(f"{file.name}.before")


def forget(file: Path) -> None:
    """Remove the damaged one: the hub has started well with the other."""
    before(file).unlink(missing_ok=True)


def _bring_log_in(file: Path) -> None:
    """End the log of writes: it belongs to the old file, and SQLite would apply it to the new one."""
    with closing(sqlite3.connect(file)) as db:
        is_busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    log = file.with_name(f"{file.name}-wal")
    if is_busy or (log.exists() and log.stat().st_size):
        raise OSError("the log cannot be brought into the database")


def _write(file: Path, made: Path) -> None:
    """Copy every row, and make of them what else there is; raises sqlite3.Error where one cannot be read."""
    with closing(sqlite3.connect(made, isolation_level=None)) as db:
        search.register(db)
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("ATTACH DATABASE ? AS damaged", [str(file)])
        db.execute("BEGIN")
        for name, sql in db.execute(_TABLES).fetchall():
            db.execute(sql)
            columns = ", ".join(f"[{column}]" for column in _stored(db, name))
            # Without a condition SQLite would copy the indexes as they are, instead of making them.
            db.execute(
                f"INSERT INTO main.[{name}] ({columns}) SELECT {columns} FROM damaged.[{name}] NOT INDEXED WHERE 1"
            )
        for (sql,) in db.execute(_INDEXES).fetchall():
            db.execute(sql)
        db.execute("PRAGMA writable_schema = ON")
        db.execute(_WITHOUT_PAGES)
        db.execute("COMMIT")
        db.execute("DETACH DATABASE damaged")
    with closing(sqlite3.connect(made)) as db:
        _prove(db)


def _stored(db: sqlite3.Connection, name: str) -> list[str]:
    """Return the columns of a table that are not computed."""
    return [column for _, column, *_, hidden in db.execute(f"PRAGMA damaged.table_xinfo([{name}])") if not hidden]


def _prove(db: sqlite3.Connection) -> None:
    """Raise sqlite3.Error unless all is well, and neither a record is missing nor one that waits for the cloud.

    Numbers are given without gaps; what is in the outbox the database counts row by row.
    """
    search.register(db)
    found = [row[0] for row in db.execute("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        raise sqlite3.DatabaseError(found[0])
    for name in TABLES:
        records, first, last = db.execute(f"SELECT count(*), min(num), max(num) FROM [{name}]").fetchone()
        if records and records != last - first + 1:
            raise sqlite3.DatabaseError(f"records of {name} are missing")
    [queued] = db.execute("SELECT count(*) FROM outbox").fetchone()
    [counted] = db.execute("SELECT sum(records) FROM outbox_counts").fetchone()
    if queued != counted:
        raise sqlite3.DatabaseError("it is not known what waits for the cloud")
