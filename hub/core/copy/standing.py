"""Which copy is kept beside the hub, how it is, and when a whole backup is due."""

from enum import StrEnum

import msgspec

_DAY_S = 86_400.0
_QUIET_S = 10.0
"""A backup makes the card and the stick slower, so it waits for a moment in which nobody syncs."""
_NIGHT = range(1, 5)
"""Hours."""


class Spare(msgspec.Struct, frozen=True, kw_only=True):
    """Another box that keeps the copy, as it was joined."""

    url: str
    token: str
    """Lets this hub write there."""
    certificate: str
    """The only one that it may show (PEM)."""


class Copy(msgspec.Struct, frozen=True, kw_only=True):
    """The copy that is kept beside the hub: where, and for whom it is sealed."""

    id: str
    """The name of its folder; a restored hub begins another one."""
    folder: str
    """Where the stick is seen, or the address of the spare."""
    spare: Spare | None = None
    """None: it is kept on a stick."""
    salt: bytes
    recipient: bytes
    """The public half of the key that the recovery passphrase and the salt give. It is not on the stick: who has that
    alone can write nothing that would be taken for the hub's."""


class CopyStanding(StrEnum):
    """How the copy is."""

    SAFE = "safe"
    """All that is entered is on it."""
    BEHIND = "behind"
    """It is being brought up to date."""
    AWAY = "away"
    """It is not there, or cannot be written."""


class CopyState(msgspec.Struct, frozen=True, kw_only=True):
    """How the copy was when that last changed."""

    standing: CopyStanding = CopyStanding.AWAY
    since_ms: int = 0
    """Hub time."""
    detail: str = ""
    """Why it is away: words of the system, for a technician."""


def is_base_due(*, age_s: float, quiet_s: float, hour: int) -> bool:
    """Return whether a whole backup is to be made: once a night, and without one every other day.

    age_s: of the newest one; quiet_s: since somebody synced; hour: of the clinic's day, as far as the box knows it.
    """
    if quiet_s < _QUIET_S:
        return age_s > 2 * _DAY_S
    return age_s > (_DAY_S / 2 if hour in _NIGHT else 1.5 * _DAY_S)
