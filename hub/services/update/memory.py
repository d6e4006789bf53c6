"""What became of the last update: kept beside the database, so that either system can tell it."""

from pathlib import Path

import msgspec

from hub import files
from hub.core.update.last import Fate, LastUpdate
from hub.core.update.slots import Start

FILE_NAME = "update.json"


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
