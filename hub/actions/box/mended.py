"""That a damaged database was written anew: in whole, or in part, which it stays until the hub is made of another."""

from hub.actions.box import copying
from hub.store.box import state
from hub.store.database import Store
from hub.store.people import audit


def in_whole(store: Store) -> None:
    """Note that no record was lost."""
    with store.write() as tx:
        audit.note(tx, "database.mended")


def in_part(store: Store) -> None:
    """Note that some rows could not be read, and leave the copy alone, which may have them; another can be begun."""
    with store.write() as tx:
        state.put(tx, state.PARTLY, 1)
        copying.forget(tx)
        audit.note(tx, "database.salvaged")


def is_partly(store: Store) -> bool:
    """Whether some rows could not be read, at this start or an earlier one."""
    with store.read() as db:
        return state.get(db, state.PARTLY) is not None
