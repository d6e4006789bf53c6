"""Compares what two phones hold, as far as their users could tell, and a phone with the cloud."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, tzinfo
from typing import Any

from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.tables import KEEPING, PUSH_ORDER, UNCOMPARED
from hub.core.records.table import UNCOUNTED, Cascade, Table
from tests.simulator.local_store import LocalStore
from tests.simulator.outgoing import PUSH_TABLES
from tests.simulator.rows import Row, Value

SHARED_TABLES = tuple(table for table in PUSH_TABLES if table != "users")
"""The tables in which all phones of a clinic hold the same; permissions are each user's own."""

_LOCAL = UNCOUNTED | {"_status", "_changed"}


def differences(one: LocalStore, other: LocalStore, tables: Iterable[str] = SHARED_TABLES) -> list[str]:
    """Name every record that ``one`` and ``other`` do not hold alike: table, id and what is different.

    Deleted rows count as not held, be it by ``_status`` or by is_deleted. Columns that a phone sets by itself
    after a push do not count, nor does JSON that was encoded once more than needed.
    """
    found: list[str] = []
    for table in tables:
        left, right = held(one, table), held(other, table)
        found += [f"{table} {row_id}: only one of them holds it" for row_id in sorted(left.keys() ^ right.keys())]
        for row_id in sorted(left.keys() & right.keys()):
            columns = list(_different(left[row_id], right[row_id]))
            if columns:
                found.append(f"{table} {row_id}: {', '.join(columns)}")
    return found


def unlike_cloud(
    store: LocalStore,
    cloud: Callable[[str], Iterable[Mapping[str, Any]]],
    clinic_id: str,
    zone: tzinfo = UTC,
) -> list[str]:
    """Name every record of a clinic's patients that a phone and the cloud do not hold alike, among those that go up.

    cloud: table -> its rows in the wire's form, deleted ones too.
    zone: the clinic's, in which days are picked.

    Columns that the cloud keeps for itself, drops, or never changes do not count (CLOUD.md 4.5, 6), nor does what it
    has of a deleted patient or visit; what outlives its patient counts where the phone has it too.
    """
    patients = {
        row["id"] for row in cloud("patients") if row["primary_clinic_id"] == clinic_id and not row["is_deleted"]
    }
    gone = {row["id"] for row in cloud("visits") if row["is_deleted"]}
    found: list[str] = []
    for table in PUSH_ORDER:
        here = held(store, table.name)
        outlives = Cascade.PATIENT not in table.goes_with
        there = {
            str(row["id"]): row
            for row in cloud(table.name)
            if not row["is_deleted"]
            and (row[table.patient or "id"] in patients or (outlives and str(row["id"]) in here))
            and gone.isdisjoint(row[column] for column in table.visits)
        }
        found += [f"{table.name} {row_id}: not in the cloud" for row_id in sorted(here.keys() - there.keys())]
        found += [f"{table.name} {row_id}: in the cloud alone" for row_id in sorted(there.keys() - here.keys())]
        for row_id in sorted(here.keys() & there.keys()):
            columns = _unlike(table, here[row_id], there[row_id], zone)
            if columns:
                found.append(f"{table.name} {row_id}: the cloud holds another {', '.join(columns)}")
    return found


def held(store: LocalStore, table: str) -> dict[str, Row]:
    """Return the rows of a table that its user can see: id -> row."""
    return {str(row["id"]): row for row in store.rows(table) if not row.get("is_deleted")}


def _different(left: Row, right: Row) -> Iterator[str]:
    return (
        column
        for column, value in left.items()
        if column not in _LOCAL and value != right[column] and _plain(value) != _plain(right[column])
    )


def _unlike(table: Table, here: Row, row: Mapping[str, Any], zone: tzinfo) -> list[str]:
    there = cloud_forms.read(table, row, zone).record
    left_out = UNCOMPARED | KEEPING[table.name].dropped | KEEPING[table.name].once
    return [
        column.name
        for column in table.columns
        if column.name not in left_out and not cloud_forms.same(column, here[column.name], there.get(column.name), zone)
    ]


def _plain(value: Value) -> Value:
    while isinstance(value, str) and value[:1] == '"':
        try:
            value = json.loads(value)
        except ValueError:
            return value
    return value
