"""Takes in the users that the cloud sends: for signing in offline, and disabled when the cloud says so (S4)."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import msgspec

from hub.actions.cloud import matching
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.pull_tally import PullTally
from hub.core.people.users import User, trimmed
from hub.core.records.access import Rights
from hub.store.database import Store, Transaction
from hub.store.people import users
from hub.store.phones import callers

_SECRET = frozenset({"hashed_password"})
_BY_CLOUD = '{"disabled_by":"cloud"}'
"""Marks a user whom the cloud disabled: the cloud may enable them again, but nobody who was disabled here."""


def merge(store: Store, rows: Iterable[Mapping[str, Any]], tally: PullTally) -> None:
    """Keep users, new or changed. A changed password ends the user's sign-ins."""
    with store.write(durable=False) as tx:
        for row in rows:
            data = cloud_forms.plain_json({name: value for name, value in row.items() if name not in _SECRET})
            if users.is_same(tx.db, row.get("id"), row.get("hashed_password"), data):
                tally.unchanged += 1
                continue
            user = _user(row)
            if user is None:
                tally.refused += 1
                continue
            before = users.find(tx.db, user.id)
            if before is None:
                matching.match_by_email(tx, user)
                users.put(tx, user, data)
                tally.created += 1
            else:
                _change(tx, before, user, data, tally)


def delete(store: Store, ids: Iterable[str], tally: PullTally) -> None:
    """Disable users at once: their tokens die."""
    with store.write(durable=False) as tx:
        found = [user for user in map(partial(users.find, tx.db), dict.fromkeys(ids)) if user is not None]
        _disable(tx, found, tally)


def sweep(store: Store, named: set[str], tally: PullTally) -> None:
    """Disable the users whom a full pull does not name, if the cloud allows them nothing here any more either.

    One alone says nothing: a cloud may send the recent past only, and then old users are missing from a full pull,
    but never their permissions (CLOUD.md 2.4).
    """
    with store.write(durable=False) as tx:
        gone = [user for user in users.every(tx.db) if user.source == "cloud" and user.id not in named]
        _disable(tx, [user for user in gone if _is_powerless(callers.rights(tx.db, user.id, user.role))], tally)


def _disable(tx: Transaction, found: Iterable[User], tally: PullTally) -> None:
    for user in found:
        if not user.is_deleted:
            users.disable(tx, user)
            users.set_data(tx, user.id, _BY_CLOUD)
            tally.deleted += 1


def _is_powerless(rights: Rights) -> bool:
    return not rights.unrestricted and not rights.clinics


def _change(tx: Transaction, before: User, user: User, data: str, tally: PullTally) -> None:
    if before.is_deleted and users.data(tx.db, user.id) != _BY_CLOUD:
        user = msgspec.structs.replace(user, is_deleted=True)
    if user == before:
        tally.unchanged += 1
        return
    users.put(tx, user, data)
    if user.hashed_password != before.hashed_password:
        users.set_password(tx, user, user.hashed_password)
    tally.updated += 1


def _user(row: Mapping[str, Any]) -> User | None:
    texts = [row.get(name) for name in ("id", "email", "name", "role", "hashed_password")]
    clinic_id = row.get("clinic_id")
    if not all(isinstance(text, str) for text in texts) or not isinstance(clinic_id, str | None):
        return None
    user_id, email, name, role, hashed = map(str, texts)
    return User(user_id, trimmed(email), name, role, clinic_id, hashed, is_deleted=False, source="cloud")
