"""Refused phones: kept sparingly, and listed for people with their names."""

from collections.abc import Iterable

import msgspec

from hub.core.phone.refusal import UNKNOWN, Refusal, RefusalReason
from hub.store.database import Store, View
from hub.store.phones import devices
from hub.store.phones import refusals as rows

_SHOWN_MAX = 20

__all__ = ["UNKNOWN", "Refusal", "RefusalReason", "RefusedPhone", "every", "forget", "keep", "listed", "now_ms"]


class RefusedPhone(msgspec.Struct, frozen=True):
    """A refused phone as people read of it; ``name`` and ``client_id`` are "" for those that the hub does not know."""

    name: str
    client_id: str
    reason: RefusalReason
    times: int
    ago_s: int


def now_ms(store: Store) -> int:
    """Return the hub time of now; also on a full disk."""
    with store.read() as db:
        return store.now_ms(db)


def every(store: Store) -> list[Refusal]:
    """Return all that were kept."""
    with store.read() as db:
        return list(rows.every(db))


def keep(store: Store, refusal: Refusal) -> None:
    """Keep the refusal of a phone; a power cut may take it back."""
    with store.write(durable=False) as tx:
        rows.put(tx, refusal)


def forget(store: Store, device: int) -> None:
    """Forget it: the phone came through."""
    with store.write(durable=False) as tx:
        rows.forget(tx, device)


def listed(store: Store, found: Iterable[Refusal] | None = None) -> list[RefusedPhone]:
    """List refused phones, the last refused first: those of ``found``, or those that were kept."""
    with store.read() as db:
        return _listed(db, list(rows.every(db)) if found is None else found, store.now_ms(db))


def _listed(db: View, found: Iterable[Refusal], now: int) -> list[RefusedPhone]:
    names = {device.num: (device.name, device.client_id) for device in devices.every(db)} | {UNKNOWN: ("", "")}
    shown = sorted(
        (one for one in found if one.is_shown(now) and one.device in names), key=lambda one: one.last_ms, reverse=True
    )
    return [
        RefusedPhone(*names[one.device], one.reason, one.times, (now - one.last_ms) // 1000)
        for one in shown[:_SHOWN_MAX]
    ]
