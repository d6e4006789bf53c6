"""Pairing: for how long new phones may pair (S2)."""

import msgspec

from hub.store.database import Store
from hub.store.phones import devices
from hub.store.phones import pairing as rows

_RECENT_MS = 15 * 60_000


class Pairing(msgspec.Struct, frozen=True):
    """How long pairing stays open, and which phones have just paired, newest first."""

    left_s: int
    recent: list[str]


def open_for(store: Store, minutes: int) -> None:
    """Open pairing for some minutes."""
    with store.write() as tx:
        rows.open_for(tx, minutes)


def close(store: Store) -> None:
    """Close pairing; paired phones are not touched."""
    with store.write() as tx:
        rows.close(tx)


def left_s(store: Store) -> int:
    """Return for how many seconds more pairing is open; 0 if it is closed."""
    with store.read() as db:
        return rows.left_s(db, store.now_ms(db))


def current(store: Store) -> Pairing:
    """Return how pairing stands."""
    with store.read() as db:
        now_ms = store.now_ms(db)
        recent = [device.name for device in devices.every(db) if now_ms - device.first_seen < _RECENT_MS]
        return Pairing(rows.left_s(db, now_ms), recent[::-1])
