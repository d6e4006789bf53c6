"""A user: somebody who signs in on phones, and what that user may do."""

from collections.abc import Iterable, Mapping
from functools import cache

import bcrypt
import msgspec

from hub.core.errors import OperatorError
from hub.core.records.access import SUPER_ADMIN, Permission, Rights

PASSWORD_CHARS_MIN = 6
PASSWORD_BYTES_MAX = 72
"""bcrypt reads no further."""
_ROUNDS = 11

_EVERYTHING = frozenset(Permission)
_BY_ROLE = {
    "super_admin": _EVERYTHING,
    "admin": _EVERYTHING,
    "registrar": frozenset({Permission.REGISTER, Permission.VIEW, Permission.EDIT}),
}
_CLINICAL = _EVERYTHING - {Permission.ADMIN}


class User(msgspec.Struct, frozen=True):
    """A person who signs in; ``hashed_password`` is bcrypt and never leaves the hub."""

    id: str
    email: str
    name: str
    role: str
    clinic_id: str | None
    hashed_password: str
    is_deleted: bool
    source: str
    """"cloud" or "hub"."""

    def opens_with(self, password: str) -> bool:
        """Whether ``password`` is the user's; takes as long for a user who does not exist (see nobody)."""
        try:
            return bcrypt.checkpw(password.encode()[:PASSWORD_BYTES_MAX], self.hashed_password.encode())
        except ValueError:
            return False


@cache
def nobody() -> User:
    """Stand in for an unknown account, so that it takes as long to refuse as a known one."""
    return User("", "", "", "", None, _hash("nobody"), is_deleted=True, source="hub")


def hashed(password: str) -> str:
    """Return what is stored of a password; raises OperatorError when it is too short or too long."""
    if len(password) < PASSWORD_CHARS_MIN:
        raise OperatorError(f"a password needs {PASSWORD_CHARS_MIN} characters or more")
    if len(password.encode()) > PASSWORD_BYTES_MAX:
        raise OperatorError(f"a password can have {PASSWORD_BYTES_MAX} bytes at most")
    return _hash(password)


def permissions_of(role: str, *, without: Iterable[Permission] = ()) -> frozenset[Permission]:
    """Return what a role brings on this hub, ``without`` some of it."""
    return _BY_ROLE.get(role, _CLINICAL) - frozenset(without)


def rights(
    user: User, granted: Mapping[str, frozenset[Permission]], *, checking_is_off: bool, known: frozenset[str]
) -> Rights:
    """Return what a user may do, from the permissions in each clinic and from the clinics that the hub knows."""
    return Rights(user.id, unrestricted=user.role == SUPER_ADMIN or checking_is_off, clinics=granted, known=known)


def _hash(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(_ROUNDS)).decode()
