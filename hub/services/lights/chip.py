"""Opens the GPIO chip that the settings name, on a Raspberry Pi or any other machine that has one."""

import lgpio
from gpiozero.pins.lgpio import LGPIOFactory

_HEADER = 0xC03115
"""Revision of a Pi 4B: its pins bear the same numbers on every Pi since the B+. The chip is named, so the board need
not be known, and gpiozero refuses one that it does not know."""


class Chip(LGPIOFactory):  # type: ignore[misc]  # gpiozero has no types
    """The pins of /dev/gpiochipN."""

    def __init__(self, number: int) -> None:
        """Open it; raises OSError when it is not there or not ours to open."""
        try:
            super().__init__(chip=number)
        except lgpio.error as error:
            raise OSError(f"/dev/gpiochip{number}: {error}") from None

    def _get_revision(self) -> int:
        return _HEADER
