"""Makes a hub that is still new the one whose copy was found: made beside its place, put there at the next start."""

import asyncio
import contextlib
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import structlog

from hub import files
from hub.app import backup
from hub.core import encrypted_stream
from hub.core.errors import HubError, NotABackup, OperatorError
from hub.core.log_events import LogEvent
from hub.services.copy import shelf
from hub.services.copy import stick as sticks
from hub.services.copy.stick import Stick
from hub.store.database import FILE_NAME

_MAKING, _READY, _UPLOADED = "recovering", "recovered", "uploaded"
_BEGINNING_BYTES = 64
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
    with _made_beside(data) as making:
        backup.rebuild(copy, making, private, is_kept=not copy.folder.is_relative_to(data))


def prepare_from_file(file: Path, data: Path, passphrase: str) -> None:
    """Make the hub of a backup file beside the one in ``data``, as ``prepare`` does of a copy."""
    with _made_beside(data) as making:
        backup.restore(backup.from_file(file), making, passphrase)


@contextlib.contextmanager
def _made_beside(data: Path) -> Iterator[Path]:
    """Give a folder in which a hub is made, which waits for its place when all went well."""
    making = data / _MAKING
    shutil.rmtree(making, ignore_errors=True)
    try:
        yield making
        making.rename(data / _READY)
        files.flush(data)
    except OSError as error:
        raise backup.unwritten(data, error) from error
    finally:
        shutil.rmtree(making, ignore_errors=True)


def is_ready(data: Path) -> bool:
    """Whether a hub was made that waits to be put into its place."""
    return (data / _READY / FILE_NAME).exists()


def take(data: Path) -> None:
    """Put a hub that waits into its place, while nobody serves the one that was there; a power cut is made up for.

    A backup file that was uploaded goes: its hub is there now, or nobody opened it.
    """
    ready = data / _READY
    if is_ready(data):
        for log_file in data.glob(f"{FILE_NAME}-*"):  # of the database that goes: SQLite would lay it over the new one
            log_file.unlink()
        backup.put(ready, data)
        log.info(LogEvent.RECOVERED)
    shutil.rmtree(ready, ignore_errors=True)
    for left in data.glob(f"{_UPLOADED}.*"):
        left.unlink()


def uploaded(data: Path) -> Path:
    """Return where a backup file lies that somebody uploaded."""
    return data / f"{_UPLOADED}.backup"


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
    """A recovery that is begun on a page: what the hub can be made of, and how far that is.

    look: finds the copies, the one to take last; a backup file that somebody uploaded goes before.
    """

    def __init__(self, data: Path, look: Callable[[], list[Stick]]) -> None:
        self._data = data
        self._look = look
        self._lock = threading.Lock()
        self.is_under_way = False
        self.failure: Exception | None = None
        """Why the last one failed."""

    def found(self) -> Stick | Path | None:
        """Return the copy or the backup file that can be taken; None for none."""
        if uploaded(self._data).exists():
            return uploaded(self._data)
        return next(reversed(self._look()), None)

    def look_at_upload(self) -> None:
        """Begin anew with the file that was uploaded; removes one that is no backup, and raises NotABackup."""
        self.failure = None
        with uploaded(self._data).open("rb") as file:
            if encrypted_stream.is_backup(file.read(_BEGINNING_BYTES)):
                return
        uploaded(self._data).unlink()
        raise NotABackup("this is not a backup of a Hikma Hub")

    def begin(self, passphrase: str) -> None:
        """Begin to make the hub, in a thread of its own; raises OperatorError for a passphrase that is wrong."""
        make = self._opened(passphrase)
        with self._lock:
            if self.is_under_way:
                return
            self.is_under_way, self.failure = True, None
        threading.Thread(target=self._make, args=(make,), name="recovery", daemon=True).start()

    def _opened(self, passphrase: str) -> Callable[[], None]:
        match self.found():
            case Path() as file:
                backup.opens(file, passphrase)
                return partial(prepare_from_file, file, self._data, passphrase)
            case Stick() as copy:
                return partial(become, copy, self._data, backup.unlocked(copy, passphrase))
            case None:
                raise OperatorError("the copy is not there any more")

    def _make(self, make: Callable[[], None]) -> None:
        try:
            make()
        except (HubError, OSError) as error:
            log.warning(LogEvent.NOT_RECOVERED, reason=str(error))
            self.failure, self.is_under_way = error, False


def found(data: Path, stick: Path) -> list[Stick]:
    """Return the copies that are kept on this box, and those on the stick that is seen in ``stick``."""
    try:
        return [*shelf.copies(data), *sticks.copies(stick)]
    except OSError:
        return shelf.copies(data)
