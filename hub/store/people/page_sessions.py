"""Who is signed in on the page: a random number in a cookie there, its hash here."""

import hashlib
import secrets
from enum import StrEnum

import msgspec
from sqlite_utils import Database

from hub.core.people.page_session import MOST
from hub.store.database import Transaction
from hub.store.people import audit


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


class Session(msgspec.Struct, frozen=True):
    """Who signed in, when, and when somebody was last seen there; times in ms of hub time."""

    account: Account
    issued: int
    used: int


def find(db: Database, token: str) -> Session | None:
    """Return what a token stands for."""
    row = db.execute("SELECT kind, account, issued, used FROM page_sessions WHERE hash = ?", [_hash(token)]).fetchone()
    return Session(Account(AccountKind(row[0]), row[1]), row[2], row[3]) if row else None


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
