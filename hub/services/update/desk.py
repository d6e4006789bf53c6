"""How pages and the program that updates the box speak: a wish in one file, what is found and done in another."""

from enum import StrEnum
from pathlib import Path

import msgspec

from hub import files
from hub.core.update.last import LastUpdate
from hub.core.update.wishes import Found, Wish

WISH_BYTES_MAX = 1024


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


class UpdateDesk(msgspec.Struct, frozen=True):
    """Where a wish is left, and where it is told what is. An empty wish file: nobody here grants any."""

    wish_file: str = ""
    told_file: str = ""

    @property
    def is_open(self) -> bool:
        """Whether wishes are granted on this machine."""
        return bool(self.wish_file)

    @property
    def is_waiting(self) -> bool:
        """Whether a wish was left that nobody has taken yet."""
        return self.is_open and Path(self.wish_file).exists()

    def ask(self, wish: Wish) -> None:
        """Leave a wish; raises OSError."""
        files.replace(Path(self.wish_file), [msgspec.json.encode(wish)], mode=0o600, durable=False)

    def told(self) -> Told:
        """Return what is told; nothing is known where nothing can be read."""
        try:
            return msgspec.json.decode(Path(self.told_file).read_bytes(), type=Told)
        except (OSError, msgspec.MsgspecError):
            return Told()
