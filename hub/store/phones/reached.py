"""At which address each phone last reached the hub, to notice when the hub has moved away from them."""

from sqlite_utils import Database

from hub.core.phone.device import DeviceState
from hub.store.database import Transaction

RECENT_MS = 30 * 24 * 3_600_000
"""Phones that were not here for 30 days do not count: they may have been put away."""


def of(db: Database, device: int) -> str | None:
    """Return the host that a device last used."""
    row = db.execute("SELECT host FROM reached WHERE device = ?", [device]).fetchone()
    return str(row[0]) if row else None


def note(tx: Transaction, device: int, host: str) -> None:
    """Note the host that a device uses; devices that are gone are forgotten."""
    tx.db.execute("INSERT OR REPLACE INTO reached (device, host) VALUES (?, ?)", [device, host])
    tx.db.execute("DELETE FROM reached WHERE device NOT IN (SELECT num FROM devices)")


def counts(db: Database, now_ms: int) -> dict[str, int]:
    """Count the paired phones of the last 30 days by the host they use."""
    rows = db.execute(
        "SELECT host, count(*) FROM reached JOIN devices ON num = device WHERE state = ? AND last_seen > ?"
        " GROUP BY host",
        [DeviceState.PAIRED, now_ms - RECENT_MS],
    )
    return {str(host): int(count) for host, count in rows}
