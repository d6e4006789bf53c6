"""Rows of users, as the cloud sends them or as they are made here."""

import json
import uuid
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core.people import users as accounts
from hub.core.people.users import User
from hub.core.records import codec
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.store.database import Transaction
from hub.store.people import audit
from hub.store.phones import sessions
from hub.store.records import record_rows

_COLUMNS = "id, email, name, role, clinic_id, hashed_password, is_deleted, source"


def find(db: Database, user_id: str) -> User | None:
    """Return a user by id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM users WHERE id = ?", [user_id]).fetchone()
    return _user(row) if row else None


def find_by_email(db: Database, email: str) -> User | None:
    """Return the live user with this email: as it is written, or else regardless of case if only one matches."""
    email = accounts.trimmed(email)
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM users WHERE email = ? COLLATE NOCASE AND NOT is_deleted LIMIT 20", [email]
    ).fetchall()
    users = [_user(row) for row in rows] or [
        # An older program kept emails with the blanks that somebody typed.
        user
        for user in every(db)
        if not user.is_deleted and accounts.trimmed(user.email).lower() == email.lower()
    ]
    exact = [user for user in users if user.email == email]
    return exact[0] if exact else users[0] if len(users) == 1 else None


def is_email_taken(db: Database, email: str) -> bool:
    """Whether a live user has this email, however it is written."""
    return bool(db.table("users").count_where("email = ? COLLATE NOCASE AND NOT is_deleted", [accounts.trimmed(email)]))


def rounds(db: Database) -> int:
    """Return how much work a sign-in takes (see accounts.check)."""
    sql = "SELECT max(CAST(substr(hashed_password, 5, 2) AS INTEGER)) FROM users WHERE NOT is_deleted"
    return accounts.rounds_for(db.execute(sql).fetchone()[0] or 0)


def every(db: Database) -> Iterator[User]:
    """Return all users, by email."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM users ORDER BY email"):
        yield _user(row)


def put(tx: Transaction, user: User, data: str = "{}") -> None:
    """Store a user, new or changed; ``data`` is the row as the cloud sent it."""
    tx.db.table("users").insert({**msgspec.structs.asdict(user), "data": data}, replace=True)


def data(db: Database, user_id: str) -> str:
    """Return a user's row as the cloud sent it; raises KeyError where there is no such user."""
    row = db.execute("SELECT data FROM users WHERE id = ?", [user_id]).fetchone()
    if row is None:
        raise KeyError(user_id)
    return str(row[0])


def is_same(db: Database, user_id: object, hashed_password: object, data: str) -> bool:
    """Whether a live user is kept just as the cloud sends them."""
    sql = (
        "SELECT 1 FROM users WHERE id = ? AND hashed_password = ? AND data = ? AND NOT is_deleted AND source = 'cloud'"
    )
    if not isinstance(user_id, str) or not isinstance(hashed_password, str):
        return False
    return db.execute(sql, [user_id, hashed_password, data]).fetchone() is not None


def set_data(tx: Transaction, user_id: str, data: str) -> None:
    """Set what is kept of a user beside the columns."""
    tx.db.table("users").update(user_id, {"data": data})


def set_password(tx: Transaction, user: User, hashed: str) -> None:
    """Set what is stored of a user's password, and end their tokens."""
    tx.db.table("users").update(user.id, {"hashed_password": hashed})
    sessions.revoke_tokens(tx, user_id=user.id)
    audit.note(tx, "user.password", user_id=user.id)


def rename_clinic(tx: Transaction, clinic_id: str, name: str) -> None:
    """Give a clinic that was made here another name; every phone will get it."""
    table = TABLES["clinics"]
    kept = record_rows.find(tx.db, table, [clinic_id])[clinic_id]
    values = json.loads(kept.data)
    record_rows.put(tx, table, codec.build(table, {**values, "name": name, "updated_at": tx.now_ms}))


def disable(tx: Transaction, user: User) -> None:
    """Mark a user as deleted, and end their tokens."""
    tx.db.table("users").update(user.id, {"is_deleted": 1})
    sessions.revoke_tokens(tx, user_id=user.id)
    audit.note(tx, "user.disabled", user_id=user.id)


def grant(tx: Transaction, user_id: str, clinic_id: str, permissions: Iterable[Permission]) -> None:
    """Set what a user may do in a clinic."""
    row = {permission.value: True for permission in permissions}
    identifier = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{user_id}/{clinic_id}"))
    table = TABLES["user_clinic_permissions"]
    times = {"created_at": tx.now_ms, "updated_at": tx.now_ms}
    values = {"id": identifier, "user_id": user_id, "clinic_id": clinic_id, **times, **row}
    record_rows.put(tx, table, codec.build(table, values))


def add_clinic(tx: Transaction, name: str) -> str:
    """Store a new clinic; returns its id."""
    table, clinic_id = TABLES["clinics"], str(uuid.uuid4())
    times = {"created_at": tx.now_ms, "updated_at": tx.now_ms}
    record_rows.put(tx, table, codec.build(table, {"id": clinic_id, "name": name, **times}))
    return clinic_id


def clinics(db: Database) -> Iterator[dict[str, Any]]:
    """Return the clinics of this hub as ``{id, name}``."""
    for (data,) in db.execute("SELECT data FROM clinics WHERE local_server_deleted_at IS NULL ORDER BY num"):
        row = json.loads(data)
        yield {"id": row["id"], "name": row["name"]}


def _user(row: tuple[Any, ...]) -> User:
    identifier, email, name, role, clinic_id, hashed_password, is_deleted, source = row
    return User(identifier, email, name, role, clinic_id, hashed_password, bool(is_deleted), source)
