"""Passwords of administrators, who look after this hub by its page without being Hikma users."""

import argon2

from hub.core.errors import OperatorError

PASSWORD_CHARS_MIN = 10
PASSWORD_CHARS_MAX = 200
NAME_CHARS_MAX = 60

# OWASP's choice for argon2id where memory is short: 19 MiB, twice, on one core.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = "$argon2id$v=19$m=19456,t=2,p=1$bjDmQxASd11/bQtDKNVbyQ$niaac+nTkloxB/D8M0OXv0Dk9hYP13vu5hXrjCERkKM"
"""Stands in for an unknown name, so that it takes as long to refuse as a known one: the hash of "nobody"."""


def is_fit(password: str) -> bool:
    """Whether a password is neither too short nor too long."""
    return PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX


def hashed(password: str) -> str:
    """Return what is stored of a password; raises OperatorError when it is too short or too long."""
    if not is_fit(password):
        raise OperatorError(
            f"an administrator's password needs {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters"
        )
    return _HASHER.hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Whether this is the password; takes as long when nothing is stored, for a name that does not exist."""
    try:
        _HASHER.verify(stored or _NOBODY, password[:PASSWORD_CHARS_MAX])
    except argon2.exceptions.VerificationError:
        return False
    return stored is not None
