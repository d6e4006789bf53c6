"""Finding the box: its lights call for a while."""

from hub.store.box import state
from hub.store.database import Store


def start(store: Store, seconds: int) -> None:
    """Let the lights call for so long."""
    with store.write() as tx:
        state.put(tx, state.LOCATING_UNTIL, tx.now_ms + seconds * 1000)
