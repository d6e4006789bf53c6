"""Which phone may talk to the hub, by which key, and for whom it speaks (S2, S3, S5)."""

from hub.core.errors import Conflict, Forbidden, Unauthorised, Unavailable
from hub.core.phone import device as rules
from hub.core.phone.device import Device
from hub.core.records.access import Rights
from hub.store.box import state
from hub.store.database import Store, Transaction
from hub.store.people import audit, users
from hub.store.phones import devices, reached, sessions

SPENT_KEYS = 2_000_000
"""About 40 MB. When it is reached the hub draws a new key pair, under which none of them means anything."""


def find(store: Store, client_id: str) -> Device | None:
    """Return the phone with this client_id, paired or blocked."""
    with store.read() as db:
        return devices.find(db, client_id)


def admit(store: Store, client_id: str, name: str | None, *, public_key: bytes, always_open: bool, most: int) -> Device:
    """Return the phone that wants a session; an unknown one pairs, if pairing is open.

    Raises Forbidden for a blocked phone or while pairing is closed, Conflict for a key that was used before.
    """
    with store.read() as db:
        device = devices.find(db, client_id)
        is_open = always_open or state.left_s(db, state.PAIRING_UNTIL, store.now_ms(db)) > 0
    if device:
        return rules.require_paired(device)
    if not is_open:
        raise Forbidden("pairing is closed")
    with store.write() as tx:
        _check_unspent(tx, public_key)
        return devices.find(tx.db, client_id) or pair(tx, client_id, name, most=most)


def pair(tx: Transaction, client_id: str, name: str | None, *, most: int) -> Device:
    """Pair a new phone within a transaction.

    Past ``most`` the longest unseen one that nobody ever signed in on makes room, so that strangers cannot fill the
    table while pairing is open; raises Unavailable when there is none.
    """
    if devices.count(tx.db) >= most and not devices.drop_unused(tx):
        raise Unavailable(f"{most} devices are paired; revoke and forget some")
    num = devices.next_num(tx)
    device = devices.add(tx, num, client_id, rules.shown_name(name, num))
    audit.note(tx, "device.paired", device=num)
    return device


def spend(store: Store, public_key: bytes) -> None:
    """Note that a phone's public key opened a session; raises Conflict if it ever did before.

    A captured handshake would bring its key back, and with it every message captured under that key. Not durable by
    itself: whatever the session changes is committed after it, and takes it to disk along.
    """
    with store.write(durable=False) as tx:
        _check_unspent(tx, public_key)
        sessions.spend(tx, public_key)


def spent(store: Store) -> int:
    """Count the keys that were spent under the hub's present key pair."""
    with store.read() as db:
        return sessions.spent(db)


def note_reached(store: Store, device: Device, host: str) -> None:
    """Note the host by which a phone reached the hub, where it has changed."""
    with store.read() as db:
        is_known = not host or reached.of(db, device.num) == host
    if not is_known:
        with store.write(durable=False) as tx:
            reached.note(tx, device.num, host)


def rights(store: Store, device: Device, token: str | None) -> Rights:
    """Return what the token's user may do; raises Unauthorised unless it was issued to this phone."""
    with store.read() as db:
        user_id = token and sessions.token_user(db, token, device=device.num, now_ms=store.now_ms(db))
        user = users.find(db, user_id) if user_id else None
        if user is None or user.is_deleted:
            raise Unauthorised("no valid token")
        return users.rights(db, user)


def _check_unspent(tx: Transaction, public_key: bytes) -> None:
    if sessions.is_spent(tx.db, public_key):
        raise Conflict("client public key was used before")
