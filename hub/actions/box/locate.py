"""Finding the box: its lights call for a while."""

from hub.store.box import locating
from hub.store.database import Store


def start(store: Store, seconds: int) -> None:
    """Let the lights call for so long."""
    with store.write() as tx:
        locating.start(tx, seconds)
