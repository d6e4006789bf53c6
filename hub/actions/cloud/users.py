"""Takes in the users that the cloud sends: for signing in without a line, and shut out when the cloud says so (S4)."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from hub.actions.cloud import matching
from hub.actions.cloud.incoming import Tally
from hub.core.cloud import forms as cloud_forms
from hub.core.people.users import User
from hub.store.database import Transaction
from hub.store.people import audit, users

_SECRET = frozenset({"hashed_password"})
_BY_CLOUD = '{"disabled_by":"cloud"}'
"""Marks a user whom the cloud shut out: the cloud may let them in again, but not one who was shut out here."""


def take(tx: Transaction, rows: Iterable[Mapping[str, Any]], tally: Tally) -> None:
    """Keep users, new or changed. A changed password ends the user's sign-ins."""
    for row in rows:
        user = _user(row)
        if user is None:
            tally.refused += 1
            continue
        before = users.find(tx.db, user.id)
        rest = {name: cloud_forms.plain(value) for name, value in row.items() if name not in _SECRET}
        data = msgspec.json.encode(rest).decode()
        if before is None:
            matching.match_by_email(tx, user)
            users.put(tx, user, data)
            tally.created += 1
        else:
            _change(tx, before, user, data, tally)


def delete(tx: Transaction, ids: Iterable[str], tally: Tally) -> None:
    """Shut users out at once: their tokens die."""
    for user_id in ids:
        user = users.find(tx.db, user_id)
        if user is None or user.is_deleted:
            continue
        users.disable(tx, user)
        tx.db.execute("UPDATE users SET data = ? WHERE id = ?", [_BY_CLOUD, user_id])
        tally.deleted += 1


def sweep(tx: Transaction, named: set[str], tally: Tally) -> None:
    """Shut out the users whom a full pull does not name, if the cloud allows them nothing here any more either.

    One alone says nothing: a cloud may send the recent past only, and then old users are missing from a full pull,
    but never their permissions (CLOUD.md 2.4).
    """
    for user in list(users.every(tx.db)):
        if user.source != "cloud" or user.is_deleted or user.id in named:
            continue
        rights = users.rights(tx.db, user)
        if not rights.unrestricted and not rights.clinics:
            delete(tx, [user.id], tally)


def _change(tx: Transaction, before: User, user: User, data: str, tally: Tally) -> None:
    old = tx.db.execute("SELECT data FROM users WHERE id = ?", [user.id]).fetchone()[0]
    if before.is_deleted and old != _BY_CLOUD:
        user = msgspec.structs.replace(user, is_deleted=True)
    if user == before:
        tally.unchanged += 1
        return
    users.put(tx, user, data)
    if user.hashed_password != before.hashed_password:
        tx.db.execute("DELETE FROM tokens WHERE user_id = ?", [user.id])
        audit.note(tx, "user.password", user_id=user.id)
    tally.updated += 1


def _user(row: Mapping[str, Any]) -> User | None:
    texts = [row.get(name) for name in ("id", "email", "name", "role", "hashed_password")]
    clinic_id = row.get("clinic_id")
    if not all(isinstance(text, str) for text in texts) or not isinstance(clinic_id, str | None):
        return None
    user_id, email, name, role, hashed = map(str, texts)
    return User(user_id, email, name, role, clinic_id, hashed, is_deleted=False, source="cloud")
