"""Phones that have paired: which there are, what each lacks, blocking one and forgetting it (S2)."""

from collections.abc import Collection, Iterator

import msgspec

from hub.actions.phones import pull
from hub.core.errors import NotThere
from hub.core.phone import reach
from hub.core.phone.device import Device, DeviceState, fit_name, shown_name
from hub.core.phone.reach import Moved
from hub.store.database import Store, Transaction, View
from hub.store.people import audit, users
from hub.store.phones import backlog, callers, reached, sessions, twins
from hub.store.phones import devices as rows
from hub.store.phones.backlog import LargeRecord

__all__ = [
    "Device",
    "LargeRecord",
    "ListedDevice",
    "block",
    "end_sign_ins",
    "every",
    "forget",
    "forget_strangers",
    "moved",
    "newest",
    "rename",
    "report_lost",
    "unblock",
]


_UNCONFIRMED = 3
"""One or two answers get lost on any Wi-Fi."""
_AHEAD_MS = 30 * 86_400_000
"""After so long, what a phone has and the hub lacks was done again or is not missed."""


class ListedDevice(msgspec.Struct, frozen=True):
    """A phone as lists show it; ``behind`` counts the records that it lacks.

    asks: about how many more syncs it takes to find out what it has (core.phone.doubt).
    """

    device: Device
    behind: int
    asks: int
    user: str
    """Name of who last signed in on it; "" for nobody."""
    seen_s: int
    synced_s: int | None
    """Ages in seconds: when it was last seen, and when it last synced."""
    too_large: tuple[LargeRecord, ...] = ()
    """Records that it was sent one by one, and has not stored yet."""
    twins: int = 0
    """How many phones take turns under its id, if there are several."""
    unconfirmed: int = 0
    """How many answers it was given in a row and did not store, if there are several."""
    is_ahead: bool = False
    """It synced with a hub that died, after the backup was made of which this one is."""

    @property
    def suggested_name(self) -> str:
        """Its name, or who signed in on it as long as it has but a number."""
        is_numbered = self.device.name == shown_name(None, self.device.num)
        return self.user if is_numbered and self.user else self.device.name

    @property
    def is_blocked(self) -> bool:
        """Whether the hub refuses it."""
        return self.device.state is DeviceState.REVOKED


def every(store: Store) -> list[ListedDevice]:
    """List all phones in the order in which they paired."""
    with store.read() as db:
        return list(_listed(store, db, list(rows.every(db))))


def newest(store: Store, most: int) -> tuple[list[ListedDevice], int]:
    """Return the phones that were seen last, ``most`` of them, and how many there are in all."""
    with store.read() as db:
        known = sorted(rows.every(db), key=lambda device: -device.last_seen)
        return list(_listed(store, db, known[:most])), len(known)


def moved(store: Store, own: Collection[str]) -> list[Moved]:
    """Return the addresses that phones used lately and that are not among the hub's ``own`` any more."""
    with store.read() as db:
        return reach.moved(reached.counts(db, store.now_ms(db)), own)


def block(store: Store, client_id: str) -> Device:
    """Block a phone: its sign-ins end and its next message is refused; raises NotThere for an unknown one."""
    with store.write() as tx:
        found = rows.revoke(tx, client_id)
        if found is None:
            raise _unknown(client_id)
        return found


def report_lost(store: Store, client_id: str, *, everywhere: bool) -> Device:
    """Block a phone that was lost; raises NotThere for an unknown one.

    everywhere: who was signed in on it must sign in again on every phone, for the password may be known.
    """
    with store.write() as tx:
        user_id = _known(tx, client_id).user_id
        found = rows.revoke(tx, client_id)
        if found is None:
            raise _unknown(client_id)
        if everywhere and user_id:
            sessions.revoke_tokens(tx, user_id=user_id)
            audit.note(tx, "token.revoked", user_id=user_id)
        return found


def unblock(store: Store, client_id: str) -> Device:
    """Let a blocked phone sync again, once somebody has signed in on it; raises NotThere for an unknown one.

    What it has not sent comes with its next sync.
    """
    with store.write() as tx:
        found = _known(tx, client_id)
        rows.unblock(tx, found.num)
        audit.note(tx, "device.unblocked", device=found.num)
        return found


def rename(store: Store, client_id: str, name: str) -> Device:
    """Give a phone a name that people know it by; raises NotThere, and OperatorError for a name that is none."""
    fit = fit_name(name)
    with store.write() as tx:
        found = _known(tx, client_id)
        rows.rename(tx, found.num, fit)
        audit.note(tx, "device.renamed", device=found.num, detail=found.name)
        return msgspec.structs.replace(found, name=fit)


def forget(store: Store, client_id: str) -> Device:
    """Forget a phone; it can pair again while pairing is open. Raises NotThere for an unknown one.

    Its sign-ins end and what is known of its records goes; the records that came from it stay.
    """
    with store.write() as tx:
        found = _known(tx, client_id)
        rows.forget(tx, found.num)
        audit.note(tx, "device.forgotten", device=found.num, detail=found.name)
        return found


def forget_strangers(store: Store) -> int:
    """Forget the phones, blocked ones too, on which nobody ever signed in; returns how many. For after a flood."""
    with store.write() as tx:
        found = [device for device in rows.every(tx.db) if device.user_id is None]
        for device in found:
            rows.forget(tx, device.num)
        if found:
            audit.note(tx, "device.strangers_forgotten", detail=str(len(found)))
        return len(found)


def end_sign_ins(store: Store, *, email: str | None = None, client_id: str | None = None) -> int:
    """End the sign-ins of a user, on a phone, or, with neither, all; returns how many. Raises NotThere."""
    with store.write() as tx:
        user = users.find_by_email(tx.db, email) if email else None
        phone = callers.find(tx.db, client_id) if client_id else None
        if (email and not user) or (client_id and not phone):
            raise NotThere("there is no such user or phone")
        user_id, device = user.id if user else None, phone.num if phone else None
        ended = sessions.revoke_tokens(tx, user_id=user_id, device=device)
        audit.note(tx, "token.revoked", device=device, user_id=user_id)
        return ended


def _known(tx: Transaction, client_id: str) -> Device:
    found = callers.find(tx.db, client_id)
    if found is None:
        raise _unknown(client_id)
    return found


def _unknown(client_id: str) -> NotThere:
    return NotThere(f"there is no phone {client_id}; see 'hikma-hub device list'")


def _listed(store: Store, db: View, found: list[Device]) -> Iterator[ListedDevice]:
    now_ms, names = store.now_ms(db), {user.id: user.name for user in users.every(db)}
    for device in found:
        ledger, head = pull.likely(db, device.num), pull.head(db, device.num)
        yield ListedDevice(
            device,
            behind=ledger.behind(),
            asks=ledger.answers_left(),
            user=names.get(device.user_id or "", ""),
            seen_s=(now_ms - device.last_seen) // 1000,
            synced_s=(now_ms - device.last_sync) // 1000 if device.last_sync else None,
            too_large=tuple(backlog.large_suspects(db, ledger.device)),
            twins=_twins(db, device, now_ms),
            unconfirmed=head.attempts if head.attempts >= _UNCONFIRMED else 0,
            is_ahead=head.ahead > now_ms - _AHEAD_MS,
        )


def _twins(db: View, device: Device, now_ms: int) -> int:
    found = twins.in_use(db, device.num, now_ms)
    return found if found > 1 else 0
