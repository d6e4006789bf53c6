"""Whether a write reaches the card: what the watchdog is fed by."""

from hub.store.box.write_check import reaches_card

__all__ = ["reaches_card"]
