"""Copies the database while the hub serves, and makes a copy the database of a hub that goes on where that one died.

A phone may have synced with the hub that died after the copy was made: its cursor is then a timestamp that the copy
never heard of. Such a phone is trusted once to hold what the copy says it holds (store.phones.ledger.TRUST): sending it
everything again would lay the copy's old records over newer ones, of which the phone may hold the only one.
"""

import sqlite3
import time
from pathlib import Path

from hub.core.clock import resumed_ms
from hub.core.errors import Damaged, OperatorError
from hub.store import migrations
from hub.store.box import identity
from hub.store.database import FILE_NAME, Store, hub_time
from hub.store.people import audit
from hub.store.phones.ledger import TRUST

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


def revive(folder: Path) -> None:
    """Check the copy in ``folder`` and let it go on as the hub; raises OperatorError where it cannot.

    Hub time goes on beyond what the dead hub can have said; no sign-in runs out by that (P9). A new key pair ends every
    session of the dead hub, so that what was captured on the Wi-Fi cannot be brought back (S3); today's app takes a
    new key without being asked.
    """
    if not (folder / FILE_NAME).is_file():
        raise OperatorError("the backup holds no database")
    store = Store(folder)
    try:
        found = store.check(full=True)
        if found:
            raise Damaged(found[0])
        with store.write() as tx:
            if migrations.is_newer(tx.db):
                raise OperatorError("the backup was made by a newer hub; update this one first")
            kept_ms = hub_time(tx.db)
            time_ms = resumed_ms(kept_ms, time.time_ns() // 1_000_000)
            tx.db.execute("UPDATE hub SET value = ? WHERE key = 'time'", [time_ms])
            tx.db.execute("UPDATE tokens SET expires = expires + ?", [time_ms - kept_ms])
            tx.db.execute("DELETE FROM hub WHERE key IN ('clock', 'pairing_until')")
            tx.db.execute("DELETE FROM page_sessions")
            tx.db.execute("UPDATE ledger_heads SET settled = ?", [TRUST])
            identity.new_keys(tx)
            audit.note(tx, "backup.restored")
    finally:
        store.close()
