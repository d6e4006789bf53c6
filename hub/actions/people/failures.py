"""How guessing is slowed: after some failures, whoever signs in must wait."""

import threading

import msgspec

from hub.store.database import Store
from hub.store.phones import sessions

ONE_AT_A_TIME = threading.Lock()
"""Held while a guess is checked: parallel guesses would all be tried before the first failure is counted."""


class Attempts(msgspec.Struct, frozen=True):
    """How many failures are free, and how long the first and the longest wait are."""

    free: int
    wait_s: int
    wait_max_s: int


def check(store: Store, keys: list[str], attempts: Attempts) -> None:
    """Raise TooMany while any of ``keys`` must wait."""
    with store.read() as db:
        sessions.check_attempts(
            db,
            keys,
            now_ms=store.now_ms(db),
            free=attempts.free,
            wait_s=attempts.wait_s,
            wait_max_s=attempts.wait_max_s,
        )
