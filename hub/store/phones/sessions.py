"""Keeps what must outlive a restart of sessions: spent handshake keys, tokens, failed sign-ins (S3, S4, S5)."""

import hashlib
import secrets

from sqlite_utils import Database

from hub.core.errors import Conflict, TooMany
from hub.store.database import Transaction

SPENT_KEYS = 2_000_000
"""About 40 MB. When it is reached the hub draws a new key pair, under which none of them means anything."""
ATTEMPT_KEYS = 10_000
TOKENS_PER_DEVICE = 20
_PEOPLE_AT_AN_ADDRESS = 4
"""Several phones may come by one address; their people may all mistype, and sign in at the same moment."""
_DAY_MS = 86_400_000


def spend(tx: Transaction, client_public_key: bytes) -> None:
    """Note that a client public key opened a session; raises Conflict if it ever did before.

    Not durable by itself: whatever the session changes is committed after it, and takes it to disk along.
    """
    check_unspent(tx.db, client_public_key)
    tx.db.execute("INSERT INTO spent_keys (key) VALUES (?)", [_number(client_public_key)])


def check_unspent(db: Database, client_public_key: bytes) -> None:
    """Raise Conflict if a client public key ever opened a session."""
    if db.execute("SELECT 1 FROM spent_keys WHERE key = ?", [_number(client_public_key)]).fetchone():
        raise Conflict("client public key was used before")


def spent(db: Database) -> int:
    """Count the spent keys."""
    return int(db.execute("SELECT count(*) FROM spent_keys").fetchone()[0])


def forget_spent(tx: Transaction) -> None:
    """Forget the spent keys, once the key pair that they were spent on is no more."""
    tx.db.execute("DELETE FROM spent_keys")


def issue_token(tx: Transaction, *, device: int, user_id: str, days: int) -> str:
    """Make a token for a user on one device; the oldest of a device go when it has too many."""
    token = secrets.token_urlsafe(32)
    tx.db.execute(
        "INSERT INTO tokens (hash, device, user_id, issued, expires) VALUES (?, ?, ?, ?, ?)",
        [_hash(token), device, user_id, tx.now_ms, tx.now_ms + days * _DAY_MS],
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


def check_attempts(db: Database, keys: list[str], *, now_ms: int, free: int, wait_s: int, wait_max_s: int) -> None:
    """Raise TooMany while any of ``keys`` must wait after failed sign-ins.

    After ``free`` failures in a row each further one doubles the wait, from ``wait_s`` to ``wait_max_s``. A day
    without failures forgives.
    """
    for key in keys:
        row = db.execute("SELECT failures, last FROM attempts WHERE key = ?", [_hash(key)]).fetchone()
        allowed = free * _PEOPLE_AT_AN_ADDRESS if key.startswith("address:") else free
        if row and row[0] >= allowed and now_ms - row[1] < _DAY_MS:
            wait_ms = min(wait_s * 2 ** min(row[0] - allowed, 20), wait_max_s) * 1000
            left_ms = row[1] + wait_ms - now_ms
            if left_ms > 0:
                raise TooMany("too many failed sign-ins", retry_after_s=-(-left_ms // 1000))


def note_failure(tx: Transaction, keys: list[str]) -> None:
    """Count a failed sign-in for each of ``keys``; the longest untouched go when there are too many."""
    for key in keys:
        tx.db.execute(
            "INSERT INTO attempts (key, failures, last) VALUES (:key, 1, :now) ON CONFLICT (key) DO UPDATE SET"
            " failures = CASE WHEN :now - last < :day THEN failures + 1 ELSE 1 END, last = :now",
            {"key": _hash(key), "now": tx.now_ms, "day": _DAY_MS},
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


def _number(key: bytes) -> int:
    return int.from_bytes(hashlib.sha256(key).digest()[:8], signed=True)
