"""Administrators: who may look after this hub by its page without being a Hikma user."""

from typing import Any

from hub.actions.people import setup
from hub.store.database import Store
from hub.store.people import administrators as rows
from hub.store.people.administrators import NAME_CHARS_MAX, PASSWORD_CHARS_MIN, is_fit

__all__ = ["NAME_CHARS_MAX", "PASSWORD_CHARS_MIN", "add", "change_password", "every", "is_fit", "remove"]


def every(store: Store) -> list[dict[str, Any]]:
    """List the administrators as ``{name, made}``, by name."""
    with store.read() as db:
        return list(rows.every(db))


def add(store: Store, name: str, password: str) -> None:
    """Add an administrator; the first one ends the setup. Raises OperatorError when the name or password is unfit."""
    with store.write() as tx:
        if not setup.add_first(tx, name, password):
            rows.add(tx, name, password)


def change_password(store: Store, name: str, password: str) -> None:
    """Set an administrator's password and sign them out; raises OperatorError when there is none of this name."""
    with store.write() as tx:
        rows.set_password(tx, name, password)


def remove(store: Store, name: str) -> None:
    """Remove an administrator; raises OperatorError when there is none of this name, or when it is the last one."""
    with store.write() as tx:
        rows.remove(tx, name)
