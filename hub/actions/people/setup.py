"""Keeps the setup code, which the first visitor of the page must know, until there is an administrator."""

import secrets

from hub.store.database import Store, Transaction, View
from hub.store.people import administrators, audit

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 and O, 1 and I and L, U and V: the code is read from a label and a screen."""
_CHARS = 8
"""39 bits: with a wait after five wrong ones, nobody gets through them."""


def code(store: Store) -> str | None:
    """Return the setup code, ``ABCD-2345``; a new hub draws it here, once. None when the hub is set up."""
    with store.read() as db:
        found = _find(db)
        if found or is_done(db):
            return found
    with store.write() as tx:
        if is_done(tx.db):
            return None
        return _find(tx.db) or _draw(tx)


def is_done(db: View) -> bool:
    """Return whether the hub has an administrator; from then on there is no setup."""
    return administrators.any_there(db)


def is_code(db: View, given: str) -> bool:
    """Return whether this is the setup code, however it is written."""
    kept = _find(db)
    plain = "".join(given.upper().split()).replace("-", "")
    return kept is not None and secrets.compare_digest(plain.encode(), kept.replace("-", "").encode())


def finish(tx: Transaction, name: str, password: str) -> bool:
    """Make the first administrator, which ends the setup; False when another one was faster."""
    if is_done(tx.db):
        return False
    administrators.add(tx, name, password)
    tx.db.execute("DELETE FROM hub WHERE key = 'setup_code'")
    tx.db.execute("DELETE FROM page_sessions WHERE kind = 'setup'")
    audit.note(tx, "setup.done")
    return True


def _find(db: View) -> str | None:
    row = db.execute("SELECT value FROM hub WHERE key = 'setup_code'").fetchone()
    return str(row[0]) if row else None


def _draw(tx: Transaction) -> str:
    drawn = "".join(secrets.choice(_ALPHABET) for _ in range(_CHARS))
    made = f"{drawn[:4]}-{drawn[4:]}"
    tx.db.execute("INSERT INTO hub (key, value) VALUES ('setup_code', ?)", [made])
    return made
