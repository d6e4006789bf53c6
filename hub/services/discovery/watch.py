"""Sees the hubs on the network."""

import asyncio

from zeroconf import DNSQuestionType, ServiceListener, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from hub.services.discovery import links, presence
from hub.services.discovery.presence import Found
from hub.services.discovery.responder import Responder

_MOST = 64
"""Hubs that are listed: whoever is on the network can announce as many as they like."""
_ANSWER_MS = 1500


class Watch(ServiceListener):
    """Keeps the names of the hubs that announce themselves, and asks for the rest when it is wanted."""

    def __init__(self, zeroconf: Zeroconf) -> None:
        self._zeroconf = zeroconf
        self._names: dict[str, None] = {}
        # A question to all, not one to be answered to a port: that port is shared with other programs of this machine.
        self._browser = AsyncServiceBrowser(zeroconf, [presence.HUBS], listener=self, question_type=DNSQuestionType.QM)

    def add_service(self, _zc: Zeroconf, _kind: str, name: str) -> None:
        """Take a hub in."""
        if len(self._names) < _MOST:
            self._names[name] = None

    def update_service(self, _zc: Zeroconf, _kind: str, name: str) -> None:
        """Know it already."""

    def remove_service(self, _zc: Zeroconf, _kind: str, name: str) -> None:
        """Forget a hub that said goodbye, or was not heard for long."""
        self._names.pop(name, None)

    async def found(self) -> list[Found]:
        """Return the hubs of now that say where they are, by name."""
        infos = [AsyncServiceInfo(presence.HUBS, name) for name in self._names]
        answered = await asyncio.gather(*(self._ask(info) for info in infos))
        seen = [presence.found(info) for info, is_known in zip(infos, answered, strict=True) if is_known]
        return sorted((hub for hub in seen if hub), key=lambda hub: (hub.name, hub.id))

    async def _ask(self, info: AsyncServiceInfo) -> bool:
        return info.load_from_cache(self._zeroconf) or await info.async_request(
            self._zeroconf, _ANSWER_MS, DNSQuestionType.QM
        )


async def look(seconds: float) -> list[Found]:
    """Return the hubs that answer within so many seconds; none for a machine that is on no network."""
    found = links.every()
    if not found:
        return []
    async with AsyncZeroconf(zc=Responder(found)) as zeroconf:
        watch = Watch(zeroconf.zeroconf)
        await asyncio.sleep(seconds)
        return await watch.found()
