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
_MINUTE_MS = 60_000
_WRONG_MS = 3_600_000
_BEHIND_MS = 3_600_000
"""Hub time never runs ahead of a right clock, so a wall clock that far behind it is wrong."""
_YEAR_MS = 366 * 86_400_000


class HubClock(msgspec.Struct, frozen=True):
    """A point where hub time and the monotonic clock of one boot were read together.

    Every process of that boot counts from the same point, so that all of them agree on the time.
    """

    anchor_ms: int
    anchor_ns: int
    boot: str

    def tick(self, last_ms: int, monotonic_ns: int) -> int:
        """Return the hub time of now: later than ``last_ms``, the last one given."""
        return max(last_ms + 1, self.anchor_ms + (monotonic_ns - self.anchor_ns) // 1_000_000)


class Heard(msgspec.Struct, frozen=True):
    """What the cloud last said of the time, and what stood on the hub's own two clocks then; milliseconds."""

    cloud_ms: int
    wall_ms: int
    hub_ms: int


def contradicts(heard: Heard, *, wall_ms: int, hub_ms: int) -> bool:
    """Whether what the cloud said shows the wall clock of now to be wrong, by more than an hour.

    Hub time stood still while the box was off, so at least so much has passed since: a clock behind that is wrong. One
    that was ahead is known to be still wrong only while both clocks have gone on alike, that is without a restart.
    """
    passed_ms = hub_ms - heard.hub_ms
    went_alike = abs(wall_ms - heard.wall_ms - passed_ms) < _MINUTE_MS
    is_ahead = heard.wall_ms - heard.cloud_ms > _WRONG_MS and went_alike
    return is_ahead or heard.cloud_ms + passed_ms - wall_ms > _WRONG_MS


def is_wrong(*, wall_ms: int, hub_ms: int, heard: Heard | None = None) -> bool:
    """Whether the wall clock of now cannot be right: of another century, behind hub time, or other than the cloud's."""
    is_believable = OLDEST_MS <= wall_ms < NEWEST_MS and hub_ms - wall_ms <= _BEHIND_MS
    return not is_believable or (heard is not None and contradicts(heard, wall_ms=wall_ms, hub_ms=hub_ms))


def first_ms(wall_ms: int) -> int:
    """Return the hub time to begin with on a new hub; the wall clock is believed once, and only if it can be right."""
    return wall_ms if OLDEST_MS <= wall_ms < NEWEST_MS else OLDEST_MS


def resumed_ms(kept_ms: int, wall_ms: int) -> int:
    """Return the hub time to go on with from a backup: the hub that made it may have lived on until now.

    Hub time is never ahead of the truth, so a wall clock that is right is beyond all that was said. One that stands
    before the backup or a year after it is not believed.
    """
    return wall_ms if kept_ms < wall_ms < kept_ms + _YEAR_MS else kept_ms


def date_ms(wall_ms: int, hub_ms: int) -> int:
    """Return the likeliest time of day for people to read: neither clock is ever ahead of the truth by itself.

    The wall clock may have woken up last week, hub time stood still while the box was off: the later one is nearer.
    """
    return max(wall_ms, hub_ms) if wall_ms < NEWEST_MS else hub_ms


def believed_ms(wall_ms: int) -> int | None:
    """Return what the wall clock says, None if it cannot be right."""
    return wall_ms if OLDEST_MS <= wall_ms < NEWEST_MS else None


def was_set(then_ms: int | None, now_ms: int | None, passed_ms: int) -> bool:
    """Whether the wall clock, as far as it was believed then and is now, is over a minute from where it should be."""
    if then_ms is None or now_ms is None:
        return then_ms is not now_ms
    return abs(now_ms - then_ms - passed_ms) > _MINUTE_MS
