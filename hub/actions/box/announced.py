"""The name under which the network knows this hub, and the other hubs on it."""

import msgspec

from hub.store.box import state
from hub.store.box.state import Announced, Other
from hub.store.database import Store

OTHERS = 32
"""Other hubs that are remembered: whoever is on the network can announce as many as they like."""

__all__ = ["OTHERS", "Announced", "Other", "find", "keep"]


def find(store: Store) -> Announced | None:
    """Return what was announced last."""
    with store.read() as db:
        return state.get(db, state.ANNOUNCED)


def keep(store: Store, announced: Announced) -> None:
    """Remember it: after a restart a hub takes the same name again, as RFC 6762 section 9 asks."""
    bounded = msgspec.structs.replace(announced, others=announced.others[:OTHERS])
    with store.write(durable=False) as tx:
        state.put(tx, state.ANNOUNCED, bounded)
