"""Takes a copy of the database for a backup, and prepares a restored copy to take over from the hub that died."""

import time
from pathlib import Path

from hub.actions.box import identity
from hub.core.clock import resumed_ms
from hub.core.errors import Damaged, OperatorError
from hub.store import migrations, snapshot
from hub.store.database import FILE_NAME, Store, hub_time
from hub.store.people import audit


def copy(store: Store, to: Path) -> None:
    """Write the database of now to a new file while the hub serves; raises OperatorError."""
    snapshot.copy(store, to)


def revive(folder: Path) -> None:
    """Check the copy in ``folder`` and let it go on as the hub; raises OperatorError or Damaged where it cannot.

    Hub time goes on beyond what the dead hub can have said; no sign-in runs out by that (P9). It draws a new identity:
    who has the dead hub cannot pose as this one to an app that checks; today's app takes a new key without being asked.

    A phone may have synced with the dead hub after the copy was made: its cursor is then a timestamp that the copy has
    never heard of. Such a phone is believed once to have what the copy says it has: sending it everything again would
    lay the copy's old records over newer ones, of which the phone may have the only one.
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
            snapshot.set_time(tx, resumed_ms(hub_time(tx.db), time.time_ns() // 1_000_000))
            snapshot.end_what_was_open(tx)
            snapshot.accept_any_cursor(tx)
            identity.new_keys(tx)
            audit.note(tx, "backup.restored")
    finally:
        store.close()
