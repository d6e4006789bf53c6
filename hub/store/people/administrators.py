"""Keeps who may administer this hub by its page, without being a Hikma user."""

from collections.abc import Iterator
from typing import Any

import argon2
from sqlite_utils import Database

from hub.core.errors import OperatorError
from hub.store.database import Transaction
from hub.store.people import audit

PASSWORD_CHARS_MIN = 10
PASSWORD_CHARS_MAX = 200
NAME_CHARS_MAX = 60

# OWASP's choice for argon2id where memory is short: 19 MiB, twice, on one core.
_HASHER = argon2.PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_NOBODY = _HASHER.hash("nobody")
"""Stands in for an unknown name, so that it takes as long to refuse as a known one."""


def any_there(db: Database) -> bool:
    """Return whether there is an administrator."""
    return db.execute("SELECT 1 FROM administrators LIMIT 1").fetchone() is not None


def every(db: Database) -> Iterator[dict[str, Any]]:
    """Return the administrators as ``{name, made}``, by name."""
    yield from db.query("SELECT name, made FROM administrators ORDER BY name")


def exists(db: Database, name: str) -> bool:
    """Return whether there is an administrator of this name."""
    return db.execute("SELECT 1 FROM administrators WHERE name = ?", [name]).fetchone() is not None


def add(tx: Transaction, name: str, password: str) -> None:
    """Make an administrator; raises OperatorError when the name is empty or taken or the password too short."""
    if not name.strip() or len(name) > NAME_CHARS_MAX:
        raise OperatorError(f"an administrator needs a name of 1 to {NAME_CHARS_MAX} characters")
    if exists(tx.db, name):
        raise OperatorError(f"there is an administrator called {name} already")
    tx.db.execute("INSERT INTO administrators VALUES (?, ?, ?)", [name, _hash(password), tx.now_ms])
    audit.note(tx, "administrator.added", detail=name)


def set_password(tx: Transaction, name: str, password: str) -> None:
    """Return an administrator a new password, which signs them out; raises OperatorError when there is none."""
    hashed = _hash(password)
    if not tx.db.execute("UPDATE administrators SET hashed_password = ? WHERE name = ?", [hashed, name]).rowcount:
        raise OperatorError(f"there is no administrator called {name}; 'hikma-hub admin list' shows them")
    _sign_out(tx, name)
    audit.note(tx, "administrator.password", detail=name)


def remove(tx: Transaction, name: str) -> None:
    """Remove an administrator; raises OperatorError when there is none, or when it is the last one."""
    if not exists(tx.db, name):
        raise OperatorError(f"there is no administrator called {name}; 'hikma-hub admin list' shows them")
    if tx.db.execute("SELECT count(*) FROM administrators").fetchone()[0] == 1:
        raise OperatorError("this is the last administrator; make another one first")
    tx.db.execute("DELETE FROM administrators WHERE name = ?", [name])
    _sign_out(tx, name)
    audit.note(tx, "administrator.removed", detail=name)


def opens_with(db: Database, name: str, password: str) -> bool:
    """Return whether this is the administrator's password; takes as long for a name that does not exist."""
    row = db.execute("SELECT hashed_password FROM administrators WHERE name = ?", [name]).fetchone()
    try:
        _HASHER.verify(row[0] if row else _NOBODY, password[:PASSWORD_CHARS_MAX])
    except argon2.exceptions.VerificationError:
        return False
    return row is not None


def is_fit(password: str) -> bool:
    """Return whether a password is neither too short nor too long."""
    return PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX


def _hash(password: str) -> str:
    if not is_fit(password):
        raise OperatorError(
            f"the password of an administrator needs {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters"
        )
    return _HASHER.hash(password)


def _sign_out(tx: Transaction, name: str) -> None:
    tx.db.execute("DELETE FROM page_sessions WHERE kind = 'administrator' AND account = ? COLLATE NOCASE", [name])
