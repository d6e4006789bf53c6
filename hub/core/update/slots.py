"""Which of the two systems on a card starts: what the boot partition says, and which files a wish changes on it.

The firmware reads config.txt or, once, when a restart asks for it, tryboot.txt. ``os_prefix=slot-A/`` in it names the
folder with kernel, initramfs, device trees and cmdline.txt (Raspberry Pi documentation: "config.txt", "tryboot").

The one law: **config.txt names a whole system**, before and after every step. An installation touches only the other
system; tryboot.txt names that one when all of it is there, and config.txt when it has proven itself.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from hub.core.errors import OperatorError

CONFIG = "config.txt"
TRIAL = "tryboot.txt"
TRIED = "tried.txt"
"""Is there when the firmware was asked to start what tryboot.txt names, and nobody has said since that it is good."""
_PREFIX = "os_prefix="


class Slot(StrEnum):
    """One of the two systems; the value is RAUC's bootname."""

    A = "A"
    B = "B"

    @property
    def other(self) -> "Slot":
        """The other one."""
        return Slot.B if self is Slot.A else Slot.A

    @property
    def folder(self) -> str:
        """Where its files lie on the boot partition."""
        return f"slot-{self}"

    @property
    def seal(self) -> str:
        """The file that lists all its files: written last, removed first; without it the system is not whole."""
        return f"{self.folder}/whole.txt"


class Boot(msgspec.Struct, frozen=True, kw_only=True):
    """What the boot partition says."""

    config: str
    """The text of config.txt."""
    trial: str | None = None
    """The text of tryboot.txt; None where there is none."""
    tried: bool = False
    own: Mapping[Slot, str] = {}
    """The config.txt that each whole system brings along."""

    @property
    def committed(self) -> Slot:
        """The system that starts when nothing else is asked for. Raises OperatorError where there is only one."""
        slot = named(self.config)
        if slot is None:
            raise OperatorError(f"{CONFIG} names no system: this card has only one")
        return slot

    @property
    def on_trial(self) -> Slot | None:
        """The whole system that starts once, when the firmware is asked to."""
        slot = named(self.trial or "")
        return slot if slot is not self.committed and slot in self.own else None

    @property
    def primary(self) -> Slot:
        """The system that is to be the next one (RAUC's ``get-primary``)."""
        return self.on_trial or self.committed


class Write(msgspec.Struct, frozen=True):
    """Put a file with this text in the place of the one of that name."""

    name: str
    text: str


class Remove(msgspec.Struct, frozen=True):
    """Remove a file, if it is there."""

    name: str


Step = Write | Remove
Steps = tuple[Step, ...]
"""In this order; each is on the card before the next begins, and happens whole or not at all."""
_NO_TRIAL: Steps = (Remove(TRIAL), Remove(TRIED))


class Start(StrEnum):
    """What a start of the machine was."""

    USUAL = "usual"
    TRIAL = "trial"
    """The system that runs has to prove itself."""
    RETURN = "return"
    """The system on trial did not come up, or was not good: the old one runs again."""


def booted(cmdline: str) -> Slot | None:
    """Return the system that the kernel was told that it starts; None on a card with one system."""
    words = cmdline.split()
    return next((slot for slot in Slot if f"rauc.slot={slot}" in words), None)


def named(text: str) -> Slot | None:
    """Return the system that a config.txt names; of several lines the last one counts."""
    found = [line.strip() for line in text.splitlines() if line.strip().startswith(_PREFIX)]
    return next((slot for slot in Slot if found and found[-1] == f"{_PREFIX}{slot.folder}/"), None)


def configured(text: str, slot: Slot) -> str:
    """Return the config.txt that a system brings along, naming that system."""
    kept = [line for line in text.splitlines() if not line.strip().startswith(_PREFIX)]
    # [all]: after a line such as [pi4], what follows would be for that board alone.
    return "\n".join([*kept, "[all]", f"{_PREFIX}{slot.folder}/", ""])


def make_primary(boot: Boot, slot: Slot) -> Steps:
    """Return how a system becomes the next one, on trial if it is not the committed one (RAUC's ``set-primary``).

    Raises OperatorError where it is not whole.
    """
    if slot is boot.committed:
        return _NO_TRIAL
    return (Remove(TRIED), Write(TRIAL, _config(boot, slot)))


def begin_trial(boot: Boot) -> Steps:
    """Return what to write before the firmware is asked for the trial. Raises OperatorError where there is none."""
    if boot.on_trial is None:
        raise OperatorError("no update is installed that could be tried")
    return (Write(TRIED, ""),)


def mark_good(boot: Boot, slot: Slot) -> Steps:
    """Return how a system that has proven itself is kept (``set-state good``).

    Raises OperatorError where it is not whole.
    """
    config = _config(boot, slot)
    return (Write(CONFIG, config), *_NO_TRIAL) if slot is boot.on_trial else ()


def mark_bad(boot: Boot, slot: Slot) -> Steps:
    """Return how a system is not started any more, until it is installed anew (``set-state bad``).

    RAUC asks for it before it writes the other system. Raises OperatorError where it is the committed one and the
    other cannot take its place.
    """
    if slot is not boot.committed:
        return (*_NO_TRIAL, Remove(slot.seal))
    if boot.on_trial is slot.other:
        raise OperatorError(f"system {slot.other} has not proven itself, so it does not take the place of {slot}")
    return (Write(CONFIG, _config(boot, slot.other)), *_NO_TRIAL, Remove(slot.seal))


def settle(boot: Boot, booted: Slot) -> tuple[Start, Steps]:
    """Return what this start is, and how what a power cut or a failed trial left behind is put in order."""
    if booted is not boot.committed:
        return Start.TRIAL, ()
    if boot.on_trial is None:
        return Start.USUAL, _NO_TRIAL if boot.trial is not None or boot.tried else ()
    return (Start.RETURN, mark_bad(boot, boot.on_trial)) if boot.tried else (Start.USUAL, ())


def _config(boot: Boot, slot: Slot) -> str:
    if slot not in boot.own:
        raise OperatorError(f"system {slot} is not whole on the boot partition, so it is not started")
    return configured(boot.own[slot], slot)
