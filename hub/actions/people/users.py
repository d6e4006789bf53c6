"""Users: the people who sign in on phones."""

from collections.abc import Iterable

from hub.core.errors import NotThere, OperatorError, Taken
from hub.core.records.access import Permission
from hub.store.database import Store, View
from hub.store.people import users as rows
from hub.store.people.users import PASSWORD_CHARS_MIN, User

__all__ = ["PASSWORD_CHARS_MIN", "User", "add", "change_password", "disable", "every"]


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

    Raises Taken for an email that somebody has, OperatorError for an unknown clinic or an unfit password.
    """
    with store.write() as tx:
        if rows.find_by_email(tx.db, email):
            raise Taken(f"there is a user with the email {email} already")
        return rows.add(tx, email=email, name=name, role=role, clinic_id=clinic_id, password=password, without=without)


def change_password(store: Store, who: str, password: str) -> None:
    """Set the password of a user of this hub, by id or email, and end their sign-ins.

    Raises NotThere for nobody, OperatorError for an unfit password or for a user whom the cloud keeps.
    """
    with store.write() as tx:
        user = _user(tx.db, who)
        if user.source != "hub":
            raise OperatorError(f"{user.email} comes from the cloud; change the password there")
        rows.set_password(tx, user, password)


def disable(store: Store, who: str) -> None:
    """Disable a user, by id or email: their sign-ins end and none is accepted; raises NotThere for nobody."""
    with store.write() as tx:
        rows.disable(tx, _user(tx.db, who))


def _user(db: View, who: str) -> User:
    found = rows.find_by_email(db, who) if "@" in who else rows.find(db, who)
    if found is None or found.is_deleted:
        raise NotThere(f"there is no user {who}; 'hikma-hub user list' shows them")
    return found
