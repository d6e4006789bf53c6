"""Announces the hub while it runs: claims a host name, follows addresses and pairing, gives way, says goodbye."""

import asyncio
import itertools

import msgspec
import structlog
from zeroconf import ServiceInfo
from zeroconf._dns import DNSQuestion
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.asyncio import AsyncZeroconf
from zeroconf.const import _CLASS_IN, _CLASS_UNIQUE, _FLAGS_QR_QUERY, _TYPE_ANY

from hub.actions.box import announced
from hub.actions.box.announced import Announced, Other
from hub.core.log_events import LogEvent
from hub.services.discovery import links, presence
from hub.services.discovery.links import Link
from hub.services.discovery.presence import Options, Presence
from hub.services.discovery.responder import Responder, Rivals
from hub.services.discovery.watch import Watch
from hub.store.database import Store

_POLL_S = 2.0
"""How often addresses, pairing and the key are looked at.

Netlink would tell addresses at once, but asking takes a fifth of a millisecond, and joining a network takes seconds.
"""
_RETRY_S = 15.0
_PROBES = 3
_PROBE_S = 0.25
"""RFC 6762 section 8.1."""

log = structlog.get_logger()


class Announcer:
    """The hub on the network; ``run`` it in the event loop of the server, and cancel that to say goodbye."""

    def __init__(self, store: Store, options: Options) -> None:
        self._store = store
        self._options = options
        self._known = Announced(options.host_name, "")
        self._rivals: Rivals | None = None

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
        """Announce on the links of now; ends when they change, or when another host has the name."""
        found = await self._links()
        while not found:
            await asyncio.sleep(_POLL_S)
            found = await self._links()
        responder = Responder(found)
        zeroconf = AsyncZeroconf(zc=responder)
        try:
            await responder.async_wait_for_start()
            host_name = await _claim(responder, self._names())
            rivals = Rivals(responder, host_name)
            responder.async_add_listener(rivals, None)
            watch = Watch(responder)
            now = await self._presence()
            services = await self._register(responder, host_name, now)
            await self._keep(host_name)
            log.info(
                LogEvent.DISCOVERY_ANNOUNCED, host=host_name, addresses=",".join(str(link.address) for link in found)
            )
            self._rivals = rivals
            await self._follow(responder, rivals, watch, services, now)
        finally:
            self._rivals = None
            await zeroconf.async_close()

    async def _follow(
        self, responder: Responder, rivals: Rivals, watch: Watch, services: list[ServiceInfo], now: Presence
    ) -> None:
        """Keep what is announced true, until the links change or the name has to be given up."""
        while await self._links() == responder.links:
            if rivals.addresses:
                if _must_give_way(responder.links, rivals.addresses):
                    log.info(LogEvent.DISCOVERY_GIVES_WAY, host=services[0].server)
                    self._known = msgspec.structs.replace(self._known, host="")
                    return
                rivals.addresses.clear()
                responder.defend(f"{services[0].server}")
            latest = await self._presence()
            if latest != now:
                change = self._update if latest.label() == now.label() else self._rename
                now = latest
                services = await change(responder, services, now)
            others = tuple(
                Other(other.id, other.name, other.url) for other in await watch.found() if other.id != now.hub_id
            )
            if others != self._known.others:
                await self._keep(self._known.host, others)
            await rivals.wait(_POLL_S)

    async def _register(self, responder: Responder, host_name: str, now: Presence) -> list[ServiceInfo]:
        services = presence.services(now, host_name, self._options.port, responder.links)
        for info in services:
            await responder.async_register_service(info, allow_name_change=True)
        return services

    async def _rename(self, responder: Responder, services: list[ServiceInfo], now: Presence) -> list[ServiceInfo]:
        """Say goodbye under the old name. The new one comes first, so that the host name is never without a service."""
        new = await self._register(responder, _host_name(services), now)
        for info in services:
            await responder.async_unregister_service(info)
        return new

    async def _update(self, responder: Responder, services: list[ServiceInfo], now: Presence) -> list[ServiceInfo]:
        new = presence.services(now, _host_name(services), self._options.port, responder.links)
        for info, before in zip(new, services, strict=True):
            info.name = before.name
            await responder.async_update_service(info)
        return new

    def _names(self) -> list[str]:
        """Return the names to try: the one from before comes first, so that two hubs never swap theirs."""
        wanted = self._options.host_name
        first = [self._known.host] if self._known.host else []
        return [*first, f"{wanted}.local", *(f"{wanted}-{number}.local" for number in range(2, 100))]

    async def _links(self) -> tuple[Link, ...]:
        return links.served(self._options.host, await asyncio.to_thread(links.every))

    async def _presence(self) -> Presence:
        return await asyncio.to_thread(presence.read, self._store, self._options)

    def _recall(self) -> Announced:
        before = announced.find(self._store)
        wanted = self._options.host_name
        return before if before and before.wanted == wanted else Announced(wanted, "")

    async def _keep(self, host: str, others: tuple[Other, ...] | None = None) -> None:
        known = Announced(self._options.host_name, host, self._known.others if others is None else others)
        if known != self._known:
            self._known = known
            await asyncio.to_thread(announced.keep, self._store, known)


def _host_name(services: list[ServiceInfo]) -> str:
    return str(services[0].server).rstrip(".")


async def _claim(responder: Responder, names: list[str]) -> str:
    """Return the first of the names that nobody defends (RFC 6762 section 8.1)."""
    for name in names:
        rivals = Rivals(responder, name)
        responder.async_add_listener(rivals, None)
        try:
            for _ in itertools.repeat(None, _PROBES):
                responder.async_send(_question(name))
                await rivals.wait(_PROBE_S)
                if rivals.addresses:
                    break
            else:
                return name
        finally:
            responder.async_remove_listener(rivals)
        log.info(LogEvent.DISCOVERY_NAME_TAKEN, host=name)
    raise RuntimeError("every host name is taken")


def _question(name: str) -> DNSOutgoing:
    out = DNSOutgoing(_FLAGS_QR_QUERY)
    out.add_question(DNSQuestion(f"{name}.", _TYPE_ANY, _CLASS_IN | _CLASS_UNIQUE))
    return out


def _must_give_way(mine: tuple[Link, ...], rivals: set[bytes]) -> bool:
    """Return who gives way when two took one name at once: the lower address, as in RFC 6762 section 8.2."""
    return max(link.address.packed for link in mine) < max(rivals)
