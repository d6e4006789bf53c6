"""Who is signed in on the page: a random number in a cookie there, its hash here."""

import hashlib
import secrets
from enum import StrEnum

import msgspec
from sqlite_utils import Database

from hub.store.database import Transaction
from hub.store.people import audit

LONGEST_MS = 12 * 3_600_000
"""After a long day everybody signs in again."""
MOST = 200
_NOTED_MS = 20_000
"""How exactly it is noted when somebody was last there: exact enough for minutes, and sparing with the card."""


class AccountKind(StrEnum):
    """What kind of account is signed in."""

    ADMINISTRATOR = "administrator"
    USER = "user"
    SETUP = "setup"
    """Whoever knew the setup code, until the setup has an administrator."""


class Account(msgspec.Struct, frozen=True):
    """An administrator by name, or a Hikma user by id."""

    kind: AccountKind
    id: str

    @property
    def actor(self) -> str:
        """Return how the audit log names it."""
        return f"{self.kind}:{self.id}"


def begin(tx: Transaction, account: Account) -> str:
    """Sign an account in; returns the token. The longest unused sessions go when there are too many."""
    token = secrets.token_urlsafe(32)
    tx.db.execute(
        "INSERT INTO page_sessions VALUES (?, ?, ?, ?, ?)",
        [_hash(token), account.kind, account.id, tx.now_ms, tx.now_ms],
    )
    tx.db.execute(
        "DELETE FROM page_sessions WHERE hash IN (SELECT hash FROM page_sessions ORDER BY used DESC LIMIT -1 OFFSET ?)",
        [MOST],
    )
    with audit.by(account.actor):
        audit.note(tx, "page.sign_in")
    return token


def find(db: Database, token: str, *, now_ms: int, idle_ms: int) -> tuple[Account, bool] | None:
    """Return who a token stands for, and whether it is time to ``touch`` it; None when it is unknown or over."""
    row = db.execute("SELECT kind, account, issued, used FROM page_sessions WHERE hash = ?", [_hash(token)]).fetchone()
    if row is None or now_ms - row[3] >= idle_ms or now_ms - row[2] >= LONGEST_MS:
        return None
    return Account(AccountKind(row[0]), row[1]), now_ms - row[3] >= _NOTED_MS


def touch(tx: Transaction, token: str) -> None:
    """Note that somebody is still there."""
    tx.db.execute("UPDATE page_sessions SET used = ? WHERE hash = ?", [tx.now_ms, _hash(token)])


def end(tx: Transaction, token: str) -> None:
    """Sign out."""
    tx.db.execute("DELETE FROM page_sessions WHERE hash = ?", [_hash(token)])
    audit.note(tx, "page.sign_out")


def end_all(tx: Transaction, kind: AccountKind, account: str | None = None) -> None:
    """Sign out all of a kind, or all of one account; names of administrators differ by more than their case."""
    tx.db.execute(
        "DELETE FROM page_sessions WHERE kind = :kind AND (:account IS NULL OR account = :account COLLATE NOCASE)",
        {"kind": kind, "account": account},
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
