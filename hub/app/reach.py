"""The ways to this hub, from its settings and from where it listens."""

from hub.actions.box import listening
from hub.actions.box.listening import Listening
from hub.services.discovery.reach import Reach
from hub.settings import Settings
from hub.store.database import Store


def configured(store: Store, settings: Settings) -> Reach:
    """Return the ways to a hub that listens where its settings say; for the process that serves."""
    return _reach(store, settings, Listening(settings.server.host, settings.server.port))


def current(store: Store, settings: Settings) -> Reach:
    """Return the ways to the hub that runs, which options may have made listen elsewhere than its settings say."""
    found = listening.find(store)
    return _reach(store, settings, found) if found else configured(store, settings)


def _reach(store: Store, settings: Settings, server: Listening) -> Reach:
    by_name = settings.pairing.address == "name"
    return Reach(store, server, wanted=settings.discovery.host_name, by_name=by_name)
