"""Copies the database while the hub serves, and holds the rows that a copy needs changed before it is served itself."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

from hub.core.copy.entry import Part
from hub.core.errors import OperatorError
from hub.core.phone.sheets import ANY_CURSOR
from hub.store.box import state
from hub.store.copy import capture, rows
from hub.store.database import Store, Transaction, hub_time

_PAGES = 256
"""1 MB in one step."""
_PAUSE_S = 0.01
"""Before a step is tried again that somebody's lock was in the way of."""


def copy(store: Store, to: Path) -> None:
    """Write the database of now to a new file, in small steps beside phones that go on; raises OperatorError."""
    to.touch(mode=0o600)
    source, target = sqlite3.connect(store.path), sqlite3.connect(to)
    try:
        # In one view: without it SQLite would begin again whenever a phone writes.
        source.execute("BEGIN")
        source.execute("SELECT 1 FROM hub").fetchone()
        source.backup(target, pages=_PAGES, sleep=_PAUSE_S)
    except sqlite3.Error as error:
        raise OperatorError(f"the database cannot be copied: {error}") from error
    finally:
        target.close()
        source.close()


def covered(copied: Path) -> int:
    """Return the number of the last transaction that a copy has."""
    with closing(sqlite3.connect(copied)) as db:
        return int(db.execute("SELECT coalesce(max(seq), 0) FROM copy_log").fetchone()[0])


def replay(tx: Transaction, parts: Iterable[Part]) -> None:
    """Put the rows of a copy's entries into a database that is the backup before them."""
    known = capture.tables(tx.db)
    for part in parts:
        rows.put(tx.db, known, part)


def set_time(tx: Transaction, time_ms: int) -> None:
    """Set hub time, with every sign-in of a phone lasting as long as before; the clock of the old boot is gone."""
    later_ms = time_ms - hub_time(tx.db)
    tx.db.execute("UPDATE tokens SET issued = issued + :ms, expires = expires + :ms", {"ms": later_ms})
    tx.db.execute("UPDATE hub SET value = ? WHERE key = 'time'", [time_ms])
    tx.db.execute("DELETE FROM hub WHERE key = 'clock'")


def end_what_was_open(tx: Transaction) -> None:
    """Close pairing and sign everybody out of the pages."""
    state.forget(tx, state.PAIRING_UNTIL)
    tx.db.execute("DELETE FROM page_sessions")


def accept_any_cursor(tx: Transaction) -> None:
    """Accept from every phone, once, a cursor that was never given to it."""
    tx.db.execute("UPDATE ledger_heads SET settled = ?", [ANY_CURSOR])
