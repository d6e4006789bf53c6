"""Who this hub is: its id and keys, drawn at its first start (S7), and the name that people gave it."""

import uuid

import msgspec

from hub.core.phone.keys import KeyPair
from hub.store.box import state
from hub.store.database import Store, Transaction, View
from hub.store.people import audit
from hub.store.phones import sessions


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


def name(store: Store) -> str | None:
    """Return the name that the hub was given on its page; None while it has only the one of its settings."""
    with store.read() as db:
        return state.get(db, state.NAME)


def rename(store: Store, new: str) -> None:
    """Name the hub; 1 to 80 characters."""
    with store.write() as tx:
        state.put(tx, state.NAME, new)
        audit.note(tx, "hub.renamed", detail=new)


def new_keys(tx: Transaction) -> KeyPair:
    """Draw a new identity within a transaction: the key pair whose public half is in the QR code."""
    keys = KeyPair()
    state.put(tx, state.PRIVATE_KEY, keys.private_bytes())
    sessions.forget_spent(tx)
    return keys


def _find(db: View) -> Identity | None:
    hub_id, private = state.get(db, state.HUB_ID), state.get(db, state.PRIVATE_KEY)
    return Identity(hub_id, KeyPair(private)) if hub_id and private else None


def _draw(tx: Transaction) -> Identity:
    identity = Identity(str(uuid.uuid4()), new_keys(tx))
    state.put(tx, state.HUB_ID, identity.id)
    return identity
