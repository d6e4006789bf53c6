"""Takes a copy of the database for a backup, and prepares a restored copy to take over from the hub that died."""

import time
from collections.abc import Iterable
from pathlib import Path

from hub.actions.box import copying, identity
from hub.core.clock import resumed_ms
from hub.core.copy.entry import Part
from hub.core.errors import Damaged, OperatorError, TooNew, Unavailable
from hub.store import migrations, snapshot
from hub.store.box import state
from hub.store.database import FILE_NAME, Store, hub_time
from hub.store.people import audit


def copy(store: Store, to: Path) -> None:
    """Write the database of now to a new file while the hub serves; raises OperatorError."""
    snapshot.copy(store, to)


def note_whole(store: Store) -> None:
    """Note that a backup was made to its last byte."""
    with store.write() as tx:
        state.put(tx, state.BACKED_UP, tx.now_ms)


def covered(copied: Path) -> int:
    """Return the number of the last transaction that a copy has."""
    return snapshot.covered(copied)


def replay(folder: Path, parts: Iterable[Part]) -> None:
    """Bring the backup in ``folder`` up to date by what a copy journal has after it.

    Raises Damaged where they do not fit, and then the backup is as it was.
    """
    store = Store(folder)
    try:
        with store.write() as tx:
            kept = copying.forget(tx)  # or what is replayed would be noted for a copy
        with store.write() as tx:
            snapshot.replay(tx, parts)
            if kept:
                copying.keep(tx, kept)
    except Unavailable as error:
        raise Damaged(f"the journal does not fit the backup: {error.reason}") from error
    finally:
        store.close()


def revive(folder: Path, *, has_same_keys: bool = False, is_copy_kept: bool = True) -> None:
    """Check the copy in ``folder`` and let it go on as the hub; raises OperatorError or Damaged where it cannot.

    Hub time goes on beyond what the dead hub can have said; no sign-in runs out by that (P9). It draws a new identity,
    unless it has_same_keys: who has the dead hub cannot pose as this one to an app that checks; today's app takes a new
    key without being asked. Its epoch is one more than the dead hub's, and its copy begins anew; not is_copy_kept: it
    would be on this very box.

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
                raise TooNew("the backup was made by a newer hub; update this one first")
            snapshot.set_time(tx, resumed_ms(hub_time(tx.db), time.time_ns() // 1_000_000))
            snapshot.end_what_was_open(tx)
            snapshot.accept_any_cursor(tx)
            copying.begin_anew(tx, is_kept=is_copy_kept)
            if not has_same_keys:
                identity.new_keys(tx)
            audit.note(tx, "backup.restored")
    finally:
        store.close()
