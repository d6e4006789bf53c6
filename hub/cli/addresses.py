"""Finds the address of this machine that phones on the LAN can reach."""

import ipaddress
from collections.abc import Iterator

import ifaddr

_ANY = frozenset({"0.0.0.0", "::", ""})  # noqa: S104  compared, not bound
_INNER = ("lo", "docker", "br-", "veth", "virbr")
"""Interfaces that no phone is on."""


def reachable(host: str) -> str:
    """Give ``host``, or where that is every address, the best one of this machine: private IPv4 before others."""
    if host not in _ANY:
        return host
    return next(iter(sorted(_lan(), key=lambda address: not address.is_private)), _LOOPBACK).compressed


_LOOPBACK = ipaddress.IPv4Address("127.0.0.1")


def _lan() -> Iterator[ipaddress.IPv4Address]:
    for adapter in ifaddr.get_adapters():
        if adapter.name.startswith(_INNER):
            continue
        for found in adapter.ips:
            if isinstance(found.ip, str):
                address = ipaddress.IPv4Address(found.ip)
                if not address.is_loopback and not address.is_link_local:
                    yield address
