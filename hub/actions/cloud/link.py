"""Connects this hub to a cloud, disconnects it, and keeps what the cloud says of the hub."""

from hub.actions.cloud import queue
from hub.core.cloud.link import Link
from hub.store.cloud import connection
from hub.store.database import Store


def current(store: Store) -> tuple[Link | None, str]:
    """Return the cloud that this hub is connected to, if any, and the key."""
    with store.read() as db:
        return connection.link(db), connection.api_key(db)


def connect(store: Store, link: Link, key: str) -> None:
    """Connect to a cloud whose key was verified."""
    with store.write() as tx:
        connection.connect(tx, link, key)


def disconnect(store: Store) -> bool:
    """Forget the cloud and its key; records stay, also those that wait. Returns whether there was one."""
    with store.write() as tx:
        if connection.link(tx.db) is None:
            return False
        connection.disconnect(tx)
        return True


def update(store: Store, link: Link) -> None:
    """Keep what the cloud says of this hub now; new clinics may take what was on hold for the old ones."""
    with store.write() as tx:
        before = connection.link(tx.db)
        if before is None:
            return
        connection.update(tx, link)
        if set(link.clinics) != set(before.clinics):
            queue.release_all(tx)
