"""Decides which session of a phone ends when it has too many: anybody who heard its id can make them without end (S3).

A session is proven once a message was opened under it, which only the phone can seal. The app shakes hands before
almost every call, so that a proven one is mostly done with; what must not be lost is a handshake whose call is to come.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec


class Held(msgspec.Struct, frozen=True):
    """A session that a phone has."""

    address: str
    """Where its handshake came from."""
    is_proven: bool
    is_idle: bool = False
    """Proven, and not used for a while."""


def gives_way(held: Sequence[Held]) -> int:
    """Return which one of a phone's sessions, oldest first, ends for the sake of a new one.

    In this order: one that is done with; of addresses from which this phone was never heard, the oldest of the one that
    made most, so that a flood ends its own; the oldest proven one, whose message is read; the oldest of all.
    """
    idle = next((place for place, one in enumerate(held) if one.is_idle), None)
    if idle is not None:
        return idle
    heard = {one.address for one in held if one.is_proven}
    strange = Counter(one.address for one in held if one.address not in heard)
    if strange:
        most = strange.most_common(1)[0][0]
        return next(place for place, one in enumerate(held) if one.address == most)
    return next((place for place, one in enumerate(held) if one.is_proven), 0)
