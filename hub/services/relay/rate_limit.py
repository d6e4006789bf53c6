"""Keeps the hub's requests to the cloud below its limit, whichever process sends them, and over restarts.

The log is a small file beside the database, so that a request costs no transaction. Nothing waits for the card: what a
power cut takes back is younger than half a minute, and so long the machine takes to start.
"""

import fcntl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import FileIO
from pathlib import Path

import msgspec

from hub.core.cloud.request_log import RequestLog
from hub.core.errors import CloudBusy, HubError

FILE_NAME = "relay.requests"
_PATIENCE_MS = 5_000
"""A wait that the cloud asked for is slept through up to here; a longer one ends the cycle, and the schedule waits."""
_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Stopped(HubError):
    """The hub is being stopped; whatever was under way goes on in the next cycle."""


class RateLimit:
    """Lets so many requests of a hub through in any minute, the first of them at once."""

    def __init__(self, data: Path, per_minute: int, stop: threading.Event | None = None) -> None:
        """Share the limit of the hub that keeps its data in ``data``; ``stop`` ends every wait."""
        self.per_minute = per_minute
        self._path = data / FILE_NAME
        self._stop = stop or threading.Event()
        self._log = RequestLog(_boot())

    def wait(self) -> None:
        """Wait for room and count a request. Raises CloudBusy while the cloud asked for silence, Stopped on a stop."""
        self.check()
        while wait_ms := self._take():
            self._stop.wait(wait_ms / 1000)
            self.check()

    def hold(self, seconds: float) -> None:
        """Let nothing through for so long: the cloud answered 429."""
        with _opened(self._path) as file:
            self._log = self._current(file).held(round(seconds * 1000))
            _write(file, self._log)

    def check(self) -> None:
        """Raise Stopped if the hub is being stopped."""
        if self._stop.is_set():
            raise Stopped("the hub is being stopped")

    def _take(self) -> int:
        """Count a request if there is room; returns 0, or the milliseconds to wait."""
        with _opened(self._path) as file:
            self._log = self._current(file)
            hold_ms = self._log.hold_ms()
            if hold_ms > _PATIENCE_MS:
                raise CloudBusy(hold_ms / 1000)
            wait_ms = max(hold_ms, self._log.room_in_ms(self.per_minute))
            if not wait_ms:
                self._log = self._log.sent()
                _write(file, self._log)
            return wait_ms

    def _current(self, file: FileIO | None) -> RequestLog:
        return _read(file, self._log).resumed(_boot(), _now_ms())


@contextmanager
def _opened(path: Path) -> Iterator[FileIO | None]:
    """Have the file for us alone; None where it cannot be had, and then each process counts for itself."""
    try:
        file = path.open("a+b", buffering=0)
    except OSError:
        yield None
        return
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _read(file: FileIO | None, own: RequestLog) -> RequestLog:
    """Read the log; in place of one that is empty, torn or unreadable counts that of this process."""
    try:
        if file is None:
            return own
        file.seek(0)
        return msgspec.json.decode(file.read(), type=RequestLog)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return own


def _write(file: FileIO | None, log: RequestLog) -> None:
    with suppress(OSError):
        if file is not None:
            file.truncate(0)
            file.write(msgspec.json.encode(log))


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000


def _boot() -> str:
    return _BOOT.read_text("ascii").strip()
