"""Whether phones are served: an administrator can stop it, until somebody lets it go on or the hub starts again."""

from hub.store.box import state
from hub.store.database import Store
from hub.store.people import audit


def stop(store: Store) -> None:
    """Refuse phones from now on; what is under way is finished."""
    with store.write() as tx:
        state.put(tx, state.NOT_SERVING, 1)
        audit.note(tx, "serving.stopped")
    store.is_stopped = True


def go_on(store: Store) -> None:
    """Serve phones again."""
    with store.write() as tx:
        if state.get(tx.db, state.NOT_SERVING) is not None:
            state.forget(tx, state.NOT_SERVING)
            audit.note(tx, "serving.went_on")
    store.is_stopped = False
