"""Turns records into the form that online mode shows and takes, and back (services/procedures/CATALOGUE.md).

online      rows in snake_case, JSON as JSON, times as ISO 8601 text, null for what is absent
canonical   the phone's own form, as sync carries it (hub.core.records.codec)
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from hub.core.errors import BadRecord
from hub.core.reasons import no_date
from hub.core.records import dates, ids, json_text
from hub.core.records.codec import Record
from hub.core.records.table import SERVER_OWNED, Column, ColumnKind, Table

_TIMES = frozenset({ColumnKind.MOMENT, ColumnKind.DAY})
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shown(table: Table, record: Record) -> dict[str, Any]:
    """Return a record as online mode shows it; columns that the hub has never heard of stay as they are."""
    row: dict[str, Any] = {"id": record.id}
    for column in table.columns:
        row[column.name] = _shown(column, getattr(record.row, column.name))
    return {**record.extra, **row}


def taken(table: Table, values: Mapping[str, Any], zone: tzinfo = UTC) -> dict[str, Any]:
    """Return what online mode brought in a form that ``records.build`` takes.

    '' stands for nothing where it cannot be a value. Columns of which the hub keeps its own are left out.
    zone: the clinic's, in which days are picked. Raises BadRecord for a date that is none.
    """
    named = {name: value for name, value in values.items() if name not in SERVER_OWNED}
    return {name: _taken(table.by_name.get(name), value, zone) for name, value in named.items()}


def named(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with the id and the references to other records in the form in which the hub keeps ids."""
    return {
        name: ids.canonical(value) if isinstance(value, str) and (name == "id" or name in table.references) else value
        for name, value in values.items()
    }


def blank(table: Table) -> dict[str, str]:
    """Return the JSON columns that must hold something, each with nothing in it."""
    return {
        column.name: "[]" if column.kind is ColumnKind.LIST else "{}"
        for column in table.columns
        if column.is_json and not column.optional
    }


def iso(moment_ms: float) -> str | float:
    """Write a moment as the app does, 2026-11-20T06:27:22.788Z; one that no calendar holds stays a number."""
    try:
        moment = _EPOCH + timedelta(milliseconds=moment_ms)
    except (OverflowError, ValueError):
        return moment_ms
    return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def _shown(column: Column, value: Any) -> Any:  # noqa: ANN401  any column, any JSON
    if value is None:
        return None
    if column.kind in _TIMES:
        # In a column that must hold something the phone writes 0 for nothing.
        return iso(value) if value or column.optional else None
    if column.is_json:
        return _json(column, value)
    return None if value == "" and column.optional else value


def _json(column: Column, text: str) -> Any:  # noqa: ANN401  any JSON
    value = json_text.unwrapped(text)
    if isinstance(value, dict | list):
        return value
    if column.optional:
        return None
    return [] if column.kind is ColumnKind.LIST else {}


def _taken(column: Column | None, value: Any, zone: tzinfo) -> Any:  # noqa: ANN401  any column, any JSON
    if column is None:
        return value
    if value == "" and column.phone_type != "string":
        return None
    if column.kind is ColumnKind.DATE:
        return _date(column, value, zone)
    return value


def _date(column: Column, value: object, zone: tzinfo) -> object:
    """Return the day of a date or of a moment that stands for one."""
    if value is None or value == "":
        return value
    try:
        if isinstance(value, str):
            return dates.day_of_date(value, zone).isoformat()
    except ValueError:
        pass
    raise BadRecord(no_date(column.table, column.name, str(value)))
