"""Writes a damaged database anew: whole, where only what is made of rows was damaged, as indexes; or else in part.

A row that cannot be read is for people: a copy, a backup or the cloud may have it.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from hub import files
from hub.core.records.tables import TABLES
from hub.store.records import search
from hub.store.unreadable import Row, every, readable

_TABLES = (
    "SELECT name, sql FROM damaged.sqlite_schema WHERE type = 'table' AND rootpage > 0 AND name NOT GLOB 'sqlite_*'"
)
_SEARCHED = "SELECT name FROM sqlite_schema WHERE sql LIKE 'CREATE VIRTUAL TABLE%fts5%'"
_MADE_OF_TEXTS = ("data", "idx", "docsize")
"""What FTS5 makes of the texts of a table that is searched, in tables that are named after it."""
_NO_TEXTS = "INSERT INTO [{0}_data] (id, block) VALUES (1, x'0000'), (10, x'00000000000000')"
"""An index of nothing (the documentation of FTS5, "FTS5 data structures")."""
_INDEXES = "SELECT sql FROM damaged.sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"
_WITHOUT_PAGES = (
    "INSERT INTO main.sqlite_schema SELECT * FROM damaged.sqlite_schema"
    " WHERE type IN ('view', 'trigger') OR type = 'table' AND rootpage = 0"
)


_Rows = Callable[[sqlite3.Connection, str, list[str]], Iterator[list[Row]]]
"""Yields rows of a table by its name, with these columns."""


def anew(file: Path) -> bool:
    """Put a sound database with every row in the place of a damaged one that nobody has open; returns whether it could.

    The damaged one is kept beside it, as ``before`` names it. A power cut leaves the one or the other.
    """
    return _replace(file, every, _prove_whole)


def in_part(file: Path) -> bool:
    """Do the same with the rows that can be read, if the hub can be known by them."""
    return _replace(file, readable, _prove_known)


def _replace(file: Path, rows: _Rows, prove: Callable[[sqlite3.Connection], None]) -> bool:
    made = file.with_name(f".{file.name}.anew")
    made.unlink(missing_ok=True)
    try:
        made.touch(mode=0o600)
        _bring_log_in(file)
        _write(file, made, rows)
        with closing(sqlite3.connect(made)) as db:
            _prove_sound(db)
            prove(db)
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


def _write(file: Path, made: Path, rows: _Rows) -> None:
    """Copy rows, and make of them what else there is."""
    with closing(sqlite3.connect(file)) as damaged, closing(sqlite3.connect(made, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = OFF")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("ATTACH DATABASE ? AS damaged", [str(file)])
        db.execute("BEGIN")
        searched = [name for (name,) in damaged.execute(_SEARCHED)]
        made_of_texts = {f"{name}_{part}" for name in searched for part in _MADE_OF_TEXTS}
        for name, sql in db.execute(_TABLES).fetchall():
            db.execute(sql)
            if name in made_of_texts:
                continue
            columns = _stored(db, name)
            marks = ", ".join("?" * len(columns))
            insert = f"INSERT INTO main.[{name}] ({', '.join(columns)}) VALUES ({marks})"
            for some in rows(damaged, name, columns):
                db.executemany(insert, some)
        for (sql,) in db.execute(_INDEXES).fetchall():
            db.execute(sql)
        db.execute("PRAGMA writable_schema = ON")
        db.execute(_WITHOUT_PAGES)
        db.execute("COMMIT")
        db.execute("DETACH DATABASE damaged")
    with closing(sqlite3.connect(made)) as db, db:
        for name in searched:
            db.execute(_NO_TEXTS.format(name))
            db.execute(f"INSERT INTO [{name}] ([{name}]) VALUES ('rebuild')")


def _stored(db: sqlite3.Connection, name: str) -> list[str]:
    """Return the columns of a table that are not computed, in brackets."""
    columns = db.execute(f"PRAGMA damaged.table_xinfo([{name}])")
    return [f"[{column}]" for _, column, *_, hidden in columns if not hidden]


def _prove_sound(db: sqlite3.Connection) -> None:
    """Raise sqlite3.Error unless SQLite finds nothing wrong."""
    search.register(db)
    found = [row[0] for row in db.execute("PRAGMA integrity_check(1)")]
    if found != ["ok"]:
        raise sqlite3.DatabaseError(found[0])


def _prove_whole(db: sqlite3.Connection) -> None:
    """Raise sqlite3.Error where a record is missing, or one that waits for the cloud.

    Numbers are given without gaps; what is in the outbox the database counts row by row.
    """
    for name in TABLES:
        records, first, last = db.execute(f"SELECT count(*), min(num), max(num) FROM [{name}]").fetchone()
        if records and records != last - first + 1:
            raise sqlite3.DatabaseError(f"records of {name} are missing")
    [queued] = db.execute("SELECT count(*) FROM outbox").fetchone()
    [counted] = db.execute("SELECT sum(records) FROM outbox_counts").fetchone()
    if queued != counted:
        raise sqlite3.DatabaseError("it is not known what waits for the cloud")


def _prove_known(db: sqlite3.Connection) -> None:
    """Raise sqlite3.Error unless it says which hub it is, with the key by which phones know it."""
    known = {key for (key,) in db.execute("SELECT key FROM hub")}
    if not {"id", "private_key"} <= known:
        raise sqlite3.DatabaseError("it is not known which hub it is")
