"""Decides whether a browser was led to this hub by a name of its own: another's may be led here too (DNS rebinding).

Whoever owns a name of the internet can let it point at the hub's address, and then a page of theirs, open in a browser
on the Wi-Fi, reads the hub's as its own. An address cannot be led anywhere else.
"""

from collections.abc import Collection, Iterable
from ipaddress import ip_address

_HOME = ("", ".local", ".lan", ".home", ".internal", ".home.arpa")
"""What routers and mDNS put behind a machine's name; nobody can own one of these on the internet."""


def names(labels: Iterable[str], further: str) -> frozenset[str]:
    """Return the names of a hub.

    labels: what it is called on the network, with or without ``.local``.
    further: what the settings say, separated by spaces.
    """
    known = {label.lower().removesuffix(".local") for label in labels if label}
    return frozenset({"localhost", *further.lower().split(), *(label + home for label in known for home in _HOME)})


def is_own(host: str, own: Collection[str], addresses: Collection[str]) -> bool:
    """Return whether a host, as a browser names it, is among the hub's names, or an address of it or of a network.

    own: in lower case. addresses: of the hub. An address of the internet that is none of these is somebody else's.
    """
    plain = host.lower().removesuffix(".").removeprefix("[").removesuffix("]")
    try:
        address = ip_address(plain)
    except ValueError:
        return plain in own
    return not address.is_global or plain in addresses
