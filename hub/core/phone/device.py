"""A phone as the hub knows it, and whether it may talk to the hub (S2)."""

from enum import StrEnum

import msgspec

from hub.core.errors import Forbidden, OperatorError


class DeviceState(StrEnum):
    """What a device may do."""

    PAIRED = "paired"
    REVOKED = "revoked"


class Device(msgspec.Struct, frozen=True):
    """A phone; times are hub time in ms, ``num`` is its number in ledgers and records."""

    num: int
    client_id: str
    name: str
    state: DeviceState
    first_seen: int
    last_seen: int
    last_sync: int | None
    user_id: str | None


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
