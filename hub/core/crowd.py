"""Decides which connections end when somebody holds too many of them: a connection costs who opens it nothing (S8).

The server takes so many connections in all; who comes after that waits outside. So an address has a share of them, and
strangers have less than all: the rest is for places from which a phone of this hub was heard.
"""

from collections.abc import Collection, Iterable, Sequence

import msgspec

PER_ADDRESS = 64
"""A phone holds five, a browser six: room for a dozen phones behind one access point."""
STRANGERS = 1024
"""Of all the addresses from which no phone was heard, together."""
TAKEN = 2048
"""What the server takes in all."""


class Connection(msgspec.Struct, frozen=True):
    """A connection from an address; those with higher numbers came later."""

    num: int
    address: str


def ending(connections: Iterable[Connection], known: Collection[str]) -> list[Connection]:
    """Return which connections end: what an address has beyond its share, and what strangers have beyond theirs.

    known: addresses from which phones were heard.

    The newest of an address go first, so that what is under way goes on; of strangers, those of who has most.
    """
    by_address: dict[str, list[Connection]] = {}
    for one in sorted(connections, key=lambda one: one.num):
        by_address.setdefault(one.address, []).append(one)
    strangers = {address: len(held) for address, held in by_address.items() if address not in known}
    share = _even_share(list(strangers.values()))
    most = {address: share if address in strangers else PER_ADDRESS for address in by_address}
    return [one for address, held in by_address.items() for one in held[most[address] :]]


def _even_share(held: Sequence[int]) -> int:
    """Return the largest share by which addresses that hold so many keep to STRANGERS in all; one at least."""
    fits = (sum(min(size, share) for size in held) <= STRANGERS for share in range(2, PER_ADDRESS + 1))
    return 1 + sum(fits)
