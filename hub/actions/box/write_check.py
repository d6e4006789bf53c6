"""Whether a write reaches the card: what the watchdog is fed by."""

from hub.store.box import write_check
from hub.store.database import Store


def reaches_card(store: Store) -> bool:
    """Write, wait for the card, and return whether it was kept; a full disk counts as proof."""
    return write_check.reaches_card(store)
