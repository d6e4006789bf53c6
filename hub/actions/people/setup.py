"""The first setup: guarded by a setup code until the hub has its first administrator."""

import secrets

import msgspec

from hub.actions.people import clinics, failures
from hub.actions.people import users as accounts
from hub.actions.people.failures import Attempts, Guess
from hub.core.errors import AlreadyExists, OperatorError
from hub.core.people import administrators as passwords
from hub.core.people import users as accounts_of
from hub.store.box import state
from hub.store.database import Store, Transaction, View
from hub.store.people import administrators, audit, page_sessions, users
from hub.store.people.page_sessions import Account, AccountKind

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, 1 and I and L, U and V: the code is read from a label and a screen."""
_CHARS = 8
"""39 bits: with a wait after five wrong ones, nobody gets through them."""
_GIVEN_CHARS_MAX = 40


class FirstAdministrator(msgspec.Struct, frozen=True, kw_only=True):
    """Who looks after a hub that is set up by a file: by email on the page, and by phone in ``clinic``."""

    email: str
    name: str
    password: str
    clinic: str | None = None
    """A clinic to be made, for a hub without a cloud."""


def code(store: Store) -> str | None:
    """Return the setup code, ``ABCD-2345``; a new hub draws it here, once. None when the hub is set up."""
    with store.read() as db:
        found = state.get(db, state.SETUP_CODE)
        if found or administrators.any_there(db):
            return found
    with store.write() as tx:
        if administrators.any_there(tx.db):
            return None
        return state.get(tx.db, state.SETUP_CODE) or _draw(tx)


def is_done(store: Store) -> bool:
    """Whether the hub has an administrator; from then on there is no setup."""
    with store.read() as db:
        return administrators.any_there(db)


def is_pending(store: Store) -> bool:
    """Whether the hub has neither an administrator nor a user who could be one."""
    with store.read() as db:
        return not administrators.any_there(db) and not any(users.every(db))


def enter(store: Store, given: str, *, address: str, attempts: Attempts) -> str | None:
    """Start the setup for whoever knows the code; returns a session token, None for a wrong code.

    Raises TooMany after too many wrong ones.
    """
    guess = Guess("setup code", address)
    with store.write() as tx:
        failures.begin(tx, guess, attempts)
        if not _is_code(tx.db, given[:_GIVEN_CHARS_MAX]):
            audit.note(tx, "setup.refused")
            return None
        failures.forgive(tx, guess)
        return page_sessions.begin(tx, Account(AccountKind.SETUP, ""))


def finish(store: Store, name: str, password: str) -> str | None:
    """Add the first administrator, which ends the setup; returns a session token, None when another one was faster."""
    with store.write() as tx:
        if not add_first(tx, name, password):
            return None
        state.put(tx, state.SETUP_STEP, "cloud")
        return page_sessions.begin(tx, Account(AccountKind.ADMINISTRATOR, name))


def step(store: Store) -> str:
    """Return where the setup was left, a step of hub.web.pages.finishing; "" once it is over."""
    with store.read() as db:
        return state.get(db, state.SETUP_STEP) or ""


def go_on(store: Store, step: str) -> None:
    """Note which step of the setup is next; "" ends it."""
    with store.write() as tx:
        state.put(tx, state.SETUP_STEP, step) if step else state.forget(tx, state.SETUP_STEP)


def apply(store: Store, wanted: FirstAdministrator) -> None:
    """Add the administrator, and the clinic, that a setup file asks for; what is there already stays."""
    with store.write() as tx:
        add_first(tx, wanted.email, wanted.password)
        if wanted.clinic and wanted.clinic not in {clinic["name"] for clinic in users.clinics(tx.db)}:
            made = clinics.make(tx, wanted.clinic)
            accounts.make(
                tx,
                email=wanted.email,
                name=wanted.name,
                role="admin",
                clinic_id=made["id"],
                password=wanted.password,
            )


def add_first(tx: Transaction, name: str, password: str) -> bool:
    """Add the first administrator within a transaction; False when there is one already."""
    if administrators.any_there(tx.db):
        return False
    add_administrator(tx, name, password)
    state.forget(tx, state.SETUP_CODE)
    page_sessions.end_all(tx, AccountKind.SETUP)
    audit.note(tx, "setup.done")
    return True


def add_administrator(tx: Transaction, name: str, password: str) -> None:
    """Add an administrator within a transaction; raises OperatorError when the name or password is unfit."""
    name = accounts_of.trimmed(name)
    if not name or len(name) > passwords.NAME_CHARS_MAX:
        raise OperatorError(f"an administrator needs a name of 1 to {passwords.NAME_CHARS_MAX} characters")
    if administrators.exists(tx.db, name):
        raise AlreadyExists(f"there is already an administrator called {name}")
    administrators.add(tx, name, passwords.hashed(password))
    audit.note(tx, "administrator.added", detail=name)


def _is_code(db: View, given: str) -> bool:
    """Whether this is the setup code, however it is written."""
    kept = state.get(db, state.SETUP_CODE)
    plain = "".join(given.upper().split()).replace("-", "")
    return kept is not None and secrets.compare_digest(plain.encode(), kept.replace("-", "").encode())


def _draw(tx: Transaction) -> str:
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_CHARS))
    made = f"{drawn[:4]}-{drawn[4:]}"
    state.put(tx, state.SETUP_CODE, made)
    return made
