"""Which phone may talk to the hub, and for whom it speaks (S2, S5)."""

import contextlib

from hub.core.errors import Forbidden, Unauthorised, Unavailable
from hub.core.phone import device as rules
from hub.core.phone.device import Device
from hub.core.phone.token_life import DAY_MS, TokenLife
from hub.core.records.access import Rights
from hub.store.box import state
from hub.store.database import Store, Transaction
from hub.store.people import audit
from hub.store.phones import callers, devices, reached, sessions


def find(store: Store, client_id: str) -> Device | None:
    """Return the phone with this client_id, paired or blocked."""
    with store.read() as db:
        return callers.find(db, client_id)


def admit(
    store: Store, client_id: str, name: str | None, *, always_open: bool, most: int, has_come: bool = False
) -> Device:
    """Return the phone that wants a session; an unknown one as a newcomer, if pairing is open.

    has_come: it came while pairing was open, and nobody has signed in on it yet: typing a password takes a while.

    Nothing is written: whoever is on the Wi-Fi can send handshakes without end. A phone is added when somebody signs in
    on it. Raises Forbidden for a blocked phone or while pairing is closed, Unavailable where no more are remembered.
    """
    with store.read() as db:
        device = callers.find(db, client_id)
        is_open = always_open or has_come or state.left_s(db, state.PAIRING_UNTIL, store.now_ms(db)) > 0
        has_room = devices.count(db) < most or devices.oldest_unused(db) is not None
    if device:
        return rules.require_paired(device)
    if not is_open:
        raise Forbidden("pairing is closed")
    if not has_room:
        raise _full()
    return rules.newcomer(client_id, name or "")


def pair(tx: Transaction, client_id: str, name: str | None, *, most: int) -> Device:
    """Add a phone within a transaction; past ``most`` the oldest makes room on which nobody ever signed in.

    Raises Unavailable where there is none.
    """
    if devices.count(tx.db) >= most:
        unused = devices.oldest_unused(tx.db)
        if unused is None:
            raise _full()
        devices.forget(tx, unused)
    num = devices.next_num(tx)
    device = devices.add(tx, num, client_id, rules.shown_name(name, num))
    audit.note(tx, "device.paired", device=num)
    return device


def note_reached(store: Store, device: Device, host: str) -> None:
    """Note the host by which a phone reached the hub, where it has changed."""
    with store.read() as db:
        is_known = not host or reached.of(db, device.num) == host
    if not is_known:
        with store.write(durable=False) as tx:
            reached.note(tx, device.num, host)


def _full() -> Unavailable:
    return Unavailable("the hub remembers no more phones; forget some with 'hikma-hub device forget'")


def is_signed_in(store: Store, device: Device) -> bool:
    """Whether somebody is signed in on a phone."""
    with store.read() as db:
        return callers.is_signed_in(db, device.num, now_ms=store.now_ms(db))


def rights(store: Store, device: Device, token: str | None, life: TokenLife) -> Rights:
    """Return what the token's user may do; raises Unauthorised unless it was issued to this phone.

    Use renews a token, at most once a day.
    """
    with store.read() as db:
        now_ms = store.now_ms(db)
        found = callers.find_token(db, token, device=device.num, now_ms=now_ms) if token else None
        granted = callers.rights(db, found.user_id, found.role) if found else None
    if found is None or granted is None:
        raise Unauthorised("no valid token")
    if found.ends_ms - now_ms > (life.days - 1) * DAY_MS:
        return granted  # so it is for most: they were renewed within a day
    ends_ms = life.renewed_ms(found.issued_ms, found.ends_ms, now_ms)
    if token and ends_ms:
        with contextlib.suppress(Unavailable), store.write(durable=False) as tx:  # a full disk refuses no pull
            sessions.renew_token(tx, token, ends_ms)
    return granted
