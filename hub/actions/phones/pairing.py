"""PairingStatus: for how long new phones may pair (S2)."""

import msgspec

from hub.store.box import state
from hub.store.database import Store
from hub.store.people import audit
from hub.store.phones import devices

_RECENT_MS = 15 * 60_000


class PairingStatus(msgspec.Struct, frozen=True):
    """How long pairing stays open, and which phones have just paired, newest first."""

    left_s: int
    recent: list[str]


def open_for(store: Store, minutes: int) -> None:
    """Open pairing for some minutes."""
    with store.write() as tx:
        state.put(tx, state.PAIRING_UNTIL, tx.now_ms + minutes * 60_000)
        audit.note(tx, "pairing.opened", detail=f"{minutes} min")


def close(store: Store) -> None:
    """Close pairing; paired phones are not touched."""
    with store.write() as tx:
        state.forget(tx, state.PAIRING_UNTIL)
        audit.note(tx, "pairing.closed")


def left_s(store: Store) -> int:
    """Return for how many seconds more pairing is open; 0 if it is closed."""
    with store.read() as db:
        return state.left_s(db, state.PAIRING_UNTIL, store.now_ms(db))


def current(store: Store) -> PairingStatus:
    """Return how pairing stands."""
    with store.read() as db:
        now_ms = store.now_ms(db)
        recent = [device.name for device in devices.every(db) if now_ms - device.first_seen < _RECENT_MS]
        return PairingStatus(state.left_s(db, state.PAIRING_UNTIL, now_ms), recent[::-1])
