"""Keeps where the hub last listened, so that other processes can tell phones the way."""

import msgspec
from sqlite_utils import Database

from hub.store.database import Store


class Listening(msgspec.Struct, frozen=True):
    """An address of this machine, or 0.0.0.0 for all, and a TCP port."""

    host: str
    port: int


def keep(store: Store, listening: Listening) -> None:
    """Remember where the hub listens."""
    text = msgspec.json.encode(listening).decode()
    with store.write(durable=False) as tx:
        tx.db.execute("INSERT OR REPLACE INTO hub (key, value) VALUES ('listening', ?)", [text])


def find(db: Database) -> Listening | None:
    """Return where the hub last listened."""
    row = db.execute("SELECT value FROM hub WHERE key = 'listening'").fetchone()
    return msgspec.json.decode(row[0], type=Listening) if row else None
