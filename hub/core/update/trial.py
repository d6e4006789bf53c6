"""Whether a system on trial is kept: what it has to show, for how long, and within what time."""

from collections.abc import Iterable
from enum import Enum, StrEnum

import msgspec

TRIAL_S = 600
STEADY_S = 60
"""For so long nothing may be missing: a hub that crashes and starts again every half minute is not well."""


class Way(StrEnum):
    """A kind of network over which phones reach the hub."""

    CABLE = "cable"
    WIFI = "wifi"
    ACCESS_POINT = "own"


_RADIO = frozenset({Way.WIFI, Way.ACCESS_POINT})


class Need(Enum):
    """What a system has to show, and what is said where it does not."""

    WRITE = "Nothing could be saved."
    READY = "The hub did not answer."
    WORK = "A part of the program did not start."
    LIGHTS = "The lights did not start."
    FIRST_BOOT = "The data could not be opened."
    NETWORK = "A network that phones used did not come back."


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """What was seen in one look."""

    wrote: bool
    """A write was waited for until it was on the card."""
    is_ready: bool
    """/readyz answered 200."""
    is_whole: bool
    """What runs beside the hub's servers runs: the relay, and how phones find the hub. Or it did not before."""
    has_lights: bool
    """The lights run, or did not before."""
    is_opened: bool
    """First boot has reported that the data is there, on a card that keeps what is written."""
    ways: frozenset[Way]
    """The networks that are up."""


class Verdict(Enum):
    """What to do with it."""

    KEEP = "keep"
    WAIT = "wait"
    GIVE_UP = "give up"


def missing(seen: Evidence, ways_before: Iterable[Way]) -> tuple[Need, ...]:
    """Return what is missing, against the networks that were up before the update."""
    shown = {
        Need.WRITE: seen.wrote,
        Need.READY: seen.is_ready,
        Need.WORK: seen.is_whole or not seen.is_ready,
        Need.LIGHTS: seen.has_lights,
        Need.FIRST_BOOT: seen.is_opened,
        Need.NETWORK: _carries(seen.ways, frozenset(ways_before)),
    }
    return tuple(need for need, is_there in shown.items() if not is_there)


def verdict(*, age_s: float, steady_s: float) -> Verdict:
    """Decide. age_s: since the trial began; steady_s: since when nothing has been missing, 0 while something is.

    One that is well when its time is over may show that it stays so.
    """
    if steady_s >= STEADY_S:
        return Verdict.KEEP
    return Verdict.WAIT if age_s < TRIAL_S or steady_s > 0 else Verdict.GIVE_UP


def _carries(seen: frozenset[Way], before: frozenset[Way]) -> bool:
    """Whether phones can come again. By radio if they could before: it is what a new kernel or firmware can lose.

    The own network and a known Wi-Fi share the radio, so either shows that it works; a cable may have been pulled.
    """
    return bool(seen & _RADIO) if before & _RADIO else bool(seen) or not before
