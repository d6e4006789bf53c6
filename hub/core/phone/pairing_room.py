"""Decides whether a new phone finds room, and which stranger makes it: a phone on which nobody ever signed in (S2, S8).

While pairing is open, whoever is on the Wi-Fi can pair any number of made-up phones. A phone that was just paired looks
the same until somebody signs in on it. What tells them apart is that a flood comes from few addresses: each address
has a share, and only from who has taken clearly more than others is anything taken back.
"""

from collections import Counter
from collections.abc import Sequence

import msgspec

from hub.core.errors import TooMany, Unavailable

PER_ADDRESS = 64
"""Strangers from one address: all the phones of a large clinic behind one access point, paired before any sign-in."""
FRESH_MS = 15 * 60_000
"""So long after pairing somebody may be about to sign in."""
_AHEAD = 2
"""By how many strangers more than the newcomer's an address must be ahead, to make room for it. One would let two
floods push each other out for ever."""


class Stranger(msgspec.Struct, frozen=True):
    """A paired phone on which nobody ever signed in; ``paired_ms`` is hub time."""

    num: int
    address: str
    paired_ms: int


def makes_room(strangers: Sequence[Stranger], address: str, *, is_full: bool, now_ms: int) -> Stranger | None:
    """Return the stranger that a new phone from ``address`` replaces; None where there is room.

    Raises TooMany when the address has its share, Unavailable when nobody can be asked to make room.
    """
    own = [one for one in strangers if one.address == address]
    if len(own) >= PER_ADDRESS:
        oldest = _oldest(own)
        if now_ms - oldest.paired_ms < FRESH_MS:
            raise TooMany("too many new phones from one address", retry_after_s=60)
        return oldest
    if not is_full:
        return None
    gone = [one for one in strangers if now_ms - one.paired_ms >= FRESH_MS]
    if gone:
        return _oldest(gone)
    loads = Counter(one.address for one in strangers)
    most = max(loads.values(), default=0)
    if most < len(own) + _AHEAD:
        raise Unavailable("the hub remembers no more phones; forget some with 'hikma-hub device forget'")
    return _oldest([one for one in strangers if loads[one.address] == most])


def _oldest(strangers: Sequence[Stranger]) -> Stranger:
    return min(strangers, key=lambda one: (one.paired_ms, one.num))
