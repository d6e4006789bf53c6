"""Signing in to the web page and out of it: administrators of this hub, and users who may administer a clinic (S4)."""

import msgspec

from hub.actions.people import failures
from hub.actions.people.failures import Attempts, Guess
from hub.core.people import administrators as passwords
from hub.core.people import page_session
from hub.core.people import users as accounts
from hub.core.people.users import PASSWORD_BYTES_MAX, User
from hub.core.records.access import SUPER_ADMIN, Permission, Rights
from hub.store.database import Store, View
from hub.store.people import administrators, audit, page_sessions, users
from hub.store.people.page_sessions import Account, AccountKind
from hub.store.phones import callers

_NAME_CHARS_MAX = 320

__all__ = ["Account", "AccountKind", "PageSession", "confirm", "may_administer", "recognise", "sign_in", "sign_out"]


class PageSession(msgspec.Struct, frozen=True):
    """An account with the name that the page shows; "" during the setup."""

    account: Account
    name: str


def sign_in(store: Store, name: str, password: str, *, address: str, attempts: Attempts) -> str | None:
    """Return a session token, None when name or password is wrong; raises TooMany while one must wait."""
    name = accounts.trimmed(name[: 2 * _NAME_CHARS_MAX])[:_NAME_CHARS_MAX]
    guess = Guess(name.casefold(), address)
    with store.write() as tx:
        failures.begin(tx, guess, attempts)
    with store.read() as db:  # hashing takes long: nobody else's write waits for it
        account = _account(db, name, password)
    with store.write() as tx:
        if account is None:
            audit.note(tx, "page.refused")
            return None
        failures.forgive(tx, guess)
        return page_sessions.begin(tx, account)


def confirm(store: Store, account: Account, password: str, *, address: str, attempts: Attempts) -> bool:
    """Whether whoever is signed in gives their own password once more; raises TooMany while one must wait."""
    guess = Guess(account.id.casefold(), address)
    with store.write() as tx:
        failures.begin(tx, guess, attempts)
    with store.read() as db:
        user = users.find(db, account.id) if account.kind is AccountKind.USER else None
        is_theirs = _account(db, user.email if user else account.id, password) == account
    with store.write() as tx:
        if is_theirs:
            failures.forgive(tx, guess)
        else:
            audit.note(tx, "page.refused")
    return is_theirs


def sign_out(store: Store, token: str) -> None:
    """End the session of a token."""
    with store.write() as tx:
        page_sessions.end(tx, token)


def recognise(store: Store, token: str, *, idle_ms: int) -> PageSession | None:
    """Return who a token stands for; None when the session is over or the account has gone or lost its permission."""
    with store.read() as db:
        found, now_ms = page_sessions.find(db, token), store.now_ms(db)
        if found is None or page_session.is_over(found.issued, found.used, now_ms, idle_ms=idle_ms):
            return None
        name = _name_of(db, found.account)
    if name is None:
        return None
    if page_session.is_to_be_noted(found.used, now_ms):
        with store.write(durable=False) as tx:
            page_sessions.touch(tx, token)
    return PageSession(found.account, name)


def may_administer(user: User, rights: Rights) -> bool:
    """Whether a user may administer this hub: in some clinic of it, or everywhere."""
    if user.is_deleted:
        return False
    return user.role == SUPER_ADMIN or any(Permission.ADMIN in granted for granted in rights.clinics.values())


def _account(db: View, name: str, password: str) -> Account | None:
    """Return whose name and password these are; the work depends on nothing but whether the name could be an email."""
    stored = administrators.hashed_password(db, name)
    is_administrator = passwords.matches(stored, password)
    user = users.find_by_email(db, name) if "@" in name else None
    is_user = "@" in name and accounts.check(user, password, rounds=users.rounds(db))
    if stored is not None or "@" not in name:
        return Account(AccountKind.ADMINISTRATOR, name) if is_administrator else None
    fits = len(password.encode("utf-8", "surrogatepass")) <= PASSWORD_BYTES_MAX
    may = user is not None and fits and is_user and may_administer(user, callers.rights(db, user.id, user.role))
    return Account(AccountKind.USER, user.id) if user and may else None


def _name_of(db: View, account: Account) -> str | None:
    match account.kind:
        case AccountKind.ADMINISTRATOR:
            return account.id if administrators.exists(db, account.id) else None
        case AccountKind.USER:
            user = users.find(db, account.id)
            return user.name if user and may_administer(user, callers.rights(db, user.id, user.role)) else None
        case AccountKind.SETUP:
            return None if administrators.any_there(db) else ""
