"""The phones: which are paired, when each was seen, which are blocked (S2)."""

from collections.abc import Iterator

import msgspec
from sqlite_utils import Database

from hub.core.phone.device import Device, DeviceState
from hub.store.box import state
from hub.store.database import Transaction
from hub.store.people import audit
from hub.store.phones import callers

OF_A_LEDGER = (
    *("ledger_heads", "ledger", "deliveries", "past_answers", "doubts", "stale", "debts"),
    "counter_figures",
    "phone_tables",
)
_OF_A_DEVICE = ("twins", "shared_ids", "tokens", "reached", "refusals", *OF_A_LEDGER)
_KNOWN = "SELECT 0 UNION ALL SELECT num FROM devices UNION ALL SELECT num FROM twins"


def every(db: Database) -> Iterator[Device]:
    """Return all devices in the order in which they came."""
    for row in db.execute(f"SELECT {callers.DEVICE_COLUMNS} FROM devices ORDER BY num"):
        yield callers.device(row)


def paired(db: Database) -> int:
    """Count the paired devices."""
    return int(db.execute("SELECT count(*) FROM devices WHERE state = ?", [DeviceState.PAIRED]).fetchone()[0])


def synced_since(db: Database, at: int) -> int:
    """Count the paired devices whose last sync was after hub time ``at``."""
    sql = "SELECT count(*) FROM devices WHERE state = ? AND last_sync > ?"
    return int(db.execute(sql, [DeviceState.PAIRED, at]).fetchone()[0])


def last_sync(db: Database) -> int | None:
    """Return the hub time of the newest sync of any device that is known; None for none."""
    at = db.execute("SELECT max(last_sync) FROM devices").fetchone()[0]
    return None if at is None else int(at)


def count(db: Database) -> int:
    """Count the devices, blocked ones too."""
    return db.table("devices").count


def next_num(tx: Transaction) -> int:
    """Return a number that no device ever had: records and ledgers name devices by it."""
    num = (state.get(tx.db, state.LAST_DEVICE) or 0) + 1
    state.put(tx, state.LAST_DEVICE, num)
    return num


def add(tx: Transaction, num: int, client_id: str, name: str) -> Device:
    """Add a paired device."""
    device = Device(num, client_id, name, DeviceState.PAIRED, tx.now_ms, tx.now_ms, last_sync=None, user_id=None)
    tx.db.table("devices").insert(msgspec.structs.asdict(device))
    return device


def oldest_unused(db: Database) -> int | None:
    """Return the oldest paired device on which nobody ever signed in: an older program kept such."""
    sql = "SELECT num FROM devices WHERE user_id IS NULL AND state = ? ORDER BY num LIMIT 1"
    found = db.execute(sql, [DeviceState.PAIRED]).fetchone()
    return int(found[0]) if found else None


def forget(tx: Transaction, num: int) -> None:
    """Forget a device: its row, its sign-ins and its ledger. Its records stay; its number is never reused."""
    tx.db.execute("DELETE FROM devices WHERE num = ?", [num])
    for table in _OF_A_DEVICE:  # also what an older program, or a pull that was under way, left of others
        tx.db.execute(f"DELETE FROM [{table}] WHERE device NOT IN ({_KNOWN})")


def signed_in(tx: Transaction, device: int, user_id: str) -> None:
    """Note who works on a device."""
    tx.db.execute("UPDATE devices SET user_id = ? WHERE num = ?", [user_id, device])


def rename(tx: Transaction, num: int, name: str) -> None:
    """Give a device another name."""
    tx.db.execute("UPDATE devices SET name = ? WHERE num = ?", [name, num])


def unblock(tx: Transaction, num: int) -> None:
    """Let a blocked device in again; whoever uses it must sign in."""
    tx.db.execute("UPDATE devices SET state = ? WHERE num = ?", [DeviceState.PAIRED, num])


def revoke(tx: Transaction, client_id: str) -> Device | None:
    """Block a device: its tokens end, its next message is refused."""
    device = callers.find(tx.db, client_id)
    if device is None:
        return None
    tx.db.execute("UPDATE devices SET state = ? WHERE num = ?", [DeviceState.REVOKED, device.num])
    tx.db.execute("DELETE FROM tokens WHERE device = ?", [device.num])
    audit.note(tx, "device.revoked", device=device.num)
    return msgspec.structs.replace(device, state=DeviceState.REVOKED)
