"""Sees the hubs on the network."""

import asyncio

from zeroconf import DNSQuestionType, ServiceInfo, ServiceListener, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from hub.services.discovery import links, presence
from hub.services.discovery.presence import Found

_MOST = 64
"""Hubs that are listed: whoever is on the network can announce as many as they like."""
_ANSWER_MS = 1500


class HubBrowser(ServiceListener):
    """Keeps the names of the hubs that announce themselves, and asks for the rest when it is wanted."""

    def __init__(self, *zeroconfs: Zeroconf) -> None:
        """Look on the links of these."""
        self._zeroconfs = zeroconfs
        self._names: dict[str, None] = {}
        # A question to all, not one to be answered to a port: that port is shared with other programs of this machine.
        self._browsers = [
            AsyncServiceBrowser(zeroconf, [presence.HUBS], listener=self, question_type=DNSQuestionType.QM)
            for zeroconf in zeroconfs
        ]

    def add_service(self, _zc: Zeroconf, _kind: str, name: str) -> None:
        """Take a new hub in."""
        if len(self._names) < _MOST:
            self._names[name] = None

    def update_service(self, _zc: Zeroconf, _kind: str, name: str) -> None:
        """Do nothing: its details are looked up when they are wanted."""

    def remove_service(self, _zc: Zeroconf, _kind: str, name: str) -> None:
        """Forget a hub that said goodbye, or was not heard for long."""
        self._names.pop(name, None)

    async def found(self) -> list[Found]:
        """Return the hubs of now that say where they are, by name."""
        infos = await asyncio.gather(*(self._details(name) for name in tuple(self._names)))
        seen = [presence.found(info) for info in infos if info]
        return sorted((hub for hub in seen if hub), key=lambda hub: (hub.name, hub.id))

    async def _details(self, name: str) -> ServiceInfo | None:
        """Return what a hub announces: every link's socket hears all links, but asks on its own."""
        infos = [AsyncServiceInfo(presence.HUBS, name) for _ in self._zeroconfs]
        for info, zeroconf in zip(infos, self._zeroconfs, strict=True):
            if info.load_from_cache(zeroconf):
                return info
        asked = zip(infos, self._zeroconfs, strict=True)
        answered = await asyncio.gather(*(info.async_request(zc, _ANSWER_MS, DNSQuestionType.QM) for info, zc in asked))
        return next((info for info, is_known in zip(infos, answered, strict=True) if is_known), None)


async def look(seconds: float) -> list[Found]:
    """Return the hubs that answer within so many seconds; none for a machine that is on no network."""
    found = links.every()
    if not found:
        return []
    async with AsyncZeroconf(interfaces=[str(link.address) for link in found]) as zeroconf:
        browser = HubBrowser(zeroconf.zeroconf)
        await asyncio.sleep(seconds)
        return await browser.found()
