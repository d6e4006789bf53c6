"""A person signs in on a phone, with or without an internet connection (S4, S5)."""

import msgspec

from hub.actions.people import failures
from hub.actions.people.failures import Attempts, Guess
from hub.actions.phones import access
from hub.core.errors import Unauthorised
from hub.core.people import users as accounts
from hub.core.people.users import User
from hub.core.phone.device import Device, require_paired
from hub.store.database import Store, Transaction
from hub.store.people import audit, users
from hub.store.phones import callers, devices, sessions


class SignedIn(msgspec.Struct, frozen=True):
    """A token, the user it stands for, and the clinic that the user works in; "" for none."""

    token: str
    user: User
    clinic_id: str


class Terms(msgspec.Struct, frozen=True):
    """How guessing is slowed, how long a sign-in lasts, and how many phones the hub remembers."""

    attempts: Attempts
    days: int
    phones_max: int


def sign_in(store: Store, device: Device, email: str, password: str, *, address: str, terms: Terms) -> SignedIn:
    """Sign in for some days, which adds a phone that is new.

    Raises Unauthorised, TooMany after too many failures by account, device or address, and Unavailable where no more
    phones are remembered.
    """
    email = accounts.trimmed(email)  # also for the count of failures: blanks open no second account to guess at
    guess = Guess(email.casefold(), address, device.client_id, is_known=device.user_id is not None)
    with store.write() as tx:
        failures.begin(tx, guess, terms.attempts)
        user, rounds = users.find_by_email(tx.db, email), users.rounds(tx.db)
    # Hashing takes long: nobody else's write waits for it.
    if not accounts.check(user, password, rounds=rounds) or user is None:
        with store.write() as tx:
            audit.note(tx, "login.refused", device=device.num or None, user_id=user.id if user else None)
        raise Unauthorised("unknown account or wrong password")
    return _admit(store, device, user, guess, terms)


def _admit(store: Store, asked: Device, user: User, guess: Guess, terms: Terms) -> SignedIn:
    with store.write() as tx:
        device = _added(tx, asked, terms) if asked.is_new else asked
        failures.forgive(tx, guess)
        token = sessions.issue_token(tx, device=device.num, user_id=user.id, days=terms.days)
        devices.signed_in(tx, device.num, user.id)
        audit.note(tx, "login", device=device.num, user_id=user.id)
        clinic_id = user.clinic_id or next(iter(callers.rights(tx.db, user.id, user.role).clinics), "")
    return SignedIn(token, user, clinic_id)


def _added(tx: Transaction, asked: Device, terms: Terms) -> Device:
    """Return the phone as it is kept; another sign-in on it may have been faster, or somebody blocked it since."""
    known = callers.find(tx.db, asked.client_id)
    return require_paired(known) if known else access.pair(tx, asked.client_id, asked.name, most=terms.phones_max)
