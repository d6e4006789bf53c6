"""Finds the ways to a hub from its settings, and from where it listens if it runs."""

from hub.actions.box import listening
from hub.actions.box.listening import Listening
from hub.services.discovery.reach import Reach
from hub.settings import Settings
from hub.store.database import Store


def of(store: Store, settings: Settings) -> Reach:
    """Return the ways to this hub."""
    server = listening.find(store) or Listening(settings.server.host, settings.server.port)
    by_name = settings.pairing.address == "name"
    return Reach(store, server, wanted=settings.discovery.host_name, by_name=by_name)
