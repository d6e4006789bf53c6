"""How guessing is slowed: after some failures in a row, whoever signs in must wait."""

from collections.abc import Mapping

import msgspec

DAY_MS = 86_400_000
"""So long without a failure forgives all."""
_SHARED = 4
"""Several phones may come by one address, and guesses at one account from many; their people may all mistype, and sign
in at the same moment."""
_DOUBLINGS = 20


class Attempts(msgspec.Struct, frozen=True):
    """How many failures are free, and how long the first and the longest wait are."""

    free: int
    wait_s: int
    wait_max_s: int


class Guess(msgspec.Struct, frozen=True):
    """Somebody gives a password or a code: for which account, from where, and on which phone if it is one."""

    account: str
    address: str
    client_id: str = ""
    is_known: bool = False
    """Somebody signed in on this phone before."""

    @property
    def keys(self) -> list[str]:
        """Return what failures are counted by; the first is this account's, from here."""
        phone = [f"phone:{self.client_id}|{self.address}"] if self.client_id else []
        stranger = [f"device:{self.client_id}"] if self.client_id and not self.is_known else []
        return [f"here:{self.account}|{self.address}", self.over_all, f"address:{self.address}", *phone, *stranger]

    @property
    def over_all(self) -> str:
        """Return the key of all guesses at this account, wherever they come from."""
        return f"account:{self.account}"

    @property
    def place(self) -> str:
        """Return the key of what is remembered once this account has signed in from here."""
        return f"place:{self.account}|{self.address}"


class Failures(msgspec.Struct, frozen=True):
    """Failures in a row, and hub time of the last one."""

    count: int
    last_ms: int


def left_s(key: str, failures: Failures, attempts: Attempts, *, now_ms: int) -> int:
    """Return for how many seconds ``key`` must still wait; each failure past the free ones doubles the wait."""
    free = attempts.free * (_SHARED if key.startswith(("address:", "account:")) else 1)
    if failures.count < free or now_ms - failures.last_ms >= DAY_MS:
        return 0
    wait_s: int = min(attempts.wait_s << min(failures.count - free, _DOUBLINGS), attempts.wait_max_s)
    return max(0, -(-(failures.last_ms + wait_s * 1000 - now_ms) // 1000))


def wait_s(guess: Guess, failed: Mapping[str, Failures], attempts: Attempts, *, was_here: bool, now_ms: int) -> int:
    """Return for how many seconds a guess must wait; ``failed`` are the failures by key.

    Guesses at an account from anywhere lock nobody out who has not failed: a place where it has signed in before, a
    phone on which somebody has, and whoever guesses at it for the first time are heard. So who guesses from many
    addresses has one guess from each, and where the account is at home nobody notices.
    """
    is_heard = was_here or guess.is_known or guess.keys[0] not in failed
    keys = [key for key in guess.keys if key in failed and not (is_heard and key == guess.over_all)]
    return max((left_s(key, failed[key], attempts, now_ms=now_ms) for key in keys), default=0)
