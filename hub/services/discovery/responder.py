"""Answers multicast DNS as RFC 6762 asks where the library does not: own addresses by link, and a defended host name.

zeroconf sends every address on every link, and stays silent when another machine asks whether the host name is taken.
"""

import asyncio
import contextlib
import ipaddress
import time
from typing import Any

from zeroconf import RecordUpdate, RecordUpdateListener, Zeroconf
from zeroconf._dns import DNSAddress, DNSRecord
from zeroconf._handlers.query_handler import QueryHandler  # its one place to hear a question before it is answered
from zeroconf._protocol.incoming import DNSIncoming
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf.const import _FLAGS_AA, _FLAGS_QR_RESPONSE, _MDNS_PORT, _TYPE_ANY

from hub.services.discovery.links import Link

_DEFENCE_PAUSE_S = 0.25
"""Between two defences: RFC 6762 section 6, so that a flood of questions is not answered with a flood."""


class Responder(Zeroconf):
    """A Zeroconf on these links that tells on each of them only the addresses that are valid there."""

    def __init__(self, links: tuple[Link, ...]) -> None:
        self.links = links
        self._defended_at = -_DEFENCE_PAUSE_S
        super().__init__(interfaces=[str(link.address) for link in links], use_asyncio=True)
        self.query_handler = _Defender(self)

    def async_send(
        self,
        out: DNSOutgoing,
        addr: str | None = None,
        port: int = _MDNS_PORT,
        v6_flow_scope: tuple[()] | tuple[int, int] = (),
        transport: Any = None,  # noqa: ANN401  the library's own class for it is not public
    ) -> None:
        """Send on one link, or on each (RFC 6762 section 6.2)."""
        if out.is_query():
            super().async_send(out, addr, port, v6_flow_scope, transport)
            return
        for sender in [transport] if transport else list(self.engine.senders):
            valid = self._valid(out, self._link(sender.sock_name[0], addr))
            if valid.answers:
                super().async_send(valid, addr, port, v6_flow_scope, sender)

    def defend(self, name: str) -> None:
        """Say at once that the host name is taken, to whoever is about to take it (RFC 6762 section 8.1)."""
        records = [
            record
            for info in self.registry.async_get_infos_server(name.lower())[:1]
            for record in info.get_address_and_nsec_records()
        ]
        now = time.monotonic()
        if not records or now - self._defended_at < _DEFENCE_PAUSE_S:
            return
        self._defended_at = now
        out = DNSOutgoing(_FLAGS_QR_RESPONSE | _FLAGS_AA)
        for record in records:
            out.add_answer_at_time(record, 0)
        self.async_send(out)

    def _link(self, bound: str, to: str | None) -> Link | None:
        """Find the link a message goes out on; the socket that listens is bound to none, and sends by address."""
        return next((link for link in self.links if str(link.address) == bound or (to and link.is_local(to))), None)

    def _valid(self, out: DNSOutgoing, link: Link | None) -> DNSOutgoing:
        mine = {other.address.packed for other in self.links}

        def is_valid(record: DNSRecord) -> bool:
            if not isinstance(record, DNSAddress) or record.address not in mine or link is None:
                return True
            return link.is_local(str(ipaddress.ip_address(record.address)))

        copy = DNSOutgoing(out.flags, out.multicast, out.id)
        copy.questions = out.questions
        copy.answers = [(record, at) for record, at in out.answers if is_valid(record)]
        copy.authorities = out.authorities
        copy.additionals = [record for record in out.additionals if is_valid(record)]
        return copy


class _Defender(QueryHandler):
    """Answers questions, also those for every kind of record of the host name, which probes are."""

    def __init__(self, responder: Responder) -> None:
        super().__init__(responder)
        self._responder = responder

    def handle_assembled_query(
        self,
        packets: list[DNSIncoming],
        addr: str,
        port: int,
        transport: Any,  # noqa: ANN401  as above
        v6_flow_scope: tuple[()] | tuple[int, int],
    ) -> None:
        for packet in packets:
            for question in packet.questions:
                if question.type == _TYPE_ANY:
                    self._responder.defend(question.name)
        super().handle_assembled_query(packets, addr, port, transport, v6_flow_scope)


class Rivals(RecordUpdateListener):
    """Sees who else says to be ``host_name``: addresses that are not ours, with the time to live of the living."""

    def __init__(self, responder: Responder, host_name: str) -> None:
        self._own = {link.address.packed for link in responder.links}
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
        """Take what arrived in one message."""
        for update in records:
            record = update.new
            if isinstance(record, DNSAddress) and record.key == self._key and record.address not in self._own:
                (self.addresses.add if record.ttl else self.addresses.discard)(record.address)
                self.wake()
