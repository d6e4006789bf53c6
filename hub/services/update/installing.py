"""Installs an update, tries it and goes back: for the command and for the page alike."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from hub.core.errors import UpdateRefused
from hub.core.update import slots
from hub.core.update.last import Fate, LastUpdate
from hub.core.update.refusal import Refusal
from hub.core.update.rules import Bundle
from hub.services.update import evidence, finding, memory
from hub.services.update.systems import Systems

_LOOK_S = 5.0
_QUIET_WAIT_S = 1800
"""In a busy clinic a phone is always syncing; whoever waits is told then."""


class Installer(msgspec.Struct, frozen=True, kw_only=True):
    """What changes the systems of a box, one wish at a time. ``current``: the version that runs."""

    box: Systems
    data: Path
    current: str
    port: int
    """Where the hub serves."""
    untimely: Callable[[], Refusal | None]
    """Returns why it must wait."""
    restart: Callable[[str], object]
    """Restarts the machine, with an argument for the firmware; "" for none."""
    lock: Path

    def install(self, bundle: Path | str, *, may_be_older: bool = False) -> Bundle:
        """Write an update to the other system; returns what it says. Raises UpdateRefused."""
        with self.alone():
            self.box.booted()
            found = self.box.check(bundle, current=self.current, may_be_older=may_be_older)
            if untimely := self.untimely():
                raise UpdateRefused(untimely)
            try:
                self.box.install(bundle)
            except UpdateRefused as error:
                raise finding.gone(error, bundle) from error
            last = LastUpdate(
                version=found.version or "?",
                before=self.current,
                ways=tuple(sorted(evidence.ways())),
                lights=evidence.has_lights(),
                whole=evidence.is_whole(self.port),
            )
            memory.keep(self.data, last)
            return found

    def try_out(self) -> None:
        """Restart into what is installed, in a quiet moment. Raises UpdateRefused where there is none for long."""
        with self.alone():
            self.box.booted()
            ends = time.monotonic() + _QUIET_WAIT_S
            while (untimely := self.untimely()) and time.monotonic() < ends:
                time.sleep(_LOOK_S)
            if untimely:
                raise UpdateRefused(untimely)
            self.box.change(slots.begin_trial)
            memory.remember(self.data, Fate.TRYING)
            self.restart("0 tryboot")

    def go_back(self) -> None:
        """Restart into the system before the last update. Raises UpdateRefused where there is none."""
        with self.alone():
            slot = self.box.booted()
            if slot.other not in self.box.read().own:
                raise UpdateRefused(Refusal.RETURNING)
            self.box.change(lambda boot: slots.mark_bad(boot, slot))
            memory.remember(self.data, Fate.TAKEN_BACK)
            self.restart("")

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Be the only one who changes the systems. Raises UpdateRefused."""
        handle = os.open(self.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(handle)
            yield
        finally:
            os.close(handle)


def _lock(handle: int) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise UpdateRefused(Refusal.BUSY) from error
