"""How the hub is, for the commands that show it: what it says of itself, or what they measure themselves.

``hub.app.status`` would do, but takes a Pi seconds to import with all of the server.
"""

from collections.abc import Callable
from pathlib import Path

from hub.actions.box import facts as facts_of_store
from hub.core.status.facts import Facts
from hub.services.machine import measures
from hub.services.status import file
from hub.services.status.gathering import Gathering
from hub.settings import Settings
from hub.store.database import Store


def gathering(store: Store) -> Gathering:
    """Return what measures the hub of this store on this machine."""
    return Gathering(
        store,
        power_weak=measures.power_weak,
        temperature_c=measures.temperature_c,
        can_write=facts_of_store.can_write_beside,
    )


def facts(settings: Settings, measure: Callable[[], Facts]) -> Facts:
    """Return the facts of now; ``measure`` is asked where no hub can write a status file."""
    return file.facts(Path(settings.box.status_file), measure)
