"""Reads who calls: the phone, and what the user may do for whom it speaks (S2, S5)."""

import hashlib
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core.fleet.totals import Total
from hub.core.phone.device import Device, DeviceState
from hub.core.records import access
from hub.core.records.access import Permission, Rights
from hub.core.records.authors import SignIn
from hub.store.box import totals
from hub.store.database import Transaction

DEVICE_COLUMNS = "num, client_id, name, state, first_seen, last_seen, last_sync, user_id"

_SWITCH = ("auth", "disable-mobile-permissions-checking")
"""The app_config row by which an organisation switches permission checking off (PROTOCOL.md "Reference data")."""

_CLINICS = """
SELECT 'has', id, local_server_deleted_at FROM clinics
UNION ALL SELECT 'ever', ever.value, NULL FROM cloud, json_each(cloud.value, '$.ever') AS ever WHERE cloud.key = 'link'
UNION ALL SELECT 'name', id, cloud_id FROM cloud_names
"""
"""What the hub knows of clinics: those it has or had; those that the cloud ever gave it, because a clinic's patients
may come before its own row does; and what it made itself under which id the cloud has it."""

_PERMISSIONS = tuple(Permission)
_decode = msgspec.json.Decoder().decode


def find(db: Database, client_id: str) -> Device | None:
    """Return the device with this client_id."""
    row = db.execute(f"SELECT {DEVICE_COLUMNS} FROM devices WHERE client_id = ?", [client_id]).fetchone()
    return device(row) if row else None


def device(row: tuple[Any, ...]) -> Device:
    """Read a row of DEVICE_COLUMNS."""
    num, client_id, name, state, *rest = row
    return Device(num, client_id, name, DeviceState(state), *rest)


def seen(tx: Transaction, num: int, *, synced: bool = False, carried: Total | None = None) -> None:
    """Note that a device was here just now, and count what it took or brought."""
    sql = f"UPDATE devices SET last_seen = :now{', last_sync = :now' if synced else ''} WHERE num = :num"
    tx.db.execute(sql, {"now": tx.now_ms, "num": num})
    if carried:
        tx.db.execute(totals.ADD, [carried, 1])


class KeptToken(msgspec.Struct, frozen=True):
    """For whom a token stands, and when it was issued and ends; hub time in ms."""

    user_id: str
    role: str
    issued_ms: int
    ends_ms: int


def find_token(db: Database, token: str, *, device: int, now_ms: int) -> KeptToken | None:
    """Return what is kept of a token, if it was issued to this device and neither it nor its user is over."""
    row = db.execute(
        "SELECT users.id, role, issued, expires FROM tokens JOIN users ON users.id = tokens.user_id"
        " WHERE hash = ? AND device = ? AND expires > ? AND NOT is_deleted",
        [secret_hash(token), device, now_ms],
    ).fetchone()
    return KeptToken(*row) if row else None


def is_signed_in(db: Database, device: int, *, now_ms: int) -> bool:
    """Whether a token that was issued to this device is not over."""
    sql = "SELECT EXISTS (SELECT 1 FROM tokens WHERE device = ? AND expires > ?)"
    return bool(db.execute(sql, [device, now_ms]).fetchone()[0])


def token_rights(db: Database, token: str, *, device: int, now_ms: int) -> Rights | None:
    """Return what the user may do for whom a token stands, if it was issued to this device and is not over."""
    found = find_token(db, token, device=device, now_ms=now_ms)
    return rights(db, found.user_id, found.role) if found else None


def sign_ins(db: Database, device: int) -> list[SignIn]:
    """Return who has signed in on a device, and is not signed out by the hub since."""
    rows = db.execute(
        "SELECT users.id, role, issued FROM tokens JOIN users ON users.id = tokens.user_id"
        " WHERE device = ? AND NOT is_deleted ORDER BY issued",
        [device],
    )
    return [SignIn(*row) for row in rows]


def rights(db: Database, user_id: str, role: str, *, at_ms: int | None = None) -> Rights:
    """Return what a user may do, from the permissions in each clinic of this hub.

    at_ms: with the permissions that were taken away after this hub time.
    """
    known: set[str] = set()
    gone: dict[str, int] = {}
    names: dict[str, str] = {}
    for what, clinic, said in db.execute(_CLINICS):
        if what == "name":
            names[clinic] = said
        elif said is None:
            known.add(clinic)
        else:
            gone[clinic] = said
    granted: dict[str, frozenset[Permission]] = {}
    had: dict[str, frozenset[Permission]] = {}
    for data, deleted_ms in db.execute(
        "SELECT data, local_server_deleted_at FROM user_clinic_permissions WHERE user_id = ? ORDER BY num", [user_id]
    ):
        row = _decode(data)
        clinic = names.get(row["clinic_id"], row["clinic_id"])
        permissions = frozenset([permission for permission in _PERMISSIONS if row[permission.value]])
        if clinic not in gone and (deleted_ms is None or (at_ms is not None and deleted_ms > at_ms)):
            granted[clinic] = permissions
        elif clinic in gone and (deleted_ms is None or deleted_ms >= gone[clinic]):
            had[clinic] = permissions  # it went with the clinic, and was not taken away before
    return access.rights_of(
        user_id,
        role,
        granted,
        checking_is_off=_checking_is_off(db),
        known=frozenset(known.difference(gone)),
        had=had,
        names=names,
    )


def secret_hash(secret: str) -> bytes:
    """Return what is stored of a token or an email: nothing that could be used or read."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()


def _checking_is_off(db: Database) -> bool:
    for (data,) in db.execute(
        "SELECT data FROM app_config WHERE key = ? AND local_server_deleted_at IS NULL", [_SWITCH[1]]
    ):
        row = _decode(data)
        if row["namespace"] == _SWITCH[0] and str(row["value"]).lower() == "true":
            return True
    return False
