"""What the page is told by the program that updates the box."""

from enum import StrEnum

import msgspec

from hub.core.update.last import LastUpdate
from hub.core.update.wishes import Found


class Doing(StrEnum):
    """What the program is at."""

    LOOKING = "looking"
    INSTALLING = "installing"
    RESTARTING = "restarting"
    """As soon as nobody uses the hub."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What it tells."""

    running: str = ""
    """The system that runs, A or B; "" on a card with one system."""
    usual: str = ""
    """The one that starts by itself."""
    other: bool = False
    """Whether the other one could start too."""
    is_ready: bool = False
    """Whether an update is installed that has not been tried."""
    found: tuple[Found, ...] = ()
    doing: Doing | None = None
    failed: Found | None = None
    """What was asked for last and not done, with the reason."""
    last: LastUpdate | None = None

    @property
    def is_on_trial(self) -> bool:
        """Whether the system that runs has to prove itself."""
        return bool(self.running) and self.running != self.usual

    @property
    def installable(self) -> tuple[Found, ...]:
        """What is there and for this hub."""
        return tuple(one for one in self.found if not one.refused)
