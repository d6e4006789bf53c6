"""What an hour was like at its worst: a state that came and went between two samples is in the later one."""

import msgspec

from hub.core.status.facts import Facts
from hub.core.status.state import HubState, state

_RANKS = {found: rank for rank, found in enumerate(HubState)}


class Hour(msgspec.Struct, frozen=True):
    """The worst that was seen; ``Hour()`` has seen nothing."""

    worst: HubState = HubState.SAFE
    temperature_c: float | None = None
    power_weak: bool = False
    clock_wrong: bool = False

    def take(self, facts: Facts) -> "Hour":
        """Return the hour with these facts in it."""
        temperatures = [one for one in (self.temperature_c, facts.temperature_c) if one is not None]
        return Hour(
            worst=min(self.worst, state(facts), key=_RANKS.__getitem__),
            temperature_c=max(temperatures, default=None),
            power_weak=self.power_weak or facts.power_weak,
            clock_wrong=self.clock_wrong or facts.clock_wrong,
        )
