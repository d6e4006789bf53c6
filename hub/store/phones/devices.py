"""The phones: which are paired, when each was seen, which are blocked (S2)."""

from collections.abc import Iterator
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core.phone.device import Device, DeviceState
from hub.store.box import state
from hub.store.database import Transaction
from hub.store.people import audit

_COLUMNS = "num, client_id, name, state, first_seen, last_seen, last_sync, user_id"


def find(db: Database, client_id: str) -> Device | None:
    """Return the device with this client_id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM devices WHERE client_id = ?", [client_id]).fetchone()
    return _device(row) if row else None


def every(db: Database) -> Iterator[Device]:
    """Return all devices in the order in which they came."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM devices ORDER BY num"):
        yield _device(row)


def paired(db: Database) -> int:
    """Count the paired devices."""
    return int(db.execute("SELECT count(*) FROM devices WHERE state = ?", [DeviceState.PAIRED]).fetchone()[0])


def synced_since(db: Database, at: int) -> int:
    """Count the paired devices whose last sync was after hub time ``at``."""
    sql = "SELECT count(*) FROM devices WHERE state = ? AND last_sync > ?"
    return int(db.execute(sql, [DeviceState.PAIRED, at]).fetchone()[0])


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


def drop_unused(tx: Transaction) -> bool:
    """Drop the paired device that was not seen for longest, of those that nobody ever signed in on; False for none."""
    unused = "SELECT num FROM devices WHERE user_id IS NULL AND state = ? ORDER BY last_seen LIMIT 1"
    return tx.db.execute(f"DELETE FROM devices WHERE num = ({unused})", [DeviceState.PAIRED]).rowcount > 0


def signed_in(tx: Transaction, device: int, user_id: str) -> None:
    """Note who works on a device."""
    tx.db.execute("UPDATE devices SET user_id = ? WHERE num = ?", [user_id, device])


def seen(tx: Transaction, device: int, *, synced: bool = False) -> None:
    """Note that a device was here just now."""
    tx.db.execute("UPDATE devices SET last_seen = ? WHERE num = ?", [tx.now_ms, device])
    if synced:
        tx.db.execute("UPDATE devices SET last_sync = ? WHERE num = ?", [tx.now_ms, device])


def revoke(tx: Transaction, client_id: str) -> Device | None:
    """Block a device: its tokens end, its next message is refused."""
    device = find(tx.db, client_id)
    if device is None:
        return None
    tx.db.execute("UPDATE devices SET state = ? WHERE num = ?", [DeviceState.REVOKED, device.num])
    tx.db.execute("DELETE FROM tokens WHERE device = ?", [device.num])
    audit.note(tx, "device.revoked", device=device.num)
    return msgspec.structs.replace(device, state=DeviceState.REVOKED)


def _device(row: tuple[Any, ...]) -> Device:
    num, client_id, name, state, *rest = row
    return Device(num, client_id, name, DeviceState(state), *rest)
