"""Turns the cloud's rows into canonical records and back, and tells what of them the cloud can tell apart.

The canonical form is the phone's (core.records). The cloud's forms are told by the kind of a column (CLOUD.md 0, 4.2,
6): times are ISO text, dates midnights of the server's own zone, NUMERIC is text, JSON is nested.
"""

import math
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

import msgspec

from hub.core.cloud.tables import CLOUD_ONLY_MOMENTS, keeping
from hub.core.errors import BadRecord
from hub.core.reasons import Code, Form
from hub.core.records import codec
from hub.core.records.codec import ID_CHARS, UNKNOWN_COLUMNS, Record
from hub.core.records.tables import SERVER_OWNED, Column, ColumnKind, Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF_DAY = timedelta(hours=12)
_MINUTES_MS = 15 * 60_000
"""Time zones lie whole quarters of an hour from UTC."""
_YEARS = (1850, 2120)  # CLOUD.md 4.2
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YES = frozenset({"true", "t", "yes", "1"})
_CENT = Decimal("0.01")

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


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
    values: dict[str, Any] = {"id": record_id}
    for column in table.columns:
        value = row.get(column.name)
        values[column.name] = column.empty if value is None else _canonical(column, value)
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
    values: dict[str, Any] = {"id": _id(table.name, "id", record.id)}
    for column in table.columns:
        if column.name in kept.dropped or column.name in _LEFT_OUT:
            continue
        value = _cloud_form(column, getattr(record.row, column.name), names)
        if value is not None or column.name not in kept.not_null:
            values[column.name] = value
    values["updated_at"] = _iso(updated_ms)
    if table.deletable:
        values["is_deleted"] = False  # a delete goes as an id (CLOUD.md 4.6)
    for name, value in record.extra.items():
        values[name] = _iso_or_same(value) if name in CLOUD_ONLY_MOMENTS else value
    return _encode(values)


def meaning(table: Table, column: Column, value: Any) -> Any:  # noqa: ANN401, PLR0911  any JSON; one for each kind
    """Return what the cloud holds of a canonical value; two values of one meaning are the same to it."""
    match column.kind:
        case ColumnKind.TEXT:
            return _text_meaning(column, value)
        case ColumnKind.LIST | ColumnKind.OBJECT:
            return _nested(column, value)
        case ColumnKind.DATE:
            return _day_of_text(value)
        case ColumnKind.DAY:
            return _day_of_ms(value) if value else None
        case ColumnKind.MOMENT:
            return value if value or column.optional else None
        case ColumnKind.INT:
            return _whole(value)
        case ColumnKind.NUMBER:
            return _numeric(table, value)
        case ColumnKind.FLAG:
            return value


def same(table: Table, column: Column, one: Any, other: Any) -> bool:  # noqa: ANN401
    """Return whether the cloud cannot tell two values of a column apart."""
    return bool(one == other) or meaning(table, column, one) == meaning(table, column, other)


def mark(table: Table, column: Column, value: Any) -> int:  # noqa: ANN401
    """Return the fingerprint of a value's meaning."""
    try:
        text = msgspec.json.encode(meaning(table, column, value), order="sorted").decode()
    except (TypeError, ValueError, RecursionError):
        text = repr(value)
    return codec.fingerprint(text)


def marks(table: Table, record: Record, columns: Iterable[str]) -> dict[str, int]:
    """Return the fingerprints of some columns of a record, those that the phone knows."""
    known = [table.by_name[name] for name in columns if name in table.by_name]
    return {column.name: mark(table, column, getattr(record.row, column.name)) for column in known}


def is_uuid(value: object) -> bool:
    """Return whether the cloud would take it as an id."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def plain(value: Any) -> Any:  # noqa: ANN401
    """Turn what a streaming parser made of JSON into what any encoder takes: its decimals into numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict | list):
        return _decode(_encode(value))
    return value


_LEFT_OUT = SERVER_OWNED | {"updated_at", "deleted_at", "is_deleted"}


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


def _canonical(column: Column, value: Any) -> Any:  # noqa: ANN401, PLR0911
    match column.kind:
        case ColumnKind.TEXT:
            return value if isinstance(value, str) else _encode(value).decode()
        case ColumnKind.LIST | ColumnKind.OBJECT:
            return _encode(value).decode()
        case ColumnKind.MOMENT:
            return _ms(column, value)
        case ColumnKind.DATE:
            return _day(column, value).isoformat()
        case ColumnKind.DAY:
            return (_day(column, value) - _EPOCH.date()).days * 86_400_000
        case ColumnKind.INT | ColumnKind.NUMBER:
            return _number(column, value)
        case ColumnKind.FLAG:
            return value.lower() in _YES if isinstance(value, str) else bool(value)


def _moment(column: Column, value: object) -> datetime:
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    raise _wrong(column, Form.TIME, value)


def _ms(column: Column, value: object) -> int:
    return (_moment(column, value) - _EPOCH) // timedelta(milliseconds=1)


def _day(column: Column, value: object) -> date:
    """Read a DATE: a midnight in the server's own zone, whichever that is (CLOUD.md 0)."""
    return (_moment(column, value) + _HALF_DAY).astimezone(UTC).date()


def _number(column: Column, value: object) -> int | float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    try:
        number = float(value) if isinstance(value, str | float | Decimal) else math.nan
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(column, Form.NUMBER, value)
    return int(number) if number.is_integer() else number


def _cloud_form(column: Column, value: Any, names: Mapping[str, str]) -> Any:  # noqa: ANN401, PLR0911
    if value is None:
        return None
    match column.kind:
        case ColumnKind.TEXT:
            return _reference(column, value, names) if column.refers_to else value
        case ColumnKind.LIST | ColumnKind.OBJECT:
            return _nested(column, value)
        case ColumnKind.MOMENT:
            return _iso(value) if value or column.optional else None
        case ColumnKind.DATE:
            return _required_day(column, value)
        case ColumnKind.DAY:
            return _day_of_ms(value) if value else None
        case ColumnKind.INT:
            return _whole(value)
        case ColumnKind.NUMBER:
            return value
        case ColumnKind.FLAG:
            # false and 0 become null where null is possible, the text is kept (CLOUD.md 6).
            return "false" if column.optional and value is False else value


def _reference(column: Column, value: str, names: Mapping[str, str]) -> str | None:
    return _id(column.table, column.name, names.get(value, value)) if value else None


def _id(table: str, column: str, value: str) -> str:
    """Return a uuid in lower case: clinics are compared as text (CLOUD.md 4.2)."""
    if not is_uuid(value):
        raise BadRecord(Code.NOT_A_UUID.of(table=table, column=column))
    return value.lower()


def _iso(ms: float) -> str | None:
    """Return ISO text: a number before 2001-09-09 would be taken for seconds (CLOUD.md 4.2)."""
    try:
        moment = _EPOCH + timedelta(milliseconds=ms)
    except (OverflowError, ValueError):
        return None
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def _iso_or_same(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _iso(value) if value else None
    return value


def _required_day(column: Column, value: str) -> str | None:
    if not value:
        return None
    day = _day_of_text(value)
    if day is None:
        raise BadRecord(Code.NOT_A_DATE.of(table=column.table, column=column.name))
    return day


def _day_of_text(value: object) -> str | None:
    if not isinstance(value, str) or not value:
        return None
    try:
        if _DAY.fullmatch(value):
            return date.fromisoformat(value).isoformat()
        moment = datetime.fromisoformat(value)
        return (moment + _HALF_DAY if moment.tzinfo else moment).astimezone(UTC).date().isoformat()
    except (ValueError, OverflowError):
        return None


def _day_of_ms(value: float) -> str | None:
    """Return the calendar day of a moment: of a midnight its own day in whatever zone, else the day in UTC."""
    try:
        moment = _EPOCH + timedelta(milliseconds=value)
        day = moment + _HALF_DAY if value % _MINUTES_MS == 0 else moment
    except (OverflowError, ValueError):
        return None
    return day.date().isoformat()


def _nested(column: Column, value: object) -> Any:  # noqa: ANN401
    """Unwrap JSON text into what the cloud stores: an object or an array, never text or null (CLOUD.md 4.2)."""
    array = column.kind is ColumnKind.LIST
    inner = codec.unwrapped(value)
    if inner is None or inner == "":
        return [] if array else {}
    if isinstance(inner, list if array else dict) or (column.name == "form_data" and isinstance(inner, dict)):
        return inner
    return [inner] if array else ({} if inner == [] else {"value": inner})


def _text_meaning(column: Column, value: object) -> object:
    if not value:
        return None
    return str(value).lower() if column.refers_to else value


def _whole(value: float | None) -> int | None:
    """Round to what an integer column takes; a fraction fails there (CLOUD.md 4.2)."""
    if value is None or isinstance(value, int):
        return value
    return math.floor(value + 0.5) if math.isfinite(value) else None


def _numeric(table: Table, value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    if table.name == "patient_additional_attributes":
        return value or None  # 0 becomes null (CLOUD.md 6)
    return float(Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP))


def _wrong(column: Column, wanted: Form, value: object) -> BadRecord:
    found = Form.of(value)
    return BadRecord(Code.WRONG_TYPE.of(table=column.table, column=column.name, wanted=wanted, found=found))
