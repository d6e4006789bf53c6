"""The Wi-Fi networks of a hub: what a name and a password may be, a change that is wished for, and how it went."""

import re
from enum import StrEnum
from typing import Literal

import msgspec

SSID_BYTES_MAX = 32
_PASSWORD = re.compile(r"[\x20-\x7e]{8,63}|[0-9A-Fa-f]{64}")
"""WPA: 8 to 63 printable characters of ASCII, or the key itself (IEEE 802.11 annex J.4)."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

When = Literal["fallback", "always"]


class Join(msgspec.Struct, frozen=True, tag="join", forbid_unknown_fields=True):
    """The hub is to join this network, before any other that it knows."""

    name: str
    password: str | None
    """None for a network without one."""
    hidden: bool = False


class Offer(msgspec.Struct, frozen=True, tag="offer", forbid_unknown_fields=True):
    """The hub's own network is to be this one."""

    name: str
    password: str
    when: When


Wish = Join | Offer


class End(StrEnum):
    """How a change ended."""

    DONE = "done"
    PASSWORD = "password"  # noqa: S105  a word for what was wrong
    NOT_FOUND = "not_found"
    NO_ADDRESS = "no_address"
    NO_RADIO = "no_radio"
    FAILED = "failed"


class Attempt(msgspec.Struct, frozen=True):
    """A change that was tried."""

    name: str
    is_own: bool
    end: End
    now_on: str | None = None
    """The network that the radio is on after it; None for none."""


class Networks(msgspec.Struct, frozen=True, kw_only=True):
    """What the hub's radio has to do with."""

    known: tuple[str, ...] = ()
    """The names of those that it joins, the first one preferred."""
    own: Offer | None = None
    trying: str | None = None
    """The name of the one that is tried just now."""
    last: Attempt | None = None


class Unfit(StrEnum):
    """What is wrong with a wish."""

    NAME = "name"
    PASSWORD = "password"  # noqa: S105


def unfit(wish: Wish) -> Unfit | None:
    """Say what no network can have; None if nothing."""
    if not 1 <= len(wish.name.encode("utf-8", "surrogatepass")) <= SSID_BYTES_MAX or _CONTROL.search(wish.name):
        return Unfit.NAME
    if wish.password is not None and not is_password(wish.password):
        return Unfit.PASSWORD
    return None


def is_password(text: str) -> bool:
    """Whether a network can have this password."""
    return bool(_PASSWORD.fullmatch(text))


_SAID = (
    (("Secrets were required", "no secrets", "supplicant"), End.PASSWORD),
    (("network could not be found",), End.NOT_FOUND),
    (("IP configuration", "DHCP"), End.NO_ADDRESS),
    (("No suitable device", "not available on device", "No device"), End.NO_RADIO),
)
"""What NetworkManager says, in English (nmcli's table of NMDeviceStateReason): of a wrong password the station hears
nothing but that the handshake ended, so a supplicant that gave up is one."""


def end(said: str) -> End:
    """Return why a network was not joined, by the last words of ``nmcli``."""
    return next((why for words, why in _SAID if any(word in said for word in words)), End.FAILED)
