"""Gathers the facts that the hub's state is named from."""

import shutil
from typing import Any

from hub.core.cloud import cycle_outcome
from hub.core.errors import Unavailable
from hub.core.records.tables import TABLES
from hub.core.status.state import Facts
from hub.store import quarantine
from hub.store.box import locating
from hub.store.cloud import connection, outbox
from hub.store.database import Store, View
from hub.store.phones import pairing
from hub.store.records import record_rows

_DAY_MS = 86_400_000
_SYNCING_MS = 5_000
"""A phone that synced so recently is shown as syncing."""


def gather(
    store: Store, *, damage: tuple[str, ...] = (), writable: bool | None = None, records: int | None = None
) -> Facts:
    """Read and try: counts from the database, room on the disk, and one real write.

    writable, records: what is known already; left out, they are found out, which takes a write and a long count.
    """
    writable = can_write(store) if writable is None else writable
    free = shutil.disk_usage(store.path.parent).free
    try:
        with store.read() as db:
            now_ms = store.now_ms(db)
            paired = _devices(db, now_ms)
            return Facts(
                damage=damage,
                writable=writable,
                free_bytes=free,
                quarantined=quarantine.count(db),
                records=sum(counts(db).values()) if records is None else records,
                devices=paired[0],
                devices_today=paired[1],
                syncing=paired[2],
                pairing_left_s=pairing.left_s(db, now_ms),
                locating_left_s=locating.left_s(db, now_ms),
                **_cloud(db, now_ms),
            )
    except Unavailable as error:
        return Facts(damage=(*damage, error.reason), writable=writable, free_bytes=free)


def _devices(db: View, now_ms: int) -> tuple[int, int, int]:
    """Count the paired phones, those that synced within a day, and those that sync now."""
    row = db.execute(
        "SELECT count(*), sum(last_sync > ?), sum(last_sync > ?) FROM devices WHERE state = 'paired'",
        [now_ms - _DAY_MS, now_ms - _SYNCING_MS],
    ).fetchone()
    return int(row[0]), int(row[1] or 0), int(row[2] or 0)


def _cloud(db: View, now_ms: int) -> dict[str, Any]:
    """Return how far the relay is."""
    last, since = connection.last(db), outbox.waiting_since(db)
    return {
        "cloud": connection.link(db) is not None,
        "waiting": outbox.waiting(db),
        "waiting_s": 0 if since is None else (now_ms - since) // 1000,
        "unproven": outbox.unproven(db),
        "relaying": bool(last.running_since_ms),
        "relayed_ago_s": (now_ms - last.succeeded_ms) // 1000 if last.succeeded_ms else None,
        "trouble": cycle_outcome.trouble(last.outcome),
    }


def counts(db: View) -> dict[str, int]:
    """Count the live records of each table."""
    return {name: record_rows.count(db, table) for name, table in TABLES.items()}


def can_write(store: Store) -> bool:
    """Write something and tell whether it worked."""
    try:
        with store.write(durable=False) as tx:
            return tx.now_ms > 0
    except Unavailable:
        return False
