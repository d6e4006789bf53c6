"""Where phones find the hub: what goes into the code, and whether it has moved away from phones that know it."""

from hub.actions.box import announced
from hub.actions.box.listening import Listening
from hub.actions.phones import devices
from hub.core.phone.reach import Moved
from hub.services.discovery import links
from hub.store.database import Store

_HTTP_PORT = 80
"""The one that an address need not say."""


class Reach:
    """The ways to a hub that listens at ``server``."""

    def __init__(self, store: Store, server: Listening, *, wanted: str, by_name: bool) -> None:
        """Take what the settings say: the wanted host name, and whether codes carry a name or an address."""
        self.server = server
        self._store = store
        self._wanted = wanted
        self._by_name = by_name

    def host(self) -> str:
        """Return the address or name that goes into the code."""
        return self.host_name() if self._by_name else links.reachable(self.server.host)

    def host_name(self) -> str:
        """Return the name that the network knows the hub by, or will if it is free."""
        found = announced.find(self._store)
        return found.host if found and found.host and found.wanted == self._wanted else f"{self._wanted}.local"

    def pages(self) -> list[str]:
        """Return where people find the hub's pages, by its name first."""
        return [_page(host, self.server.port) for host in (self.host_name(), *links.addresses(self.server.host))]

    def moved(self) -> list[Moved]:
        """Return the addresses that phones use and the hub has not got any more."""
        own = {*links.addresses(self.server.host), self.host_name()}
        return devices.moved(self._store, own)


def _page(host: str, port: int) -> str:
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}" if port == _HTTP_PORT else f"http://{shown}:{port}"
