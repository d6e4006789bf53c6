"""The two systems of this machine: which runs, what is installed, and what is changed by a wish."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import msgspec

from hub.core.errors import UpdateRefused
from hub.core.update import rules, slots
from hub.core.update.refusal import Refusal
from hub.core.update.rules import Bundle
from hub.core.update.slots import Boot, Slot, Start, Steps
from hub.services.update import boot_partition
from hub.services.update.rauc import Rauc

BOOT = Path("/boot/firmware")
PROC = Path("/proc")


class Systems(msgspec.Struct, frozen=True, kw_only=True):
    """Both of them. ``writable`` lets the boot partition, which is read-only, be written for a moment."""

    writable: Callable[[Path], AbstractContextManager[None]]
    boot: Path = BOOT
    proc: Path = PROC
    rauc: Rauc = Rauc()

    def booted(self) -> Slot:
        """Return the system that runs, as the kernel was told. Raises UpdateRefused on a card with one system."""
        told = (self.proc / "cmdline").read_text("ascii", "replace")
        slot = slots.booted(told) if self.rauc.is_there else None
        if slot is None:
            raise UpdateRefused(Refusal.ONE_SYSTEM)
        return slot

    def uptime_s(self) -> float:
        """Return how long this machine has been running."""
        return float((self.proc / "uptime").read_text("ascii").split()[0])

    def read(self) -> Boot:
        """Return what the boot partition says."""
        return boot_partition.read(self.boot)

    def change(self, decide: Callable[[Boot], Steps]) -> None:
        """Change the boot partition as ``decide`` says; what it would start is verified whole first."""
        steps = decide(boot_partition.read(self.boot, thoroughly=True))
        with self.writable(self.boot):
            boot_partition.perform(self.boot, steps)

    def settle(self) -> Start:
        """Put in order what the last start left, and return what this one is."""
        booted = self.booted()
        start, steps = slots.settle(self.read(), booted)
        if steps:
            self.change(lambda boot: slots.settle(boot, booted)[1])
        return start

    def seal(self, slot: Slot) -> None:
        """List what was installed on the boot partition for a system: from now on it is whole."""
        with self.writable(self.boot):
            boot_partition.seal(self.boot, slot)

    def check(self, bundle: Path | str, *, current: str, may_be_older: bool) -> Bundle:
        """Return what a bundle says. Raises UpdateRefused where it is not for this hub."""
        compatible = self.rauc.compatible()
        found = self.rauc.info(bundle)
        unfit = rules.unfit(found, compatible=compatible, current=current, may_be_older=may_be_older)
        match unfit:
            case None:
                return found
            case Refusal.NOT_NEWER:
                raise UpdateRefused(unfit, version=found.version or "?", current=current)
            case _:
                raise UpdateRefused(unfit)

    def install(self, bundle: Path | str) -> None:
        """Write a bundle to the system that does not run. Raises UpdateRefused; on trial too: it is the way back."""
        if self.booted() is not self.read().committed:
            raise UpdateRefused(Refusal.ON_TRIAL)
        self.rauc.install(bundle)
