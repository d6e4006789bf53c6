"""Where the hub listens, so that other processes can tell phones the way."""

from hub.store.box import state
from hub.store.box.state import Listening
from hub.store.database import Store

__all__ = ["Listening", "find", "keep"]


def find(store: Store) -> Listening | None:
    """Return where the hub last listened."""
    with store.read() as db:
        return state.get(db, state.LISTENING)


def keep(store: Store, listening: Listening) -> None:
    """Remember where the hub listens."""
    with store.write(durable=False) as tx:
        state.put(tx, state.LISTENING, listening)
