"""Announces the hub while it runs: claims a host name, follows addresses and pairing, gives way, says goodbye."""

import asyncio
import socket
from functools import partial

import msgspec
import structlog

from hub.actions.box import announced, copying, identity
from hub.actions.box.announced import Announced, Other
from hub.core.copy import succession
from hub.core.log_events import LogEvent
from hub.services.discovery import links, presence, rivals
from hub.services.discovery.browser import HubBrowser
from hub.services.discovery.links import NetworkLink
from hub.services.discovery.presence import Options, Presence
from hub.services.discovery.rivals import Probes, Rivals
from hub.services.discovery.station import Station
from hub.services.discovery.successor import Successor
from hub.store.database import Store

_POLL_S = 2.0
"""How often addresses, pairing and the key are looked at.

Netlink would tell addresses at once, but asking takes a fifth of a millisecond, and joining a network takes seconds.
"""
_RETRY_S = 15.0
_IPV4 = 4

log = structlog.get_logger()


class Announcer:
    """The hub on the network; ``run`` it in the event loop of the server, and cancel that to say goodbye."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._known = Announced(options.host_name, "")
        self._kept: Announced | None = None
        self._rivals: Rivals | None = None
        self._successor = Successor(lambda _: False)

    async def run(self) -> None:
        """Announce until cancelled.

        Whatever fails is logged and tried again: phones that know the address need none of this.
        """
        if links.is_loopback(self._options.host):
            return
        self._known = await asyncio.to_thread(self._recall)
        while True:
            try:
                await self._announce()
            except Exception as error:  # noqa: BLE001  no fault of the network may end the hub
                log.warning(LogEvent.DISCOVERY_FAILED, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_RETRY_S)

    def look(self) -> None:
        """See at once, and not at the next look, what has changed; from the event loop alone."""
        if self._rivals:
            self._rivals.wake()

    async def _announce(self) -> None:
        """Announce on the links of now; ends when they change, or when another host has the name.

        zeroconf is bound to addresses, so a new one takes a new zeroconf.
        """
        found = await self._links()
        while not found:
            await asyncio.sleep(_POLL_S)
            found = await self._links()
        own = frozenset(link.address.packed for link in found)
        stations = [Station(link) for link in found]
        self._successor = await asyncio.to_thread(self._expected)
        for station in stations:
            station.zeroconf.async_add_listener(self._successor, None)
        try:
            host_name = await self._claim(stations, own)
            await self._announce_as(host_name, found, stations, own)
        finally:
            self._rivals = None
            await asyncio.gather(*(station.close() for station in stations))

    async def _announce_as(
        self, host_name: str, found: tuple[NetworkLink, ...], stations: list[Station], own: frozenset[bytes]
    ) -> None:
        def defend() -> None:
            for station in stations:
                station.defend()

        self._rivals = Rivals(host_name, own)
        for station in stations:
            station.zeroconf.async_add_listener(self._rivals, None)
        probes = await Probes(host_name, defend).listen(found)
        try:
            now = await self._presence()
            for station in stations:
                await station.announce(now, host_name, self._options.port)
            await self._keep(host_name)
            log.info(
                LogEvent.DISCOVERY_ANNOUNCED, host=host_name, addresses=",".join(str(link.address) for link in found)
            )
            browser = HubBrowser(*(station.zeroconf for station in stations))
            while await self._links() == found and self._stands(host_name, self._rivals, own):
                if self._rivals.addresses:
                    await self._name_rivals(self._rivals.addresses)
                    self._rivals.addresses.clear()
                    defend()
                if self._successor.is_here and not self._store.is_replaced:
                    await asyncio.to_thread(copying.retire, self._store)
                now = await self._follow(now, host_name, stations)
                await self._see(browser, now)
                await self._rivals.wait(_POLL_S)
        finally:
            probes.close()

    def _expected(self) -> Successor:
        """Return what hears of a box that was made of this hub's copy."""
        who, times = identity.load(self._store), copying.epoch(self._store)
        return Successor(partial(succession.is_successor, identity=who.keys, times=times))

    def _stands(self, host_name: str, seen: Rivals, own: frozenset[bytes]) -> bool:
        """Return whether the hub keeps its name; where it does not, the next claim begins with the wanted one."""
        if not seen.addresses or not rivals.must_give_way(own, seen.addresses):
            return True
        log.warning(LogEvent.DISCOVERY_GIVES_WAY, host=host_name)
        self._known = msgspec.structs.replace(self._known, host="")
        return False

    async def _follow(self, before: Presence, host_name: str, stations: list[Station]) -> Presence:
        """Keep what is announced true."""
        now = await self._presence()
        if now != before:
            for station in stations:
                change = station.update if now.label() == before.label() else station.announce
                await change(now, host_name, self._options.port)
        return now

    async def _see(self, browser: HubBrowser, now: Presence) -> None:
        """Keep which other hubs there are."""
        found = [hub for hub in await browser.found() if hub.id != now.hub_id]
        others = tuple(Other(hub.id, hub.name, hub.url) for hub in found)
        if others != self._known.others:
            await self._keep(self._known.host, others=others)

    async def _claim(self, stations: list[Station], own: frozenset[bytes]) -> str:
        """Return the first name that no other machine answers to, on any link (RFC 6762 section 8.1)."""
        for name in self._names():
            holders = set().union(*await asyncio.gather(*(station.holders(name, own) for station in stations)))
            if not holders:
                if name == f"{self._options.host_name}.local":
                    self._known = msgspec.structs.replace(self._known, rivals=())
                return name
            log.info(LogEvent.DISCOVERY_NAME_TAKEN, host=name)
            await self._name_rivals(holders)
        raise RuntimeError("every host name is taken")

    async def _name_rivals(self, addresses: set[bytes]) -> None:
        """Keep for people who else goes by the hub's name."""
        seen = sorted({*self._known.rivals, *(socket.inet_ntoa(each) for each in addresses if len(each) == _IPV4)})
        if self._known.host:
            await self._keep(self._known.host, rivals=tuple(seen))
        else:  # it is kept with the name that the hub takes
            self._known = msgspec.structs.replace(self._known, rivals=tuple(seen))

    def _names(self) -> list[str]:
        """Return the names to try: the one from before comes first, so that two hubs never swap theirs."""
        wanted = self._options.host_name
        first = [self._known.host] if self._known.host else []
        return [*first, f"{wanted}.local", *(f"{wanted}-{number}.local" for number in range(2, 100))]

    async def _links(self) -> tuple[NetworkLink, ...]:
        return links.served(self._options.host, await asyncio.to_thread(links.every))

    async def _presence(self) -> Presence:
        return await asyncio.to_thread(presence.read, self._store, self._options)

    def _recall(self) -> Announced:
        before = announced.find(self._store)
        wanted = self._options.host_name
        return before if before and before.wanted == wanted else Announced(wanted, "")

    async def _keep(self, host: str, **changed: tuple[Other, ...] | tuple[str, ...]) -> None:
        known = msgspec.structs.replace(self._known, host=host, **changed)
        self._known = known
        if known != self._kept:
            self._kept = known
            await asyncio.to_thread(announced.keep, self._store, known)
