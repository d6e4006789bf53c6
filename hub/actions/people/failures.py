"""Failed sign-ins: whoever has too many of them must wait."""

import threading

from hub.core.errors import TooMany
from hub.core.people import attempts as rules
from hub.core.people.attempts import Attempts
from hub.store.database import Store, View
from hub.store.phones import sessions

__all__ = ["ONE_AT_A_TIME", "Attempts", "check", "check_within"]

ONE_AT_A_TIME = threading.Lock()
"""Held while a guess is checked: parallel guesses would all be tried before the first failure is counted."""


def check(store: Store, keys: list[str], attempts: Attempts) -> None:
    """Raise TooMany while any of ``keys`` must wait."""
    with store.read() as db:
        check_within(db, keys, attempts, now_ms=store.now_ms(db))


def check_within(db: View, keys: list[str], attempts: Attempts, *, now_ms: int) -> None:
    """Raise TooMany while any of ``keys`` must wait, within a transaction."""
    for key in keys:
        failures = sessions.failures(db, key)
        left_s = rules.left_s(key, failures, attempts, now_ms=now_ms) if failures else 0
        if left_s:
            raise TooMany("too many failed sign-ins", retry_after_s=left_s)
