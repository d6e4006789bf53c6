"""Where the hub listens, so that other processes can tell phones the way."""

from hub.store.box import listening as rows
from hub.store.box.listening import Listening
from hub.store.database import Store

__all__ = ["Listening", "find", "keep"]


def find(store: Store) -> Listening | None:
    """Return where the hub last listened."""
    with store.read() as db:
        return rows.find(db)


def keep(store: Store, listening: Listening) -> None:
    """Remember where the hub listens."""
    rows.keep(store, listening)
