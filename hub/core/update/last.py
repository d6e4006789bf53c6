"""The last update of the box, and how far it came."""

from enum import StrEnum

import msgspec

from hub.core.update.trial import Need, Way


class Fate(StrEnum):
    """How far it came."""

    INSTALLED = "installed"
    TRYING = "trying"
    KEPT = "kept"
    RETURNED = "returned"
    """It was not well, or did not come up; the system before it runs again."""
    TAKEN_BACK = "taken back"
    """A person went back."""


class LastUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """The last update."""

    version: str
    before: str
    """The version that it took the place of."""
    fate: Fate = Fate.INSTALLED
    ways: tuple[Way, ...] = ()
    """The networks that were up before it."""
    lights: bool = True
    """Whether the lights ran before it."""
    whole: bool = True
    """Whether what runs beside the hub's servers ran before it."""
    missing: tuple[str, ...] = ()
    """What it did not show in its time, by the names of ``Need``; empty where it did not come up at all."""

    @property
    def is_well(self) -> bool:
        """Whether nothing went wrong with it."""
        return self.fate is not Fate.RETURNED

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it did not show."""
        return tuple(Need[name] for name in self.missing if name in Need.__members__)
