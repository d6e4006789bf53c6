"""Takes a push in as the cloud does: record by record, each committed alone, stopping at the first that fails."""

import json
import uuid
from collections.abc import Mapping
from enum import Enum, auto
from zoneinfo import ZoneInfo

from tests.simulator.cloud import effects, pushed, values
from tests.simulator.cloud.callers import Caller
from tests.simulator.cloud.columns import Put, Table
from tests.simulator.cloud.effects import Row
from tests.simulator.cloud.instants import Clock
from tests.simulator.cloud.store import CloudStore, Transaction
from tests.simulator.cloud.values import Refused, is_uuid


class PushOutcome(Enum):
    """How a push ended; a failure raises Refused, except among prescription_items (CLOUD.md 4.3)."""

    STORED = auto()
    ITEM_FAILED = auto()


def push(store: CloudStore, caller: Caller, body: bytes, zone: ZoneInfo) -> PushOutcome:
    """Store a pushed body table by table in the fixed order of CLOUD.md 4.1, whatever order its keys have.

    Raises Refused at the first bad record; everything before it stays stored and nothing after it is tried.
    """
    changes = _decoded(body)
    for table in pushed.IN_ORDER:
        try:
            _take(store, caller, table, changes, zone)
        except Refused:
            if table is pushed.PRESCRIPTION_ITEMS:
                return PushOutcome.ITEM_FAILED
            raise
    if caller.hub_tables:
        _take(store, caller, pushed.CLINIC_DEPARTMENTS, changes, zone)
    return PushOutcome.STORED


def _decoded(body: bytes) -> Mapping[str, object]:
    try:
        changes = json.loads(body, parse_constant=_no_constant)  # takes half a character, as JavaScript does
    except (ValueError, RecursionError):
        raise Refused("the body is not JSON") from None
    if changes is None:
        raise Refused("the body is null")
    return changes if isinstance(changes, dict) else {}


def _no_constant(name: str) -> object:
    raise ValueError(name)


def _take(store: CloudStore, caller: Caller, table: Table, changes: Mapping[str, object], zone: ZoneInfo) -> None:
    changed = changes.get(table.name)
    if not isinstance(changed, dict):
        return
    for record in [*_list(changed, "created"), *_list(changed, "updated")]:
        if not isinstance(record, dict):
            raise Refused(f"{table.name}: a record is no object")
        if _may_write(caller, table, record):
            _upsert(store, caller, table, record, zone)
    for record_id in _list(changed, "deleted"):
        if table is not pushed.CLINIC_DEPARTMENTS:
            _delete(store, table, record_id)


def _list(changed: Mapping[str, object], name: str) -> list[object]:
    records = changed.get(name)
    if records is None:
        return []
    if not isinstance(records, list):
        raise Refused(f"{name} is no list")
    return records


def _may_write(caller: Caller, table: Table, record: Mapping[str, object]) -> bool:
    """Return whether the record names no clinic or one of the hub's, compared as text (CLOUD.md 4.9)."""
    clinic = record.get(table.scope) if table.scope else None
    return not clinic or caller.clinics is None or clinic in caller.clinics


def _upsert(store: CloudStore, caller: Caller, table: Table, record: Mapping[str, object], zone: ZoneInfo) -> None:
    if table is pushed.EVENTS:
        record = _with_visit(store, record, zone)
    with store.transaction() as transaction:
        clock = Clock(transaction.now, zone)
        row = {column.name: values.inserted(column, record, clock) for column in table.columns}
        if table.name in effects.COMPLETIONS:
            effects.COMPLETIONS[table.name](transaction, row, caller, clock)
        if effects.insert(transaction, table, row, or_nothing=True):
            if table is pushed.DISPENSING_RECORDS:
                effects.deduct_stock(transaction, row)
        else:
            _update(transaction, table, record, row, clock)


def _with_visit(store: CloudStore, record: Mapping[str, object], zone: ZoneInfo) -> Mapping[str, object]:
    """Return the event with a visit that exists; the visit commits by itself, before the event is tried."""
    with store.transaction() as transaction:
        clock = Clock(transaction.now, zone)
        named = [pushed.EVENTS.column(name) for name in ("visit_id", "patient_id")]
        event: Row = {column.name: values.stored(column, record, clock) for column in named}
        effects.ensure_event_visit(transaction, event, clock)
    return {**record, "visit_id": event["visit_id"]}


def _update(transaction: Transaction, table: Table, record: Mapping[str, object], row: Row, clock: Clock) -> None:
    """Replace the whole stored row if this one is newer (CLOUD.md 4.5); ``row`` brings what was filled in."""
    sets, bound = [], []
    for column in table.columns:
        if column.update is Put.KEEP or column.name in table.key:
            continue
        given = column.update in {Put.GIVEN, Put.GIVEN_IF_ANY} and column.insert is Put.GIVEN
        bound.append(row[column.name] if given else values.updated(column, record, clock))
        mark = f'COALESCE(?, "{column.name}")' if column.update is Put.GIVEN_IF_ANY else "?"
        sets.append(f'"{column.name}" = {mark}')
    where = [f'"{name}" = ?' for name in table.key]
    bound += [row[name] for name in table.key]
    if table.guarded:
        where.append('"updated_at" < ?')
        bound.append(row["updated_at"])
    sql = f'UPDATE "{table.name}" SET {", ".join(sets)} WHERE {" AND ".join(where)}'
    transaction.execute(sql, bound)


def _delete(store: CloudStore, table: Table, record_id: object) -> None:
    if not is_uuid(record_id):
        raise Refused(f"{table.name}: deleted holds what is no uuid")
    with store.transaction() as transaction:
        effects.delete(transaction, table, str(uuid.UUID(str(record_id))))
