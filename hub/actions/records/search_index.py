"""Indexes the patients who came many at once, so that whoever searches finds them (hub.store.records.unsearched)."""

import contextlib

from hub.core.errors import Unavailable
from hub.store.database import Store
from hub.store.records import unsearched


def index_some(store: Store) -> bool:
    """Index some patients who are not yet; returns whether there may be more. Raises Unavailable."""
    with store.read() as db:
        if unsearched.is_empty(db):
            return False
    with store.write(durable=False) as tx:  # a power cut takes it back whole
        unsearched.index(tx)
    return True


def index_all(store: Store) -> None:
    """Index every patient who is not yet; where nothing can be written now, the others are found all the same."""
    with contextlib.suppress(Unavailable):
        while index_some(store):
            pass
