"""Keeps what was not accepted for people to see, where there is room for it (P7, S10)."""

from hub.core.errors import Unavailable
from hub.core.records import quarantine_room
from hub.store import quarantine
from hub.store.database import Transaction
from hub.store.quarantine import Refused


def has_room(tx: Transaction, device: int, size: int = 1) -> bool:
    """Whether an entry of so many bytes finds room in the share of a device."""
    own, total = quarantine.held_of(tx.db, device)
    return quarantine_room.has_room(own, total, size, records_max=tx.quarantine_max)


def keep(tx: Transaction, refused: Refused) -> bool:
    """Keep a refused record; the same one refused again is kept once. Return whether it is new.

    Raises Unavailable where the device has its share: rather no push at all than a record dropped.
    """
    if quarantine.has(tx.db, refused):
        return False
    if not has_room(tx, refused.device, len(refused.raw.encode())):
        raise Unavailable("quarantine is full for this phone")
    quarantine.add(tx, refused)
    return True
