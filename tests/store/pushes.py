"""Pushes straight into a store, and looks at what became of them."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from hub.actions.phones import push as pushing
from hub.actions.phones.push import Source, TableChanges
from hub.actions.records.changes import Receipt
from hub.core.reasons import Reason, from_json
from hub.core.records.access import Rights
from hub.core.records.tables import TABLES
from hub.store.database import Store
from tests.hubs import EMAIL

EVERYTHING = Rights(f"user-{EMAIL}", unrestricted=True, clinics={}, known=frozenset())
"""Of the user of a hub of tests.hubs: what is pushed without a clinic is that user's to see."""


def push(
    store: Store,
    changes: Mapping[str, Any],
    *,
    device: int = 1,
    rights: Rights = EVERYTHING,
    most: int | None = None,
    cursor: float = 0,
) -> Receipt:
    """Push a change set as a device, in one transaction; cursor: the answer on which it follows."""
    read = msgspec.json.decode(msgspec.json.encode(changes), type=dict[str, TableChanges | None])
    store.quarantine_max = most or store.quarantine_max
    with store.write() as tx:
        return pushing.take(tx, read, Source(device, rights, cursor=cursor))


def kept(store: Store, table: str, row_id: str) -> dict[str, Any]:
    """Return a stored record; LookupError if there is none."""
    with store.read() as db:
        found = db.execute(f"SELECT data FROM [{table}] WHERE id = ?", [row_id]).fetchone()
    if found is None:
        raise LookupError(row_id)
    record: dict[str, Any] = json.loads(found[0])
    return record


def rows(store: Store, table: str) -> list[dict[str, Any]]:
    """Return a table's live records."""
    with store.read() as db:
        found = db.execute(f"SELECT data FROM [{table}] WHERE local_server_deleted_at IS NULL")
        return [json.loads(data) for (data,) in found]


def live(store: Store, table: str) -> set[str]:
    """Return the ids of a table's live records."""
    return _ids(store, table, "local_server_deleted_at IS NULL")


def tombstones(store: Store, table: str) -> set[str]:
    """Return the ids of a table's tombstones."""
    return _ids(store, table, "local_server_deleted_at IS NOT NULL")


def dump(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of everything that a push may touch."""
    names = [*TABLES, "outbox", "quarantine"]
    with store.read() as db:
        return {name: db.execute(f"SELECT * FROM [{name}] ORDER BY 1, 2").fetchall() for name in names}


def reasons(store: Store) -> list[Reason]:
    """Return why records are in quarantine."""
    with store.read() as db:
        return [from_json(*row) for row in db.execute("SELECT why, reason FROM quarantine ORDER BY num")]


def _ids(store: Store, table: str, condition: str) -> set[str]:
    with store.read() as db:
        return {row[0] for row in db.execute(f"SELECT id FROM [{table}] WHERE {condition}")}
