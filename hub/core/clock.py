"""Hub time: milliseconds that only ever rise, whatever the wall clock does.

A Pi has no battery clock: after a power cut it may wake up last week, and a time server may move it by years.
Hub time therefore starts where it last stood and goes on with the monotonic clock. It looks like epoch
milliseconds because phones take it for that, but it is only compared, never converted. It stands still while the
box is off.
"""

import msgspec

OLDEST_MS = 1_767_225_600_000
"""2026-01-01: no hub is older, so an earlier wall clock is wrong."""
NEWEST_MS = 4_102_444_800_000
"""2100-01-01: a later wall clock is wrong."""


class HubClock(msgspec.Struct, frozen=True):
    """A point where hub time and the monotonic clock of one boot were read together.

    Every process of that boot counts from the same point, so that all of them agree on the time.
    """

    anchor_ms: int
    anchor_ns: int
    boot: str

    def tick(self, last_ms: int, monotonic_ns: int) -> int:
        """Give the hub time of now: later than ``last_ms``, the last one given."""
        return max(last_ms + 1, self.anchor_ms + (monotonic_ns - self.anchor_ns) // 1_000_000)


def first_ms(wall_ms: int) -> int:
    """Give the hub time to begin with on a new hub; the wall clock is believed once, and only if it can be right."""
    return wall_ms if OLDEST_MS <= wall_ms < NEWEST_MS else OLDEST_MS


def date_ms(wall_ms: int, hub_ms: int) -> int:
    """Give the likeliest time of day for people to read: neither clock is ever ahead of the truth by itself.

    The wall clock may have woken up last week, hub time stood still while the box was off: the later one is nearer.
    """
    return max(wall_ms, hub_ms) if wall_ms < NEWEST_MS else hub_ms
