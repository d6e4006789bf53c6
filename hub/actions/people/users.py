"""Users: the people who sign in on phones."""

import uuid
from collections.abc import Iterable

import msgspec

from hub.core.errors import AlreadyExists, NotThere, OperatorError
from hub.core.people import users as accounts
from hub.core.people.users import PASSWORD_CHARS_MIN, User, is_short
from hub.core.records.access import Permission
from hub.store.database import Store, Transaction, View
from hub.store.people import audit
from hub.store.people import users as rows

__all__ = ["PASSWORD_CHARS_MIN", "User", "add", "change_password", "disable", "edit", "every", "is_short"]


def every(store: Store) -> list[User]:
    """List all users, by email."""
    with store.read() as db:
        return list(rows.every(db))


def add(
    store: Store,
    *,
    email: str,
    name: str,
    role: str,
    clinic_id: str,
    password: str,
    without: Iterable[Permission] = (),
) -> User:
    """Add a user with the role's permissions in one clinic, ``without`` some of them.

    Raises AlreadyExists for an email that somebody has, OperatorError for an unknown clinic or an unfit password.
    """
    with store.write() as tx:
        return make(tx, email=email, name=name, role=role, clinic_id=clinic_id, password=password, without=without)


def make(
    tx: Transaction,
    *,
    email: str,
    name: str,
    role: str,
    clinic_id: str,
    password: str,
    without: Iterable[Permission] = (),
) -> User:
    """Add a user within a transaction; raises like ``add``."""
    email = accounts.trimmed(email)
    _check_new(tx.db, email, name, role, clinic_id)
    hashed = accounts.hashed(password)
    user = User(str(uuid.uuid4()), email, name, role, clinic_id, hashed, is_deleted=False, source="hub")
    rows.put(tx, user)
    rows.grant(tx, user.id, clinic_id, accounts.permissions_of(role, without=without))
    audit.note(tx, "user.added", user_id=user.id)
    return user


def change_password(store: Store, who: str, password: str) -> None:
    """Set the password of a user of this hub, by id or email, and end their sign-ins.

    Raises NotThere for nobody, OperatorError for an unfit password or for a user whom the cloud keeps.
    """
    with store.write() as tx:
        user = _user(tx.db, who)
        _check_ours(user)
        rows.set_password(tx, user, accounts.hashed(password))


def edit(store: Store, who: str, *, name: str, role: str, clinic_id: str) -> None:
    """Give a user of this hub, by id or email, another name, role or clinic.

    Another role or clinic brings its usual permissions there, and takes those elsewhere away. Raises NotThere for
    nobody, OperatorError for a user whom the cloud keeps, for no name or role and for an unknown clinic.
    """
    with store.write() as tx:
        user = _user(tx.db, who)
        _check_ours(user)
        _check_described(tx.db, name, role, clinic_id)
        rows.put(
            tx, msgspec.structs.replace(user, name=name, role=role, clinic_id=clinic_id), rows.data(tx.db, user.id)
        )
        if (role, clinic_id) != (user.role, user.clinic_id):
            if user.clinic_id:
                rows.grant(tx, user.id, user.clinic_id, ())
            rows.grant(tx, user.id, clinic_id, accounts.permissions_of(role))
        audit.note(tx, "user.edited", user_id=user.id)


def disable(store: Store, who: str) -> None:
    """Disable a user, by id or email: their sign-ins end and none is accepted; raises NotThere for nobody."""
    with store.write() as tx:
        rows.disable(tx, _user(tx.db, who))


def _check_new(db: View, email: str, name: str, role: str, clinic_id: str) -> None:
    if "@" not in email:
        raise OperatorError("a user needs an email with an @")
    if rows.is_email_taken(db, email):
        raise AlreadyExists(f"there is already a user with the email {email}")
    _check_described(db, name, role, clinic_id)


def _check_described(db: View, name: str, role: str, clinic_id: str) -> None:
    if not name.strip() or not role.strip():
        raise OperatorError("a user needs a name and a role")
    if clinic_id not in {clinic["id"] for clinic in rows.clinics(db)}:
        raise OperatorError(f"there is no clinic {clinic_id}; see 'hikma-hub clinic list'")


def _check_ours(user: User) -> None:
    if user.source != "hub":
        raise OperatorError(f"{user.email} comes from the cloud; change this there")


def _user(db: View, who: str) -> User:
    found = rows.find_by_email(db, who) if "@" in who else rows.find(db, who.strip())
    if found is None or found.is_deleted:
        raise NotThere(f"there is no user {who}; see 'hikma-hub user list'")
    return found
