"""What must outlive a restart of sessions: tokens and failed sign-ins (S4, S5)."""

import secrets

from sqlite_utils import Database

from hub.core.people.attempts import DAY_MS, Failures
from hub.store.database import Transaction
from hub.store.phones.callers import secret_hash

ATTEMPT_KEYS = 10_000
TOKENS_PER_DEVICE = 20


def forget_spent(tx: Transaction) -> None:
    """Forget the keys that 0.1.0 noted as used with a key pair of the hub that is no more; this one notes none."""
    tx.db.execute("DELETE FROM spent_keys")


def issue_token(tx: Transaction, *, device: int, user_id: str, days: int) -> str:
    """Make a token for a user on one device; the oldest of a device go when it has too many."""
    token = secrets.token_urlsafe(32)
    tx.db.execute(
        "INSERT INTO tokens (hash, device, user_id, issued, expires) VALUES (?, ?, ?, ?, ?)",
        [secret_hash(token), device, user_id, tx.now_ms, tx.now_ms + days * DAY_MS],
    )
    tx.db.execute("DELETE FROM tokens WHERE expires <= ?", [tx.now_ms])
    tx.db.execute(
        "DELETE FROM tokens WHERE device = ? AND hash NOT IN"
        " (SELECT hash FROM tokens WHERE device = ? ORDER BY issued DESC LIMIT ?)",
        [device, device, TOKENS_PER_DEVICE],
    )
    return token


def renew_token(tx: Transaction, token: str, ends_ms: int) -> None:
    """Let a token end later."""
    tx.db.execute("UPDATE tokens SET expires = ? WHERE hash = ?", [ends_ms, secret_hash(token)])


def revoke_tokens(tx: Transaction, *, user_id: str | None = None, device: int | None = None) -> int:
    """End the tokens of a user, a device, or all; returns how many."""
    return tx.db.execute(
        "DELETE FROM tokens WHERE (:user IS NULL OR user_id = :user) AND (:device IS NULL OR device = :device)",
        {"user": user_id, "device": device},
    ).rowcount


def failures(db: Database, key: str) -> Failures | None:
    """Return the failed sign-ins of a key; None for none."""
    row = db.execute("SELECT failures, last FROM attempts WHERE key = ?", [secret_hash(key)]).fetchone()
    return Failures(*row) if row else None


def note_failure(tx: Transaction, keys: list[str]) -> None:
    """Count a failed sign-in for each of ``keys``; when there are too many the longest untouched go, places last."""
    for key in keys:
        tx.db.execute(
            "INSERT INTO attempts (key, failures, last) VALUES (:key, 1, :now) ON CONFLICT (key) DO UPDATE SET"
            " failures = CASE WHEN :now - last < :day THEN failures + 1 ELSE 1 END, last = :now",
            {"key": secret_hash(key), "now": tx.now_ms, "day": DAY_MS},
        )
    tx.db.execute(
        "DELETE FROM attempts WHERE key IN"
        " (SELECT key FROM attempts ORDER BY failures > 0, last DESC LIMIT -1 OFFSET ?)",
        [ATTEMPT_KEYS],
    )


def forget_failures(tx: Transaction, keys: list[str]) -> None:
    """Forgive an account its failures after a sign-in that succeeded; ``keys`` begin with the account's.

    Its device and address are forgiven no more than those: who has one account of his own could otherwise go on
    guessing at all the others from the same place.
    """
    row = tx.db.execute("DELETE FROM attempts WHERE key = ? RETURNING failures", [secret_hash(keys[0])]).fetchone()
    for key in keys[1:] if row else ():
        hashed = secret_hash(key)
        tx.db.execute("UPDATE attempts SET failures = failures - ? WHERE key = ?", [row[0], hashed])
        tx.db.execute("DELETE FROM attempts WHERE key = ? AND failures <= 0", [hashed])


def remember_place(tx: Transaction, key: str) -> None:
    """Remember that somebody signed in from here: it is kept as a place without failures."""
    tx.db.execute("INSERT OR REPLACE INTO attempts VALUES (?, 0, ?)", [secret_hash(key), tx.now_ms])
