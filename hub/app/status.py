"""Measures the hub together with the machine that it runs on."""

from hub.services.machine import measures
from hub.services.status.gathering import Gathering
from hub.store.database import Store


def gathering(store: Store) -> Gathering:
    """Return what measures the hub of this store on this machine."""
    return Gathering(store, power_weak=measures.power_weak, temperature_c=measures.temperature_c)
