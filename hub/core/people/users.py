"""A user: somebody who signs in on phones, and what that user may do."""

import re
import secrets
import unicodedata
from collections.abc import Iterable

import bcrypt
import msgspec

from hub.core.errors import OperatorError
from hub.core.records.access import Permission

PASSWORD_CHARS_MIN = 6
PASSWORD_BYTES_MAX = 72
"""bcrypt reads no further."""
ROUNDS = 11
"""Doublings of bcrypt's work for a password that is set on this hub."""
ROUNDS_MAX = 14
"""A hash of the cloud that takes more opens to nobody: 15 keep a Pi busy for many seconds, 31 for days."""
_HASH = re.compile(r"\$2[abxy]?\$(\d\d)\$[./A-Za-z0-9]{53}")
_SALT = b"." * 22
_INVISIBLE = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
"""Unicode's categories of blanks, and of marks that nobody sees, such as those that turn the direction of Arabic."""

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
        """Whether ``password`` is the user's."""
        return _opens(self.hashed_password, password) is True


def trimmed(text: str) -> str:
    """Return an email or a name without what keyboards and copying put around it: blanks, and marks nobody sees."""
    seen = [place for place, letter in enumerate(text) if unicodedata.category(letter) not in _INVISIBLE]
    return text[seen[0] : seen[-1] + 1] if seen else ""


def rounds_for(dearest: int) -> int:
    """Return how much work a sign-in takes: as much as the dearest hash of this hub, whoever signs in."""
    return min(max(ROUNDS, dearest), ROUNDS_MAX)


def check(user: User | None, password: str, *, rounds: int) -> bool:
    """Whether ``password`` is the user's; exactly 2**rounds of bcrypt's work whatever is stored, and for nobody too.

    The time that a refusal takes would tell who has an account here, and whose password hash is cheap to guess at.
    """
    stored = user.hashed_password if user else ""
    cost = _cost(stored)
    answer = _opens(stored, password) if cost is not None and cost <= rounds else None
    if answer is None or cost is None:
        _work(rounds)
        return False
    for doubling in range(cost, rounds):  # 2**cost is done; 2**cost + 2**(cost + 1) + ... are missing
        _work(doubling)
    return answer


def is_short(password: str) -> bool:
    """Whether bcrypt reads a password to its end."""
    return len(password.encode()) <= PASSWORD_BYTES_MAX


def hashed(password: str) -> str:
    """Return what is stored of a password; raises OperatorError when it is too short or too long."""
    if len(password) < PASSWORD_CHARS_MIN:
        raise OperatorError(f"a password needs at least {PASSWORD_CHARS_MIN} characters")
    if not is_short(password):
        raise OperatorError(f"a password can have at most {PASSWORD_BYTES_MAX} bytes")
    return _hash(password)


def permissions_of(role: str, *, without: Iterable[Permission] = ()) -> frozenset[Permission]:
    """Return what a role brings on this hub, ``without`` some of it."""
    return _BY_ROLE.get(role, _CLINICAL) - frozenset(without)


def _hash(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(ROUNDS)).decode()


def _cost(stored: str) -> int | None:
    """Return the doublings that a hash takes; None for what is no hash of bcrypt."""
    found = _HASH.fullmatch(stored)
    return int(found[1]) if found else None


def _opens(stored: str, password: str) -> bool | None:
    """Whether a password opens a hash; None, without work, for a hash or a password that bcrypt does not take."""
    try:
        kept = stored.encode()
        return secrets.compare_digest(bcrypt.hashpw(password.encode()[:PASSWORD_BYTES_MAX], kept), kept)
    except ValueError:
        return None


def _work(rounds: int) -> None:
    bcrypt.hashpw(b"nobody", b"$2b$%02d$" % rounds + _SALT)
