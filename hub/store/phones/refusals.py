"""Which phones were refused of late, and why (core.phone.refusal)."""

from collections.abc import Iterator

from sqlite_utils import Database

from hub.core.phone.refusal import Refusal, RefusalReason
from hub.store.database import Transaction


def put(tx: Transaction, refusal: Refusal) -> None:
    """Keep the refusal of a device, in place of an older one."""
    row = [refusal.device, refusal.reason, refusal.times, refusal.since_ms, refusal.last_ms]
    tx.db.execute("INSERT OR REPLACE INTO refusals (device, why, times, since, last) VALUES (?, ?, ?, ?, ?)", row)


def forget(tx: Transaction, device: int) -> None:
    """Forget the refusal of a device."""
    tx.db.execute("DELETE FROM refusals WHERE device = ?", [device])


def every(db: Database) -> Iterator[Refusal]:
    """Return all refusals, the newest first; without reasons that a newer program knows."""
    known = {reason.value for reason in RefusalReason}
    for device, why, *rest in db.execute("SELECT device, why, times, since, last FROM refusals ORDER BY last DESC"):
        if why in known:
            yield Refusal(device, RefusalReason(why), *rest)
