"""Turns the cloud's rows into canonical records and back, and compares what the cloud can tell apart of them.

The canonical form is the phone's (core.records); the forms of single values are in core.cloud.values.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from hub.core.cloud import values as cloud_values
from hub.core.cloud.tables import CLOUD_ONLY_MOMENTS, keeping
from hub.core.errors import BadRecord
from hub.core.reasons import Code
from hub.core.records import codec
from hub.core.records.codec import ID_CHARS, UNKNOWN_COLUMNS, Record
from hub.core.records.tables import SERVER_OWNED, Column, Table

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(decimal_format="number").encode
_LEFT_OUT = SERVER_OWNED | {"updated_at", "deleted_at", "is_deleted"}


class Row(msgspec.Struct, frozen=True):
    """A row as the cloud sent it, in canonical form; ``cleared`` names unknown columns that are null there."""

    record: Record
    cleared: frozenset[str]


def read(table: Table, row: Mapping[str, Any]) -> Row:
    """Bring a row of a pull into canonical form; raises BadRecord when a column holds what its type cannot."""
    try:
        return _read(table, row)
    except (OverflowError, UnicodeEncodeError, RecursionError) as error:
        raise BadRecord(Code.CLOUD_ROW.of(table=table.name, detail=type(error).__name__)) from None


def _read(table: Table, row: Mapping[str, Any]) -> Row:
    record_id = row.get("id")
    if not isinstance(record_id, str) or not 0 < len(record_id) <= ID_CHARS:
        raise BadRecord(Code.INVALID_ID.of(table=table.name, limit=ID_CHARS))
    values = {**cloud_values.read_columns(table, row), "id": record_id}
    extra, cleared = _extra(table, row)
    try:
        return Row(Record(msgspec.convert(values, table.shape), extra), cleared)
    except msgspec.ValidationError as error:
        raise BadRecord(Code.CLOUD_ROW.of(table=table.name, detail=str(error))) from None


def write(table: Table, record: Record, *, updated_ms: float, names: Mapping[str, str]) -> bytes:
    """Write a record as a push holds it: complete, in the cloud's forms (CLOUD.md 4.2).

    updated_ms: what the guard is to compare (CLOUD.md 4.5).
    names: ids of users and clinics made on this hub -> their ids in the cloud.

    Raises BadRecord when the cloud would not take it, or would make something else of it.
    """
    kept = keeping(table)
    values: dict[str, Any] = {"id": cloud_values.uuid(table.name, "id", record.id)}
    for column in table.columns:
        if column.name in kept.dropped or column.name in _LEFT_OUT:
            continue
        value = cloud_values.write(column, getattr(record.row, column.name), names)
        if value is not None or column.name not in kept.not_null:
            values[column.name] = value
    values["updated_at"] = cloud_values.iso(updated_ms)
    if table.deletable:
        values["is_deleted"] = False  # a delete goes as an id (CLOUD.md 4.6)
    for name, value in record.extra.items():
        values[name] = _iso_or_same(value) if name in CLOUD_ONLY_MOMENTS else value
    return _encode(values)


def same(column: Column, one: Any, other: Any) -> bool:  # noqa: ANN401  any JSON
    """Whether the cloud cannot tell two values of a column apart."""
    return bool(one == other) or cloud_values.normalise(column, one) == cloud_values.normalise(column, other)


def mark(column: Column, value: Any) -> int:  # noqa: ANN401
    """Return the fingerprint of what the cloud stores of a value."""
    try:
        text = msgspec.json.encode(cloud_values.normalise(column, value), order="sorted").decode()
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return codec.fingerprint(text)


def marks(table: Table, record: Record, columns: Iterable[str]) -> dict[str, int]:
    """Return the fingerprints of some columns of a record, those that the phone knows."""
    known = [table.by_name[name] for name in columns if name in table.by_name]
    return {column.name: mark(column, getattr(record.row, column.name)) for column in known}


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


def _iso_or_same(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, int | float) and not isinstance(value, bool):
        return cloud_values.iso(value) if value else None
    return value
