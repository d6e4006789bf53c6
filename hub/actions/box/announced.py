"""The name under which the network knows this hub, and the other hubs on it."""

import msgspec

from hub.store.box import state
from hub.store.box.state import Announced, Other
from hub.store.database import Store
from hub.store.people import audit

OTHERS = 32
"""Other hubs that are remembered: whoever is on the network can announce as many as they like."""

RIVALS = 4

__all__ = ["OTHERS", "RIVALS", "Announced", "Other", "find", "keep"]


def find(store: Store) -> Announced | None:
    """Return what was announced last."""
    with store.read() as db:
        return state.get(db, state.ANNOUNCED)


def keep(store: Store, announced: Announced) -> None:
    """Remember it: after a restart a hub takes the same name again, as RFC 6762 section 9 asks.

    Another name than before is noted in the audit log: whoever is on the network can make the hub take one.
    """
    bounded = msgspec.structs.replace(announced, others=announced.others[:OTHERS], rivals=announced.rivals[:RIVALS])
    with store.write(durable=False) as tx:
        before = state.get(tx.db, state.ANNOUNCED)
        is_as_before = before is not None and before.wanted == announced.wanted
        if announced.host != (before.host if before and is_as_before else f"{announced.wanted}.local"):
            audit.note(tx, "hub.host_name", detail=announced.host)
        for rival in set(bounded.rivals) - set(before.rivals if before else ()):
            audit.note(tx, "hub.rival", detail=rival)
        state.put(tx, state.ANNOUNCED, bounded)
