"""What became of the last update: kept beside the database, so that either system can tell it."""

from enum import StrEnum
from pathlib import Path

import msgspec

from hub import files
from hub.core.update.slots import Start
from hub.core.update.trial import Need, Way

FILE_NAME = "update.json"


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
    missing: tuple[str, ...] = ()
    """What it did not show in its time, by the names of ``Need``; empty where it did not come up at all."""

    @property
    def needs(self) -> tuple[Need, ...]:
        """What it did not show."""
        return tuple(Need[name] for name in self.missing if name in Need.__members__)


def read(data: Path) -> LastUpdate | None:
    """Return the last update; None where there was none, or nothing of it can be read."""
    try:
        return msgspec.json.decode((data / FILE_NAME).read_bytes(), type=LastUpdate)
    except (OSError, msgspec.DecodeError):
        return None


def after_start(update: LastUpdate, start: Start, running: str) -> LastUpdate:
    """Return what became of it, as the next start shows; a power cut may have come before anybody wrote it down.

    running: the version that runs.
    """
    if start is Start.TRIAL or update.fate is not Fate.TRYING:
        return update
    fate = Fate.KEPT if start is Start.USUAL and running == update.version else Fate.RETURNED
    return msgspec.structs.replace(update, fate=fate)


def keep(data: Path, update: LastUpdate) -> None:
    """Remember it; on its return it is on the card. Raises OSError."""
    files.replace(data / FILE_NAME, [msgspec.json.encode(update)])


def remember(data: Path, fate: Fate) -> None:
    """Remember how far the last one came; nothing where there was none. Raises OSError."""
    if last := read(data):
        keep(data, msgspec.structs.replace(last, fate=fate))
