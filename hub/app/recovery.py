"""Makes a hub that is still new the one whose copy was found: made beside its place, put there at the next start."""

import asyncio
import contextlib
import shutil
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import structlog

from hub import files
from hub.app import backup
from hub.core.errors import HubError, OperatorError
from hub.core.log_events import LogEvent
from hub.services.copy import shelf
from hub.services.copy import stick as sticks
from hub.services.copy.stick import Stick
from hub.store.database import FILE_NAME

_MAKING, _READY = "recovering", "recovered"
_LOOK_S = 0.5

log = structlog.get_logger()


def become(copy: Stick, data: Path, private: bytes) -> None:
    """Make the hub of a copy, of which nothing is written any more if it is kept on this box; raises OperatorError."""
    with shelf.taken(copy) if copy.folder.is_relative_to(data) else contextlib.nullcontext():
        prepare(copy, data, private)


def prepare(copy: Stick, data: Path, private: bytes) -> None:
    """Make the hub of a copy beside the one in ``data``; a hub that serves there starts anew as it.

    It keeps a copy in the same place, unless that is this very box. Raises OperatorError, and then nothing has changed.
    """
    making = data / _MAKING
    shutil.rmtree(making, ignore_errors=True)
    try:
        backup.rebuild(copy, making, private, is_kept=not copy.folder.is_relative_to(data))
        making.rename(data / _READY)
        files.flush(data)
    except OSError as error:
        raise OperatorError(f"{data} cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def is_ready(data: Path) -> bool:
    """Whether a hub was made that waits to be put into its place."""
    return (data / _READY / FILE_NAME).exists()


def take(data: Path) -> None:
    """Put a hub that waits into its place, while nobody serves the one that was there; a power cut is made up for."""
    ready = data / _READY
    if is_ready(data):
        for log_file in data.glob(f"{FILE_NAME}-*"):  # of the database that goes: SQLite would lay it over the new one
            log_file.unlink()
        backup.put(ready, data)
        log.info(LogEvent.RECOVERED)
    shutil.rmtree(ready, ignore_errors=True)


def form(data: Path) -> tuple[bool, bool]:
    """Return what the hub that serves there has to be: the one that waits for its place, a spare."""
    return is_ready(data), shelf.is_spare(data)


async def stop_when_changed(data: Path, served: tuple[bool, bool]) -> None:
    """Let the hub that serves stop once it has to be another one."""
    while True:
        await asyncio.sleep(_LOOK_S)
        if form(data) != served:
            signal.raise_signal(signal.SIGTERM)
            return


class Recovery:
    """A recovery that is begun on a page: the copy that is there, and how far the hub is that is made of it.

    look: finds the copies, the one to take last.
    """

    def __init__(self, data: Path, look: Callable[[], list[Stick]]) -> None:
        self._data = data
        self._look = look
        self._lock = threading.Lock()
        self.is_under_way = False
        self.failure = ""
        """What the last one failed of, for a technician."""

    def found(self) -> Stick | None:
        """Return the copy that can be taken; None for none."""
        found = self._look()
        return found[-1] if found else None

    def begin(self, passphrase: str) -> None:
        """Begin to make the hub, in a thread of its own; raises OperatorError for a passphrase that is wrong."""
        copy = self.found()
        if copy is None:
            raise OperatorError("the copy is not there any more")
        private = backup.unlocked(copy, passphrase)
        with self._lock:
            if self.is_under_way:
                return
            self.is_under_way, self.failure = True, ""
        threading.Thread(target=self._make, args=(copy, private), name="recovery", daemon=True).start()

    def _make(self, copy: Stick, private: bytes) -> None:
        try:
            become(copy, self._data, private)
        except (HubError, OSError) as error:
            log.warning(LogEvent.NOT_RECOVERED, reason=str(error))
            self.failure, self.is_under_way = str(error), False


def found(data: Path, stick: Path) -> list[Stick]:
    """Return the copies that are kept on this box, and those on the stick that is seen in ``stick``."""
    try:
        return [*shelf.copies(data), *sticks.copies(stick)]
    except OSError:
        return shelf.copies(data)
