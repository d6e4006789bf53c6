"""Applies a pull to the local database as the app does it, errors included.

Tables one after the other, in each ``created``, then ``updated``, then ``deleted``, in batches of 300. A batch
is atomic, the whole is not: after an error the earlier batches stay. Times are never compared.
Source: PROTOCOL.md "What the phone does with an answer".
"""

from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

from tests.simulator import rows
from tests.simulator.local_store import DEVICE_TABLES, LocalStore, LocalStoreError, unique_failed
from tests.simulator.rows import Raw, Row

BATCH_ROWS = 300

_Prepare = Callable[[LocalStore, str, Raw], Row | None]


def apply(store: LocalStore, changes: Any) -> None:  # noqa: ANN401  whatever the hub put there
    """Apply ``changes``; raises LocalStoreError at the first batch that fails."""
    for table, arrays in changes.items() if isinstance(changes, dict) else ():
        if arrays is None:
            raise LocalStoreError(f"TypeError: Cannot read properties of null (reading 'created'), table {table}")
        for name, prepare in (("created", _created), ("updated", _updated), ("deleted", _deleted)):
            records = arrays.get(name) if isinstance(arrays, dict) else None
            if isinstance(records, list) and records and table not in DEVICE_TABLES:
                _apply_array(store, table, records, prepare)


def count(changes: Any) -> int:  # noqa: ANN401  whatever the hub put there
    """Count the records of a change set as the app's display does."""
    tables = changes.values() if isinstance(changes, dict) else ()
    return sum(
        len(arrays.get(name) or ())
        for arrays in tables
        if isinstance(arrays, dict)
        for name in ("created", "updated", "deleted")
    )


def _apply_array(store: LocalStore, table: str, records: list[object], prepare: _Prepare) -> None:
    store.table(table)  # an unknown one fails here
    seen: set[str] = set()
    for batch in _batches(records):
        prepared = [row for row in (prepare(store, table, _object(record)) for record in batch) if row is not None]
        for row in prepared:
            if row["id"] in seen:
                raise unique_failed(table)
            seen.add(str(row["id"]))
        for row in prepared:
            store.put(table, row)


def _object(record: object) -> Raw:
    """Return what JavaScript reads columns from: a text or a number has none, null is an error."""
    if record is None:
        raise LocalStoreError("TypeError: Cannot read properties of null (reading 'id')")
    return record if isinstance(record, dict) else {}


def _batches(records: list[object]) -> Iterator[list[object]]:
    pending = iter(records)
    while batch := list(islice(pending, BATCH_ROWS)):
        yield batch


def _created(store: LocalStore, table: str, record: Raw) -> Row:
    known = store.find(table, record.get("id"))
    if known is not None:
        return _merged(table, known, record)
    row_id = record.get("id")
    if not isinstance(row_id, str):
        # The ORM gives a record without a text for an id one of its own, and then it is a new record to be pushed.
        return rows.complete(table, record, row_id=store.new_id(), status="created")
    if row_id in store.table(table):
        raise unique_failed(table)  # deleted here: invisible to the query, not to SQLite
    return rows.complete(table, record, row_id=row_id, status="synced")


def _updated(store: LocalStore, table: str, record: Raw) -> Row | None:
    known = store.find(table, record.get("id"))
    return _merged(table, known, record) if known is not None else None


def _deleted(store: LocalStore, table: str, record: Raw) -> Row | None:
    known = store.find(table, record.get("id"))
    return {**known, "_status": "deleted"} if known is not None else None


def _merged(table: str, known: Row, record: Raw) -> Row:
    """Take the hub's record; columns edited here stay, and with any of them the row's status."""
    row = rows.complete(table, record, row_id=str(known["id"]), status="synced")
    changed = str(known["_changed"])
    if changed:
        kept = {column: known[column] for column in changed.split(",") if column in known}
        row.update(kept, _status=known["_status"], _changed=changed)
    return row
