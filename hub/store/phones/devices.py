"""Keeps the phones: who is paired, when each was seen, who is revoked (S2)."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core.errors import Forbidden, Unavailable
from hub.store.box import state
from hub.store.database import Transaction
from hub.store.people import audit


class State(StrEnum):
    """What a device may do."""

    PAIRED = "paired"
    REVOKED = "revoked"


class Device(msgspec.Struct, frozen=True):
    """A phone; times are hub time in ms, ``num`` is its number in ledgers and records."""

    num: int
    client_id: str
    name: str
    state: State
    first_seen: int
    last_seen: int
    last_sync: int | None
    user_id: str | None


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
    return int(db.execute("SELECT count(*) FROM devices WHERE state = ?", [State.PAIRED]).fetchone()[0])


def synced_since(db: Database, at: int) -> int:
    """Count the paired devices whose last sync was after hub time ``at``."""
    sql = "SELECT count(*) FROM devices WHERE state = ? AND last_sync > ?"
    return int(db.execute(sql, [State.PAIRED, at]).fetchone()[0])


def pair(tx: Transaction, client_id: str, name: str | None, *, most: int) -> Device:
    """Take a new device in.

    Past ``most`` the longest unseen one that nobody ever signed in on makes room, so that strangers with an open
    pairing cannot fill the table; raises Unavailable when there is none.
    """
    count = tx.db.execute("SELECT count(*) FROM devices").fetchone()[0]
    if (
        count >= most
        and not tx.db.execute(
            "DELETE FROM devices WHERE num = (SELECT num FROM devices WHERE user_id IS NULL AND state = ?"
            " ORDER BY last_seen LIMIT 1)",
            [State.PAIRED],
        ).rowcount
    ):
        raise Unavailable(f"{most} devices are paired; revoke and forget some")
    num = _next_num(tx)
    shown = _printable(name or "") or f"Phone {num}"
    tx.db.table("devices").insert(
        {
            "num": num,
            "client_id": client_id,
            "name": shown,
            "state": State.PAIRED,
            "first_seen": tx.now_ms,
            "last_seen": tx.now_ms,
        }
    )
    audit.note(tx, "device.paired", device=num)
    found = find(tx.db, client_id)
    if found is None:
        raise AssertionError(client_id)
    return found


def signed_in(tx: Transaction, device: int, user_id: str) -> None:
    """Note who works on a device."""
    tx.db.execute("UPDATE devices SET user_id = ? WHERE num = ?", [user_id, device])


def seen(tx: Transaction, device: int, *, synced: bool = False) -> None:
    """Note that a device was here just now."""
    tx.db.execute("UPDATE devices SET last_seen = ? WHERE num = ?", [tx.now_ms, device])
    if synced:
        tx.db.execute("UPDATE devices SET last_sync = ? WHERE num = ?", [tx.now_ms, device])


def revoke(tx: Transaction, client_id: str) -> Device | None:
    """Shut a device out at once: its tokens die, its next message is refused."""
    device = find(tx.db, client_id)
    if device is None:
        return None
    tx.db.execute("UPDATE devices SET state = ? WHERE num = ?", [State.REVOKED, device.num])
    tx.db.execute("DELETE FROM tokens WHERE device = ?", [device.num])
    audit.note(tx, "device.revoked", device=device.num)
    return msgspec.structs.replace(device, state=State.REVOKED)


def require_paired(device: Device) -> Device:
    """Return the device if it may talk to the hub; raises Forbidden if it is revoked."""
    if device.state is not State.PAIRED:
        raise Forbidden("device is revoked")
    return device


def _printable(name: str) -> str:
    """Leave out what could reach for the terminal of whoever lists the phones."""
    return "".join(letter for letter in name if letter.isprintable()).strip()


def _next_num(tx: Transaction) -> int:
    """Return a number that no device ever had: records and ledgers name devices by it."""
    num = (state.get(tx.db, state.LAST_DEVICE) or 0) + 1
    state.put(tx, state.LAST_DEVICE, num)
    return num


def _device(row: tuple[Any, ...]) -> Device:
    num, client_id, name, state, *rest = row
    return Device(num, client_id, name, State(state), *rest)
