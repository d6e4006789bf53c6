"""Turns the cloud's rows into canonical records and back, and compares what the cloud can tell apart of them.

The canonical form is the phone's (core.records); the forms of single values are in core.cloud.values.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from hub.core.cloud import limits
from hub.core.cloud import values as cloud_values
from hub.core.cloud.tables import CLOUD_ONLY_MOMENTS, KEEPING
from hub.core.errors import BadRecord
from hub.core.reasons import Code, no_time
from hub.core.records import codec, dates, ids
from hub.core.records.codec import ID_CHARS, UNKNOWN_COLUMNS, Record
from hub.core.records.table import JSON_KINDS, SERVER_OWNED, Column, ColumnKind, Table

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
_TIMES = frozenset({ColumnKind.MOMENT, ColumnKind.DATE, ColumnKind.DAY})
_DAYS = frozenset({ColumnKind.DATE, ColumnKind.DAY})
_NUL = rb"\u0000"
_LEFT_OUT = SERVER_OWNED | {"updated_at", "deleted_at", "is_deleted"}


class Row(msgspec.Struct, frozen=True):
    """A row as the cloud sent it, in canonical form; ``cleared`` names unknown columns that are null there."""

    record: Record
    cleared: frozenset[str]
    changed_ms: float = 0
    """When it last changed there, by the clock of the cloud's database; 0 where that is not said."""


def read(table: Table, row: Mapping[str, Any], zone: tzinfo = UTC) -> Row:
    """Bring a row of a pull into canonical form; raises BadRecord when a column holds what its type cannot.

    zone: the clinic's, in which phones show days.
    """
    try:
        return _read(table, row, zone)
    except (OverflowError, UnicodeEncodeError, RecursionError) as error:
        raise BadRecord(Code.CLOUD_ROW.of(table=table.name, detail=type(error).__name__)) from None


def _read(table: Table, row: Mapping[str, Any], zone: tzinfo) -> Row:
    record_id = row.get("id")
    if not isinstance(record_id, str) or not 0 < len(record_id) <= ID_CHARS:
        raise BadRecord(Code.INVALID_ID.of(table=table.name, limit=ID_CHARS))
    values = {**cloud_values.read_columns(table, row, zone), "id": ids.canonical(record_id)}
    extra, cleared = _extra(table, row)
    try:
        return Row(Record(msgspec.convert(values, table.shape), extra), cleared, _changed_ms(row))
    except msgspec.ValidationError as error:
        raise BadRecord(Code.CLOUD_ROW.of(table=table.name, detail=str(error))) from None


def write(
    table: Table,
    record: Record,
    *,
    updated_ms: float,
    names: Mapping[str, str],
    zone: tzinfo = UTC,
    deleted: bool = False,
) -> bytes:
    """Write a record as a push holds it: complete, in the cloud's forms (CLOUD.md 4.2).

    updated_ms: what the guard is to compare (CLOUD.md 4.5).
    names: ids of users and clinics made on this hub -> their ids in the cloud.
    zone: the clinic's, in which days were picked.
    deleted: it goes for what names it alone, and nobody will read its times.

    Raises BadRecord when the cloud would not take it, or would make something else of it.
    """
    kept = KEEPING[table.name]
    values: dict[str, Any] = {"id": cloud_values.uuid(table.name, "id", record.id)}
    for column in table.columns:
        if column.name in kept.dropped or column.name in _LEFT_OUT:
            continue
        value = getattr(record.row, column.name)
        if not (deleted and column.kind in _TIMES):
            value = cloud_values.write(column, _settled(column, value, zone), names)
        elif column.kind is ColumnKind.MOMENT:
            value = cloud_values.iso(value or 0)
        else:
            value = None
        if value is not None or column.name not in kept.not_null:
            values[column.name] = value
    values["updated_at"] = cloud_values.iso(updated_ms)
    if table.deletable:
        values["is_deleted"] = False  # a delete goes as an id (CLOUD.md 4.6)
    for name, value in record.extra.items():
        values[name] = _iso_or_same(table.name, name, value) if name in CLOUD_ONLY_MOMENTS else value
    written = _encode(values)
    if _NUL in written:
        limits.check_nul(table, values)
    return written


def same(column: Column, one: Any, other: Any, zone: tzinfo = UTC) -> bool:  # noqa: ANN401  any JSON
    """Whether the cloud cannot tell two values of a column apart."""
    return bool(one == other) or normalise(column, one, zone) == normalise(column, other, zone)


def normalise(column: Column, value: Any, zone: tzinfo = UTC) -> Any:  # noqa: ANN401
    """Return what the cloud stores of a canonical value; of nothing, what it makes of nothing."""
    return cloud_values.normalise(column, _settled(column, value, zone))


def _settled(column: Column, value: Any, zone: tzinfo) -> Any:  # noqa: ANN401
    """Return for a moment the day that it stands for, where the column holds days or dates."""
    if column.kind not in _DAYS or value is None or value == column.empty:
        return value
    return dates.day_of_ms(value, zone) if column.kind is ColumnKind.DAY else _date(value, zone)


def _date(text: str, zone: tzinfo) -> str:
    try:
        return text if dates.is_folded(text) else dates.day_of_date(text, zone).isoformat()
    except ValueError:
        return text


def mark(column: Column, value: Any, zone: tzinfo = UTC) -> int:  # noqa: ANN401
    """Return the fingerprint of what the cloud stores of a value."""
    try:
        stored = normalise(column, value, zone)
        stored = cloud_values.in_doubles(stored) if column.kind in JSON_KINDS else stored
        text = msgspec.json.encode(stored, order="sorted").decode()
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return codec.fingerprint(text)


def marks(table: Table, record: Record, columns: Iterable[str], zone: tzinfo) -> dict[str, int]:
    """Return the fingerprints of some columns of a record, those that the phone knows."""
    known = [table.by_name[name] for name in columns if name in table.by_name]
    return {column.name: mark(column, getattr(record.row, column.name), zone) for column in known}


def plain(value: Any) -> Any:  # noqa: ANN401
    """Turn what a streaming parser made of JSON into what any encoder takes: its decimals into numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict | list):
        return _decode(_encode(value))
    return value


def plain_json(row: Mapping[str, Any]) -> str:
    """Return as text what a streaming parser made of an object."""
    return _encode(row).decode()


def _changed_ms(row: Mapping[str, Any]) -> float:
    try:
        return datetime.fromisoformat(row["last_modified"]).timestamp() * 1000
    except (KeyError, TypeError, ValueError, OverflowError):
        return 0


@cache
def _unknown_but_kept(table: Table) -> frozenset[str]:
    return table.names | SERVER_OWNED | {"deleted_at", "is_deleted"}


def _extra(table: Table, row: Mapping[str, Any]) -> tuple[dict[str, Any], frozenset[str]]:
    """Take the columns that the phone has not (P8), without what the cloud keeps for itself."""
    names = row.keys() - _unknown_but_kept(table)
    if not names:
        return {}, frozenset()
    if len(names) > UNKNOWN_COLUMNS:
        raise BadRecord(Code.TOO_MANY_COLUMNS.of(table=table.name, limit=UNKNOWN_COLUMNS))
    extra = {name: plain(row[name]) for name in row if name in names and row[name] is not None}
    return extra, frozenset(names - extra.keys())


def _iso_or_same(table: str, name: str, value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    text = cloud_values.iso(value) if value else None
    if value and text is None:
        raise BadRecord(no_time(table, name, value))
    return text
