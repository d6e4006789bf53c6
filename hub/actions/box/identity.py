"""Who this hub is: its id and keys, and the name that people gave it."""

from hub.store.box import identity as rows
from hub.store.box.identity import Identity
from hub.store.database import Store

__all__ = ["Identity", "load", "name", "rename"]


def load(store: Store) -> Identity:
    """Return the hub's identity; a new hub draws it here, once."""
    return rows.load(store)


def name(store: Store) -> str | None:
    """Return the name that the hub was given on its page; None while it has only the one of its settings."""
    with store.read() as db:
        return rows.name(db)


def rename(store: Store, new: str) -> None:
    """Name the hub; 1 to 80 characters."""
    with store.write() as tx:
        rows.rename(tx, new)
