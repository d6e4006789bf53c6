"""The hub on one link: a zeroconf there, and the services that it announces."""

from typing import Any

from zeroconf import (  # type: ignore[attr-defined]  # exported, though not listed
    AddressResolverIPv4,
    ServiceInfo,
    Zeroconf,
)
from zeroconf.asyncio import AsyncZeroconf

from hub.services.discovery import presence
from hub.services.discovery.links import NetworkLink
from hub.services.discovery.presence import Presence

_CLAIM_MS = 1500
"""Three questions, as RFC 6762 section 8.1 asks before a name is taken; zeroconf spaces them wider."""


class LinkZeroconf(Zeroconf):
    """A Zeroconf that speaks on one link: what it hears from the others it does not answer to a single machine."""

    def __init__(self, link: NetworkLink) -> None:
        self.link = link
        super().__init__(interfaces=[str(link.address)], use_asyncio=True)

    def async_send(self, out: Any, addr: str | None = None, *more: Any, **options: Any) -> None:  # noqa: ANN401
        """Send by multicast on the link, or to a machine on it."""
        if addr is None or self.link.is_local(addr):
            super().async_send(out, addr, *more, **options)


class Station:
    """The hub on one link; ``close`` it to say goodbye."""

    def __init__(self, link: NetworkLink) -> None:
        self.zeroconf = LinkZeroconf(link)
        self._link = link
        self._async = AsyncZeroconf(zc=self.zeroconf)
        self._services: list[ServiceInfo] = []

    async def holders(self, host_name: str, own: frozenset[bytes]) -> set[bytes]:
        """Return the addresses of machines that answer to a host name, without this one's, which are ``own``."""
        resolver = AddressResolverIPv4(f"{host_name}.")
        await resolver.async_request(self.zeroconf, _CLAIM_MS)
        return set(resolver.addresses) - own

    async def announce(self, now: Presence, host_name: str, port: int) -> None:
        """Announce the hub and its pages, and withdraw what was announced under another name.

        The new comes before the old goes, so that the host name is never without a service. A name of a service ends
        in the hub's id, so that none is taken (and the hub's other links are no rivals).
        """
        before, self._services = self._services, presence.services(now, host_name, port, self._link)
        for info in self._services:
            await self.zeroconf.async_register_service(info, cooperating_responders=True)
        for info in before:
            await self.zeroconf.async_unregister_service(info)

    async def update(self, now: Presence, host_name: str, port: int) -> None:
        """Announce what has changed, under the same names."""
        self._services = presence.services(now, host_name, port, self._link)
        for info in self._services:
            await self.zeroconf.async_update_service(info)

    def defend(self) -> None:
        """Say that the host name is ours, and where."""
        for info in self._services[:1]:
            self.zeroconf.async_send(self.zeroconf.generate_service_broadcast(info, None))

    async def close(self) -> None:
        """Say goodbye."""
        await self._async.async_close()
