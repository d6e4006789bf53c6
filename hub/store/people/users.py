"""Keeps users, as the cloud sends them or as they are made here, and tells what each may do."""

import json
import uuid
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import bcrypt
import msgspec
from sqlite_utils import Database

from hub.core.errors import OperatorError
from hub.core.records import codec
from hub.core.records.access import SUPER_ADMIN, Permission, Rights
from hub.core.records.tables import TABLES
from hub.store.cloud import connection
from hub.store.database import Transaction
from hub.store.people import audit
from hub.store.records import record_rows

PASSWORD_CHARS_MIN = 6
PASSWORD_BYTES_MAX = 72
"""bcrypt reads no further."""
_ROUNDS = 11

_SWITCH = ("auth", "disable-mobile-permissions-checking")
"""The app_config row by which an organisation switches permission checking off (PROTOCOL.md "Reference data")."""

_EVERYTHING = frozenset(Permission)
_BY_ROLE = {
    "super_admin": _EVERYTHING,
    "admin": _EVERYTHING,
    "registrar": frozenset({Permission.REGISTER, Permission.VIEW, Permission.EDIT}),
}
_CLINICAL = _EVERYTHING - {Permission.ADMIN}


class User(msgspec.Struct, frozen=True):
    """A person who signs in; ``hashed_password`` is bcrypt and never leaves the hub."""

    id: str
    email: str
    name: str
    role: str
    clinic_id: str | None
    hashed_password: str
    is_deleted: bool
    source: str
    """"cloud" or "hub"."""

    def opens_with(self, password: str) -> bool:
        """Return whether ``password`` is the user's; takes as long for a user who does not exist (see nobody)."""
        try:
            return bcrypt.checkpw(password.encode()[:PASSWORD_BYTES_MAX], self.hashed_password.encode())
        except ValueError:
            return False


@cache
def nobody() -> User:
    """Stand in for an unknown account, so that it takes as long to refuse as a known one."""
    hashed = bcrypt.hashpw(b"nobody", bcrypt.gensalt(_ROUNDS)).decode()
    return User("", "", "", "", None, hashed, is_deleted=True, source="hub")


_COLUMNS = "id, email, name, role, clinic_id, hashed_password, is_deleted, source"


def find(db: Database, user_id: str) -> User | None:
    """Return a user by id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM users WHERE id = ?", [user_id]).fetchone()
    return _user(row) if row else None


def find_by_email(db: Database, email: str) -> User | None:
    """Return the live user with this email: as it is written, or else regardless of case if only one matches."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM users WHERE email = ? COLLATE NOCASE AND NOT is_deleted LIMIT 20", [email]
    ).fetchall()
    users = [_user(row) for row in rows]
    exact = [user for user in users if user.email == email]
    return exact[0] if exact else users[0] if len(users) == 1 else None


def every(db: Database) -> Iterator[User]:
    """Return all users, by email."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM users ORDER BY email"):
        yield _user(row)


def put(tx: Transaction, user: User, data: str = "{}") -> None:
    """Store a user, new or changed; ``data`` is the row as the cloud sent it."""
    tx.db.execute(
        f"INSERT OR REPLACE INTO users ({_COLUMNS}, data) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            user.id,
            user.email,
            user.name,
            user.role,
            user.clinic_id,
            user.hashed_password,
            user.is_deleted,
            user.source,
            data,
        ],
    )


def add(
    tx: Transaction,
    *,
    email: str,
    name: str,
    role: str,
    clinic_id: str,
    password: str,
    without: Iterable[Permission] = (),
) -> User:
    """Make a user on this hub, with the role's permissions in one clinic.

    Raises OperatorError when the email is taken, the clinic unknown or the password too short or long.
    """
    _check_new(tx.db, email, name, role, clinic_id, password)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
    user = User(str(uuid.uuid4()), email, name, role, clinic_id, hashed, is_deleted=False, source="hub")
    put(tx, user)
    grant(tx, user.id, clinic_id, _BY_ROLE.get(role, _CLINICAL) - frozenset(without))
    audit.note(tx, "user.added", user_id=user.id)
    return user


def set_password(tx: Transaction, user: User, password: str) -> None:
    """Return a user a new password and end their tokens."""
    _check_password(password)
    hashed = bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
    tx.db.execute("UPDATE users SET hashed_password = ? WHERE id = ?", [hashed, user.id])
    tx.db.execute("DELETE FROM tokens WHERE user_id = ?", [user.id])
    audit.note(tx, "user.password", user_id=user.id)


def disable(tx: Transaction, user: User) -> None:
    """Shut a user out at once."""
    tx.db.execute("UPDATE users SET is_deleted = 1 WHERE id = ?", [user.id])
    tx.db.execute("DELETE FROM tokens WHERE user_id = ?", [user.id])
    audit.note(tx, "user.disabled", user_id=user.id)


def grant(tx: Transaction, user_id: str, clinic_id: str, permissions: Iterable[Permission]) -> None:
    """Set what a user may do in a clinic."""
    row = {permission.value: True for permission in permissions}
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{user_id}/{clinic_id}"))
    table = TABLES["user_clinic_permissions"]
    times = {"created_at": tx.now_ms, "updated_at": tx.now_ms}
    values = {"id": identifier, "user_id": user_id, "clinic_id": clinic_id, **times, **row}
    record_rows.put(tx, table, codec.build(table, values))


def add_clinic(tx: Transaction, name: str) -> dict[str, Any]:
    """Make a clinic on this hub; raises OperatorError when the name is empty or taken."""
    if not name.strip():
        raise OperatorError("a clinic needs a name")
    if name in {clinic["name"] for clinic in clinics(tx.db)}:
        raise OperatorError(f"there is a clinic called {name!r} already")
    table = TABLES["clinics"]
    values = {"id": str(uuid.uuid4()), "name": name, "created_at": tx.now_ms, "updated_at": tx.now_ms}
    record_rows.put(tx, table, codec.build(table, values))
    audit.note(tx, "clinic.added", detail=str(values["id"]))
    return {"id": values["id"], "name": name}


def clinics(db: Database) -> Iterator[dict[str, Any]]:
    """Return the clinics of this hub as ``{id, name}``."""
    for (data,) in db.execute("SELECT data FROM clinics WHERE local_server_deleted_at IS NULL ORDER BY num"):
        row = json.loads(data)
        yield {"id": row["id"], "name": row["name"]}


def rights(db: Database, user: User) -> Rights:
    """Return what a user may do, from the permissions of the user's clinics."""
    granted = {}
    for (data,) in db.execute(
        "SELECT data FROM user_clinic_permissions WHERE user_id = ? AND local_server_deleted_at IS NULL", [user.id]
    ):
        row = json.loads(data)
        granted[row["clinic_id"]] = frozenset(permission for permission in Permission if row[permission.value])
    return Rights(
        user_id=user.id,
        unrestricted=user.role == SUPER_ADMIN or _checking_is_off(db),
        clinics=granted,
        known=_known_clinics(db),
    )


def _known_clinics(db: Database) -> frozenset[str]:
    """Return the clinics of this hub, those too that the cloud gave it and of which only patients have come so far."""
    rows = db.execute("SELECT id FROM clinics WHERE local_server_deleted_at IS NULL")
    return connection.clinics_ever(db).union(row[0] for row in rows)


def _checking_is_off(db: Database) -> bool:
    for (data,) in db.execute(
        "SELECT data FROM app_config WHERE key = ? AND local_server_deleted_at IS NULL", [_SWITCH[1]]
    ):
        row = json.loads(data)
        if row["namespace"] == _SWITCH[0] and str(row["value"]).lower() == "true":
            return True
    return False


def _check_new(db: Database, email: str, name: str, role: str, clinic_id: str, password: str) -> None:
    if "@" not in email or not name.strip() or not role.strip():
        raise OperatorError("a user needs an email with an @, a name and a role")
    if db.execute("SELECT 1 FROM users WHERE email = ? COLLATE NOCASE AND NOT is_deleted", [email]).fetchone():
        raise OperatorError(f"there is a user with the email {email} already")
    if clinic_id not in {clinic["id"] for clinic in clinics(db)}:
        raise OperatorError(f"there is no clinic {clinic_id}; 'hikma-hub clinic list' shows those of this hub")
    _check_password(password)


def _check_password(password: str) -> None:
    if len(password) < PASSWORD_CHARS_MIN:
        raise OperatorError(f"a password needs {PASSWORD_CHARS_MIN} characters or more")
    if len(password.encode()) > PASSWORD_BYTES_MAX:
        raise OperatorError(f"a password can have {PASSWORD_BYTES_MAX} bytes at most")


def _user(row: tuple[Any, ...]) -> User:
    identifier, email, name, role, clinic_id, hashed_password, is_deleted, source = row
    return User(identifier, email, name, role, clinic_id, hashed_password, bool(is_deleted), source)
