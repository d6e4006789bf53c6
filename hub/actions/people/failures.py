"""Failed sign-ins: whoever has too many of them must wait."""

from hub.core.errors import TooMany
from hub.core.people import attempts as rules
from hub.core.people.attempts import Attempts, Guess
from hub.store.database import Store, Transaction
from hub.store.phones import sessions

__all__ = ["Attempts", "Guess", "begin", "forgive", "was_here"]


def begin(tx: Transaction, guess: Guess, attempts: Attempts) -> None:
    """Count a guess before it is looked at: of many at once no more get through than one by one.

    Raises TooMany while who guesses must wait.
    """
    found = {key: sessions.failures(tx.db, key) for key in [*guess.keys, guess.place]}
    failed = {key: failures for key, failures in found.items() if failures}
    left_s = rules.wait_s(guess, failed, attempts, was_here=guess.place in failed, now_ms=tx.now_ms)
    if left_s:
        raise TooMany("too many failed sign-ins", retry_after_s=left_s)
    sessions.note_failure(tx, guess.keys)


def forgive(tx: Transaction, guess: Guess) -> None:
    """Forget the failures of an account from here, for this guess was right; the place is remembered."""
    sessions.forget_failures(tx, guess.keys)
    sessions.remember_place(tx, guess.place)
    sessions.remember_place(tx, _address(guess.address))


def was_here(store: Store, address: str) -> bool:
    """Whether anybody signed in from an address before."""
    with store.read() as db:
        return sessions.failures(db, _address(address)) is not None


def _address(address: str) -> str:
    return f"place:{address}"
