"""Why phones are refused, and what mends it: the app shows every refusal as a Wi-Fi fault (PROTOCOL.md "Login")."""

from enum import StrEnum

import msgspec

from hub.core.errors import Forbidden, NotServing, PhoneError, TooLarge, Unauthorised, Unavailable

UNKNOWN = 0
"""Stands for the phones that the hub does not know, as one; the number of no device."""
SHOWN_MS = 7 * 86_400_000
"""A phone that was refused longer ago may have been put away."""


class RefusalReason(StrEnum):
    """Why a phone was refused; each has a remedy of its own."""

    UNKNOWN = "unknown"
    """It never paired with this hub, or was forgotten."""
    SIGN_IN = "sign_in"
    """It has no valid sign-in."""
    BLOCKED = "blocked"
    TOO_LARGE = "too_large"
    NO_ROOM = "no_room"
    """Storage or quarantine is full, or too much came at once."""

    @property
    def is_of_pushes(self) -> bool:
        """Whether only a push that went through shows that it is over: pulls go through meanwhile."""
        return self in {RefusalReason.TOO_LARGE, RefusalReason.NO_ROOM}


class Refusal(msgspec.Struct, frozen=True):
    """How often in a row a device was refused for a reason; times are hub time in ms."""

    device: int
    reason: RefusalReason
    times: int
    since_ms: int
    last_ms: int

    def is_shown(self, now_ms: int) -> bool:
        """Whether it is recent enough to matter to people."""
        return now_ms - self.last_ms < SHOWN_MS


def reason_of(error: PhoneError, *, is_known: bool) -> RefusalReason | None:
    """Return why a message was refused before its procedure was asked; None for what no person can mend."""
    match error:
        case Forbidden() | Unauthorised() if not is_known:
            return RefusalReason.UNKNOWN
        case Forbidden():
            return RefusalReason.BLOCKED
        case TooLarge():
            return RefusalReason.TOO_LARGE
        case NotServing():
            return None
        case Unavailable():
            return RefusalReason.NO_ROOM
        case _:
            return None


def again(before: Refusal | None, device: int, reason: RefusalReason, now_ms: int) -> Refusal:
    """Return the refusal with one more; another reason counts anew."""
    if before is None or before.reason is not reason:
        return Refusal(device, reason, 1, now_ms, now_ms)
    return Refusal(device, reason, before.times + 1, before.since_ms, now_ms)
