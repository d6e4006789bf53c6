"""Administrators: who may look after this hub by its page without being a Hikma user."""

from typing import Any

import msgspec

from hub.actions.people import setup
from hub.core.errors import NotThere, OperatorError
from hub.core.people import administrators as passwords
from hub.core.people.administrators import NAME_CHARS_MAX, PASSWORD_CHARS_MIN, is_fit
from hub.store.database import Store, Transaction
from hub.store.people import administrators as rows
from hub.store.people import audit, page_sessions
from hub.store.people.page_sessions import Account, AccountKind

__all__ = [
    "NAME_CHARS_MAX",
    "PASSWORD_CHARS_MIN",
    "Administrator",
    "add",
    "change_own_password",
    "change_password",
    "every",
    "is_fit",
    "remove",
]


class Administrator(msgspec.Struct, frozen=True):
    """Who administers this hub; ``row`` is ``{name, made}``, with ``made`` in hub time."""

    name: str
    age_s: int
    row: dict[str, Any]


def every(store: Store) -> list[Administrator]:
    """List the administrators by name."""
    with store.read() as db:
        now_ms = store.now_ms(db)
        return [Administrator(row["name"], (now_ms - row["made"]) // 1000, row) for row in rows.every(db)]


def add(store: Store, name: str, password: str) -> None:
    """Add an administrator; the first one ends the setup. Raises OperatorError when the name or password is unfit."""
    with store.write() as tx:
        if not setup.add_first(tx, name, password):
            setup.add_administrator(tx, name, password)


def change_password(store: Store, name: str, password: str) -> None:
    """Set an administrator's password and sign them out; raises OperatorError when there is none of this name."""
    with store.write() as tx:
        hashed = passwords.hashed(password)
        _check_exists(tx, name)
        rows.set_password(tx, name, hashed)
        page_sessions.end_all(tx, AccountKind.ADMINISTRATOR, name)
        audit.note(tx, "administrator.password", detail=name)


def change_own_password(store: Store, name: str, given: str, password: str) -> str | None:
    """Set an administrator's own password; returns a session token, None when ``given`` is not the one of now.

    Every other place where they are signed in is signed out. Raises OperatorError for an unfit password.
    """
    with store.read() as db:  # hashing takes long: nobody else's write waits for it
        is_theirs = passwords.matches(rows.hashed_password(db, name), given)
    if not is_theirs:
        return None
    change_password(store, name, password)
    with store.write() as tx:
        return page_sessions.begin(tx, Account(AccountKind.ADMINISTRATOR, name))


def remove(store: Store, name: str) -> None:
    """Remove an administrator; raises OperatorError when there is none of this name, or when it is the last one."""
    with store.write() as tx:
        _check_exists(tx, name)
        if rows.count(tx.db) == 1:
            raise OperatorError("this is the last administrator; add another one first")
        rows.remove(tx, name)
        page_sessions.end_all(tx, AccountKind.ADMINISTRATOR, name)
        audit.note(tx, "administrator.removed", detail=name)


def _check_exists(tx: Transaction, name: str) -> None:
    if not rows.exists(tx.db, name):
        raise NotThere(f"there is no administrator called {name}; see 'hikma-hub admin list'")
