"""Keeps the name under which the network knows this hub, and the other hubs on it; any process of the box may look."""

import msgspec
from sqlite_utils import Database

from hub.store.database import Transaction

OTHERS = 32
"""Other hubs that are remembered: whoever is on the network can announce as many as they like."""


class Other(msgspec.Struct, frozen=True):
    """Another hub, as it describes itself."""

    id: str
    name: str
    url: str


class Announced(msgspec.Struct, frozen=True):
    """``host`` is the name that was free, such as hikma-hub-2.local, when ``wanted`` was asked for."""

    wanted: str
    host: str
    others: tuple[Other, ...] = ()


def keep(tx: Transaction, announced: Announced) -> None:
    """Remember it: after a restart a hub takes the same name again, as RFC 6762 section 9 asks."""
    bounded = msgspec.structs.replace(announced, others=announced.others[:OTHERS])
    text = msgspec.json.encode(bounded).decode()
    tx.db.execute("INSERT OR REPLACE INTO hub (key, value) VALUES ('announced', ?)", [text])


def find(db: Database) -> Announced | None:
    """Return what was announced last."""
    row = db.execute("SELECT value FROM hub WHERE key = 'announced'").fetchone()
    return msgspec.json.decode(row[0], type=Announced) if row else None
