"""Sees who else goes by the hub's host name, or is about to: zeroconf defends names of services, not of hosts."""

import asyncio
import contextlib
import socket
import time
from collections.abc import Callable, Iterable

from zeroconf import (  # type: ignore[attr-defined]  # exported, though not listed
    DNSAddress,
    DNSIncoming,
    RecordUpdate,
    RecordUpdateListener,
    Zeroconf,
)

from hub.services.discovery.links import NetworkLink

_GROUP, _PORT = "224.0.0.251", 5353
_ANY = 255
"""The type of record that a probe asks for (RFC 6762 section 8.1)."""
_DEFENCE_PAUSE_S = 0.25
"""Between two defences: RFC 6762 section 6, so that a flood of questions is not answered with a flood."""


class Rivals(RecordUpdateListener):
    """Collects the addresses, other than ours, that are announced for ``host_name``."""

    def __init__(self, host_name: str, own: frozenset[bytes]) -> None:
        self._own = own
        self._key = f"{host_name}.".lower()
        self.addresses: set[bytes] = set()
        self._changed = asyncio.Event()

    def wake(self) -> None:
        """End a wait."""
        self._changed.set()

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until a rival speaks up or somebody wakes it."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
        self._changed.clear()

    def async_update_records(self, _zc: Zeroconf, _now: float, records: list[RecordUpdate]) -> None:
        """Take what arrived in one message: announced, or withdrawn with a time to live of zero."""
        for update in records:
            record = update.new
            if isinstance(record, DNSAddress) and record.key == self._key and record.address not in self._own:
                (self.addresses.add if record.ttl else self.addresses.discard)(record.address)
                self.wake()


class Probes(asyncio.DatagramProtocol):
    """Hears the question of a machine that is about to take ``host_name``, which zeroconf leaves unanswered."""

    def __init__(self, host_name: str, defend: Callable[[], None]) -> None:
        self._key = f"{host_name}.".lower()
        self._defend = defend
        self._defended_at = -_DEFENCE_PAUSE_S

    def datagram_received(self, data: bytes, _addr: tuple[str, int]) -> None:
        """Defend the name against a probe for it."""
        message = DNSIncoming(data)
        now = time.monotonic()
        if not message.is_query() or now - self._defended_at < _DEFENCE_PAUSE_S:
            return
        if any(asked.type == _ANY and asked.name.lower() == self._key for asked in message.questions):
            self._defended_at = now
            self._defend()

    async def listen(self, links: Iterable[NetworkLink]) -> asyncio.DatagramTransport:
        """Listen until the transport is closed; bound to the group, so that zeroconf misses no answer to itself."""
        heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
                heard.setsockopt(socket.SOL_SOCKET, option, 1)
            heard.bind((_GROUP, _PORT))
            for link in links:
                member = socket.inet_aton(_GROUP) + link.address.packed
                heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            heard.setblocking(False)  # noqa: FBT003  the socket's way
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=heard)
        except BaseException:
            heard.close()
            raise
        return transport


def must_give_way(mine: frozenset[bytes], rivals: set[bytes]) -> bool:
    """Return who gives way when two took one name at once: the lower address, as in RFC 6762 section 8.2."""
    return max(mine) < max(rivals)
