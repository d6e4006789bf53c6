"""A phone as the hub knows it, or as it comes to be added, and whether it may talk to the hub (S2)."""

from enum import StrEnum

import msgspec

from hub.core.errors import Forbidden, OperatorError


class DeviceState(StrEnum):
    """What a device may do."""

    PAIRED = "paired"
    REVOKED = "revoked"


NEW = 0
"""The number of a phone that is not added yet."""


class Device(msgspec.Struct, frozen=True):
    """A phone; times are hub time in ms, ``num`` is its number in ledgers and records."""

    num: int
    client_id: str
    name: str
    state: DeviceState
    first_seen: int = 0
    last_seen: int = 0
    last_sync: int | None = None
    user_id: str | None = None

    @property
    def is_new(self) -> bool:
        """Whether it is not added yet: it scanned the code, and nobody has signed in on it."""
        return self.num == NEW


def newcomer(client_id: str, name: str) -> Device:
    """Return a phone that is not added yet, by the name that it gives itself; "" for none. Nothing of it is stored."""
    return Device(NEW, client_id, name, DeviceState.PAIRED)


def require_paired(device: Device) -> Device:
    """Return the device if it may talk to the hub; raises Forbidden if it is blocked."""
    if device.state is not DeviceState.PAIRED:
        raise Forbidden("device is revoked")
    return device


NAME_CHARS_MAX = 80


def fit_name(given: str) -> str:
    """Return a name that a person gives a phone, on one line; raises OperatorError where it is none."""
    name = " ".join(given.split())
    if not 0 < len(name) <= NAME_CHARS_MAX or not name.isprintable():
        raise OperatorError(f"a phone's name has 1 to {NAME_CHARS_MAX} characters")
    return name


def shown_name(given: str | None, num: int) -> str:
    """Return the name for lists, without what could reach for the terminal of whoever reads them."""
    return "".join(letter for letter in given or "" if letter.isprintable()).strip() or f"Phone {num}"
