"""Read the facts that the hub's state is named from, and try whether it can write."""

import shutil
import time
from collections.abc import Callable, Mapping
from typing import Any

from hub.core import clock
from hub.core.cloud import cycle_outcome
from hub.core.copy.standing import CopyStanding
from hub.core.errors import Unavailable
from hub.core.records.tables import TABLES
from hub.core.status.facts import Facts, is_full
from hub.store import quarantine
from hub.store.box import counters, state
from hub.store.cloud import connection, outbox
from hub.store.database import Store, View, hub_time
from hub.store.phones import devices, refusals
from hub.store.records import counters as dispensed
from hub.store.records import record_rows

_DAY_MS = 86_400_000
_SYNCING_MS = 5_000
"""A phone that synced so recently is shown as syncing."""


class Counts:
    """The live records of each table, counted anew only after something was written; for any thread."""

    def __init__(self) -> None:
        self._known: tuple[int, dict[str, int]] = (-1, {})

    def of(self, db: View) -> dict[str, int]:
        """Return the counts of this moment."""
        known_at, counts = self._known
        at = hub_time(db)
        if at != known_at:
            counts = _counts(db)
            self._known = (at, counts)
        return counts


def uncounted(_db: View) -> Mapping[str, int]:
    """Count nothing, for who asks often and wants no number of it."""
    return dict.fromkeys(TABLES, 0)


def gather(
    store: Store,
    *,
    writable: bool | None = None,
    count: Callable[[View], Mapping[str, int]] | None = None,
    wall_ms: int | None = None,
) -> Facts:
    """Read the facts of the database, all of one moment, and of its disk; not what the machine measures.

    writable: from ``can_write``, which is expensive; tried when left out.
    count: counts the live records of each table, in place of doing it anew.
    wall_ms: the machine's clock, to be judged; read when left out.
    """
    writable = can_write(store) if writable is None else writable
    wall_ms = time.time_ns() // 1_000_000 if wall_ms is None else wall_ms
    free_bytes = shutil.disk_usage(store.path.parent).free
    try:
        with store.read() as db:
            now_ms, synced_ms, backed_up_ms = store.now_ms(db), devices.last_sync(db), state.get(db, state.BACKED_UP)
            turned_away, live = _turned_away(db, now_ms), (count or _counts)(db)
            return Facts(
                card=store.card,
                writable=writable,
                free_bytes=free_bytes,
                records=sum(live.values()),
                patients=live["patients"],
                visits=live["visits"],
                completed_forms=live["events"],
                quarantined=quarantine.to_check(db),
                over_prescribed=dispensed.beyond(db, TABLES["prescription_items"]),
                over_stock=dispensed.beyond(db, TABLES["clinic_inventory"]),
                devices=devices.paired(db),
                devices_today=devices.synced_since(db, now_ms - _DAY_MS),
                synced_ago_s=None if synced_ms is None else (now_ms - synced_ms) // 1000,
                syncing=devices.synced_since(db, now_ms - _SYNCING_MS),
                turned_away=turned_away,
                full=is_full(free_bytes, turned_away),
                pairing_left_s=state.left_s(db, state.PAIRING_UNTIL, now_ms),
                rivals=_rivals(db),
                locating_left_s=state.left_s(db, state.LOCATING_UNTIL, now_ms),
                clock_wrong=clock.is_wrong(wall_ms=wall_ms, hub_ms=now_ms, heard=connection.last(db).heard),
                copies=_copies(db),
                backed_up_s=None if backed_up_ms is None else (now_ms - backed_up_ms) // 1000,
                stopped=state.get(db, state.NOT_SERVING) is not None,
                replaced=state.get(db, state.REPLACED) is not None,
                **_cloud(db, now_ms),
            )
    except Unavailable as error:
        return Facts(damage=(error.reason,), writable=writable, free_bytes=free_bytes)


def counts(store: Store) -> dict[str, int]:
    """Count the live records of each table."""
    with store.read() as db:
        return _counts(db)


def can_write(store: Store) -> bool:
    """Write something; whether it worked."""
    try:
        with store.write(durable=False) as tx:
            return tx.now_ms > 0
    except Unavailable:
        return False


def can_write_beside(store: Store) -> bool:
    """Return whether a command beside the hub finds that the database can be written: who writes just now shows it."""
    return store.is_taken() or can_write(store)


def note_waiting(store: Store, waiting: int) -> None:
    """Note for the charts how many records wait now; not worth waiting for the disk."""
    with store.write(durable=False) as tx:
        counters.sample(tx, waiting=waiting)


def _counts(db: View) -> dict[str, int]:
    return {name: record_rows.count(db, table) for name, table in TABLES.items()}


def _turned_away(db: View, now_ms: int) -> int:
    return sum(one.reason.is_of_pushes and one.is_shown(now_ms) for one in refusals.every(db))


def _rivals(db: View) -> tuple[str, ...]:
    announced = state.get(db, state.ANNOUNCED)
    return announced.rivals if announced else ()


def _copies(db: View) -> int | None:
    """Return on how many media everything is; None where no copy is kept."""
    kept = state.get(db, state.COPY_STATE)
    return None if kept is None else 1 + (kept.standing is CopyStanding.SAFE)


def _cloud(db: View, now_ms: int) -> dict[str, Any]:
    """Return how far the relay is."""
    last, since, progress = connection.last(db), outbox.waiting_since(db), connection.progress(db)
    of_outbox = outbox.counts(db, progress.pulls)
    return {
        "cloud": connection.link(db) is not None,
        "waiting": of_outbox["waiting"],
        "waiting_s": 0 if since is None else (now_ms - since) // 1000,
        "unproven": of_outbox["sent"] + of_outbox["missed"],
        "held": of_outbox["held"],
        "lost": progress.lost,
        "later": progress.later,
        "relaying": bool(last.running_since_ms),
        "relayed_ago_s": (now_ms - last.succeeded_ms) // 1000 if last.succeeded_ms else None,
        "trouble": cycle_outcome.trouble(last.outcome),
    }
