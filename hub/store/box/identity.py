"""Keeps who this hub is: its id, name and key pair, made at its first start (S7)."""

import uuid

import msgspec
from sqlite_utils import Database

from hub.core.phone.keys import KeyPair
from hub.store.database import Store, Transaction
from hub.store.people import audit


class Identity(msgspec.Struct, frozen=True):
    """Who this hub is."""

    id: str
    keys: KeyPair


def load(store: Store) -> Identity:
    """Return the hub's identity; a new hub draws it here, once."""
    with store.read() as db:
        identity = _find(db)
    if identity:
        return identity
    with store.write() as tx:
        return _find(tx.db) or _draw(tx)


def name(db: Database) -> str | None:
    """Return the name that the hub was given on its page; None while it has only the one of its settings."""
    row = db.execute("SELECT value FROM hub WHERE key = 'name'").fetchone()
    return str(row[0]) if row else None


def rename(tx: Transaction, new: str) -> None:
    """Return the hub a name; 1 to 80 characters."""
    tx.db.execute("INSERT OR REPLACE INTO hub (key, value) VALUES ('name', ?)", [new])
    audit.note(tx, "hub.renamed", detail=new)


def new_keys(tx: Transaction) -> KeyPair:
    """Draw a new key pair, which ends every session and with them the need to remember their keys."""
    keys = KeyPair()
    tx.db.execute("INSERT OR REPLACE INTO hub (key, value) VALUES ('private_key', ?)", [keys.private_bytes()])
    tx.db.execute("DELETE FROM spent_keys")
    return keys


def _find(db: Database) -> Identity | None:
    found = dict(db.execute("SELECT key, value FROM hub WHERE key IN ('id', 'private_key')").fetchall())
    return Identity(found["id"], KeyPair(found["private_key"])) if len(found) == 2 else None  # noqa: PLR2004


def _draw(tx: Transaction) -> Identity:
    identity = Identity(str(uuid.uuid4()), new_keys(tx))
    tx.db.execute("INSERT INTO hub (key, value) VALUES ('id', ?)", [identity.id])
    return identity
