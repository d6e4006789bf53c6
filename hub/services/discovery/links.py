"""Finds the addresses at which this machine can be reached from a network: those to announce and to write in a code."""

import ipaddress
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Interface

import ifaddr
import msgspec

_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  compared, not bound
_INNER = ("lo", "docker", "br-", "veth", "virbr")
"""Interfaces that no phone is on."""


class NetworkLink(msgspec.Struct, frozen=True, order=True):
    """An IPv4 address of this machine on one interface, and the network that can use it: ``192.168.4.1/24``."""

    interface: str
    cidr: str

    @property
    def address(self) -> IPv4Address:
        """Return the address."""
        return IPv4Interface(self.cidr).ip

    def is_local(self, address: str) -> bool:
        """Return whether an address is in this link's network."""
        try:
            return IPv4Address(address) in IPv4Interface(self.cidr).network
        except ValueError:
            return False


def every() -> tuple[NetworkLink, ...]:
    """Return all links of this machine, in a steady order; without IPv6, which phones are not sent to."""
    found = (
        NetworkLink(adapter.name, f"{address.ip}/{address.network_prefix}")
        for adapter in ifaddr.get_adapters()
        if not adapter.name.startswith(_INNER)
        for address in adapter.ips
        if isinstance(address.ip, str)
    )
    return tuple(sorted({link for link in found if _is_useful(link.address)}))


def served(host: str, links: Iterable[NetworkLink]) -> tuple[NetworkLink, ...]:
    """Return the links on which a hub that listens on ``host`` can be reached; none for one on loopback."""
    return tuple(link for link in links if host in _ANY or host == str(link.address))


def addresses(host: str) -> tuple[str, ...]:
    """Return the addresses of a hub that listens on ``host``, the one to write in a code first.

    Private ones come before others. One of a single address keeps it, whether or not it has it now.
    """
    if host not in _ANY:
        return (host,)
    found = sorted((link.address for link in every()), key=lambda address: not address.is_private)
    return tuple(str(address) for address in found)


def reachable(host: str) -> str:
    """Return the address to write in a code; loopback for a machine that is on no network."""
    return next(iter(addresses(host)), "127.0.0.1")


def is_loopback(host: str) -> bool:
    """Return whether a hub that listens on ``host`` can be reached from this machine alone."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_useful(address: IPv4Address) -> bool:
    return not address.is_loopback and not address.is_link_local
