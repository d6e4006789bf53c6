"""What must outlive a restart of sessions: tokens and failed sign-ins (S4, S5)."""

import hashlib
import secrets

from sqlite_utils import Database

from hub.core.people.attempts import DAY_MS, Failures
from hub.store.database import Transaction

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
        [_hash(token), device, user_id, tx.now_ms, tx.now_ms + days * DAY_MS],
    )
    tx.db.execute("DELETE FROM tokens WHERE expires <= ?", [tx.now_ms])
    tx.db.execute(
        "DELETE FROM tokens WHERE device = ? AND hash NOT IN"
        " (SELECT hash FROM tokens WHERE device = ? ORDER BY issued DESC LIMIT ?)",
        [device, device, TOKENS_PER_DEVICE],
    )
    return token


def token_user(db: Database, token: str, *, device: int, now_ms: int) -> str | None:
    """Return the id of the user a token stands for, if it was issued to this device and is not over."""
    row = db.execute(
        "SELECT user_id FROM tokens WHERE hash = ? AND device = ? AND expires > ?", [_hash(token), device, now_ms]
    ).fetchone()
    return str(row[0]) if row else None


def revoke_tokens(tx: Transaction, *, user_id: str | None = None, device: int | None = None) -> int:
    """End the tokens of a user, a device, or all; returns how many."""
    return tx.db.execute(
        "DELETE FROM tokens WHERE (:user IS NULL OR user_id = :user) AND (:device IS NULL OR device = :device)",
        {"user": user_id, "device": device},
    ).rowcount


def failures(db: Database, key: str) -> Failures | None:
    """Return the failed sign-ins of a key; None for none."""
    row = db.execute("SELECT failures, last FROM attempts WHERE key = ?", [_hash(key)]).fetchone()
    return Failures(*row) if row else None


def note_failure(tx: Transaction, keys: list[str]) -> None:
    """Count a failed sign-in for each of ``keys``; the longest untouched go when there are too many."""
    for key in keys:
        tx.db.execute(
            "INSERT INTO attempts (key, failures, last) VALUES (:key, 1, :now) ON CONFLICT (key) DO UPDATE SET"
            " failures = CASE WHEN :now - last < :day THEN failures + 1 ELSE 1 END, last = :now",
            {"key": _hash(key), "now": tx.now_ms, "day": DAY_MS},
        )
    tx.db.execute(
        "DELETE FROM attempts WHERE key IN (SELECT key FROM attempts ORDER BY last DESC LIMIT -1 OFFSET ?)",
        [ATTEMPT_KEYS],
    )


def forget_failures(tx: Transaction, keys: list[str]) -> None:
    """Forgive an account its failures after a sign-in that succeeded; ``keys`` begin with the account's.

    Its device and address are forgiven no more than those: who has one account of his own could otherwise go on
    guessing at all the others from the same place.
    """
    row = tx.db.execute("DELETE FROM attempts WHERE key = ? RETURNING failures", [_hash(keys[0])]).fetchone()
    for key in keys[1:] if row else ():
        tx.db.execute("UPDATE attempts SET failures = max(0, failures - ?) WHERE key = ?", [row[0], _hash(key)])


def _hash(secret: str) -> bytes:
    """Return what is stored of a token or an email: nothing that could be used or read."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).digest()
