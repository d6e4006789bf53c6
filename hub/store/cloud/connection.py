"""Keeps the link to the cloud: the key, who the cloud says this hub is, and how far the relay has come."""

from typing import Any, TypeVar

import msgspec
from sqlite_utils import Database

from hub.core.cloud import pull_plan
from hub.core.cloud.link import Last, Link, Progress
from hub.store.database import Transaction
from hub.store.people import audit

_T = TypeVar("_T", bound=msgspec.Struct)


class Takes(msgspec.Struct, frozen=True):
    """The tables of a later app that the cloud has."""

    tables: frozenset[str] = frozenset()


def link(db: Database) -> Link | None:
    """Return the cloud that this hub is connected to, if any."""
    return _get(db, "link", Link)


def api_key(db: Database) -> str:
    """Return the key; '' if no cloud is connected."""
    row = db.execute("SELECT value FROM cloud WHERE key = 'api_key'").fetchone()
    return str(row[0]) if row else ""


def progress(db: Database) -> Progress:
    """Return how far the relay has come."""
    return _get(db, "progress", Progress) or Progress()


def last(db: Database) -> Last:
    """Return how the last cycle ended."""
    return _get(db, "last", Last) or Last()


def takes(db: Database) -> frozenset[str]:
    """Return which of the tables of a later app the cloud has."""
    found = _get(db, "takes", Takes)
    return found.tables if found else frozenset()


def note_takes(tx: Transaction, table: str) -> None:
    """Note that the cloud has a table of a later app, unless it was disconnected meanwhile."""
    if link(tx.db) is not None:
        _put(tx, "takes", Takes(takes(tx.db) | {table}))


def connect(tx: Transaction, found: Link, key: str) -> None:
    """Connect to a cloud; coming back as another device begins anew."""
    before = link(tx.db)
    if before is None or before.device != found.device:
        tx.db.execute("DELETE FROM cloud")
        tx.db.execute("DELETE FROM cloud_seen")
    _put_link(tx, found, before)
    tx.db.execute("INSERT OR REPLACE INTO cloud (key, value) VALUES ('api_key', ?)", [key])
    audit.note(tx, "cloud.connected", detail=found.device)


def disconnect(tx: Transaction) -> None:
    """Forget cloud and key; records and outbox stay. Connecting the same device again goes on from the start."""
    tx.db.execute("DELETE FROM cloud")
    audit.note(tx, "cloud.disconnected")


def update(tx: Transaction, found: Link) -> None:
    """Keep what the cloud says of this hub now."""
    before = link(tx.db)
    if before not in {None, found}:
        _put_link(tx, found, before)
        audit.note(tx, "cloud.changed", detail=f"{found.status}, {len(found.clinics)} clinics")


def advance(tx: Transaction, **changed: Any) -> Progress:  # noqa: ANN401
    """Keep how much further the relay has come, unless the cloud was disconnected meanwhile."""
    now = msgspec.structs.replace(progress(tx.db), **changed)
    if link(tx.db) is not None:
        _put(tx, "progress", now)
    return now


def want_everything(tx: Transaction) -> None:
    """Let the next pull ask for everything, whatever was pulled before."""
    _put(tx, "progress", pull_plan.at_once(progress(tx.db), "asked for"))


def save_last(tx: Transaction, now: Last) -> None:
    """Keep how a cycle ended, unless the cloud was disconnected meanwhile."""
    if link(tx.db) is not None:
        _put(tx, "last", now)


def _put_link(tx: Transaction, found: Link, before: Link | None) -> None:
    ever = found.ever.union(found.clinics, before.ever if before else ())
    _put(tx, "link", msgspec.structs.replace(found, ever=ever))


def _get(db: Database, key: str, kind: type[_T]) -> _T | None:
    row = db.execute("SELECT value FROM cloud WHERE key = ?", [key]).fetchone()
    return msgspec.json.decode(row[0], type=kind) if row else None


def _put(tx: Transaction, key: str, value: msgspec.Struct) -> None:
    text = msgspec.json.encode(value).decode()
    tx.db.execute("INSERT OR REPLACE INTO cloud (key, value) VALUES (?, ?)", [key, text])
