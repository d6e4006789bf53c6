"""Whether a write reaches the card: what the watchdog is fed by."""

import sqlite3

from hub.core.errors import Unavailable
from hub.store.database import Store


def reaches_card(store: Store) -> bool:
    """Write, wait for the card, and return whether it was kept.

    A full disk counts as proof: the hub lives, its page and lights say what is wrong, and starting again would free
    nothing but take the page away.
    """
    try:
        with store.write() as tx:
            return tx.now_ms > 0
    except Unavailable as error:
        return is_full(error)


def is_full(error: Unavailable) -> bool:
    """Whether the disk had no room."""
    cause = error.__cause__
    return isinstance(cause, sqlite3.Error) and cause.sqlite_errorcode == sqlite3.SQLITE_FULL
