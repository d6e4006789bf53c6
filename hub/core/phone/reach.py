"""Which phones look for the hub at an address it no longer has: today's app keeps the one that it once scanned."""

from collections.abc import Collection, Mapping
from ipaddress import IPv4Address

import msgspec

LOOKS = (
    "{count} phone is looking for the hub at its old address {host}.",
    "{count} phones are looking for the hub at its old address {host}.",
)
"""For one phone, and for many."""
REMEDY = (
    "Give the hub its old address back (reserve it in the router: DHCP reservation),"
    " or scan the QR code again with these phones."
)


class Moved(msgspec.Struct, frozen=True):
    """An address that the hub has not got any more, and how many phones use it."""

    host: str
    phones: int


def moved(reached: Mapping[str, int], own: Collection[str]) -> list[Moved]:
    """Return what is not among the hub's ``own`` addresses and names, most phones first.

    reached: phones by the host they last reached the hub at. Names of the internet are left out: where they lead is
    not known here.
    """
    mine = {name.lower() for name in own}
    gone = [Moved(host, phones) for host, phones in reached.items() if _is_ours_to_judge(host) and host not in mine]
    return sorted(gone, key=lambda found: (-found.phones, found.host))


def host_of(header: str) -> str:
    """Return the host of a Host header, without its port; nothing if it is not one."""
    host = header.strip().lower().removesuffix(".")
    if host.count(":") == 1:
        host = host.partition(":")[0].removesuffix(".")
    return host if len(host) <= _HOST_CHARS and all(letter in _LETTERS for letter in host) else ""


_HOST_CHARS = 253
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-:[]")


def _is_ours_to_judge(host: str) -> bool:
    if host.endswith(".local"):
        return True
    try:
        return not IPv4Address(host).is_loopback
    except ValueError:
        return False
