"""Gathers the facts that the hub's state is named from."""

import shutil

from sqlite_utils import Database

from hub.core.errors import Unavailable
from hub.core.status import Facts
from hub.core.tables import TABLES
from hub.store import outbox, pairing, quarantine, shelf
from hub.store.database import Store


def gather(store: Store, *, damage: tuple[str, ...] = ()) -> Facts:
    """Read and try: counts from the database, room on the disk, and one real write."""
    writable = can_write(store)
    free = shutil.disk_usage(store.path.parent).free
    try:
        with store.read() as db:
            return Facts(
                damage=damage,
                writable=writable,
                free_bytes=free,
                quarantined=quarantine.count(db),
                waiting=outbox.waiting(db),
                records=sum(counts(db).values()),
                devices=int(db.execute("SELECT count(*) FROM devices WHERE state = 'paired'").fetchone()[0]),
                pairing_left_s=pairing.left_s(db, store.now_ms(db)),
            )
    except Unavailable as error:
        return Facts(damage=(*damage, error.reason), writable=writable, free_bytes=free)


def counts(db: Database) -> dict[str, int]:
    """Count the live records of each table."""
    return {name: shelf.count(db, table) for name, table in TABLES.items()}


def can_write(store: Store) -> bool:
    """Write something and tell whether it worked."""
    try:
        with store.write(durable=False) as tx:
            return tx.now_ms > 0
    except Unavailable:
        return False
