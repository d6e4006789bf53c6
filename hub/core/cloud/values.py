"""Converts single values to and from the cloud's forms, by the kind of their column (CLOUD.md 0, 4.2, 6).

Times are ISO text there, dates midnights of the server's own zone, NUMERIC is text, JSON is nested.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from hub.core.errors import BadRecord
from hub.core.reasons import Code, Form
from hub.core.records import codec
from hub.core.records.tables import Column, ColumnKind, Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_HALF_DAY = timedelta(hours=12)
_DAY_MS = 86_400_000
_MINUTES_MS = 15 * 60_000
"""Time zones lie whole quarters of an hour from UTC."""
_YEARS = (1850, 2120)  # CLOUD.md 4.2
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YES = frozenset({"true", "t", "yes", "1"})
_CENT = Decimal("0.01")

Names = Mapping[str, str]
"""Ids of users and clinics made on this hub -> their ids in the cloud."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


class ValueForm(NamedTuple):
    """How values of one kind of column stand in the cloud; only ``normalise`` takes null too."""

    read: Callable[[Column, Any], Any]
    """What the cloud sends -> the canonical value; raises BadRecord when the column's type cannot hold it."""
    write: Callable[[Column, Any, Names], Any]
    """The canonical value -> what a push holds; raises BadRecord when the cloud would not take it."""
    normalise: Callable[[Column, Any], Any]
    """The canonical value -> what of it the cloud stores; two that are equal here are one value to the cloud."""


def read(column: Column, value: Any) -> Any:  # noqa: ANN401  any JSON, here and below
    """Bring a value of a pull into canonical form; raises BadRecord when the column's type cannot hold it."""
    return column.empty if value is None else _FORMS[column.kind].read(column, value)


def read_columns(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Bring the columns that the phone knows of a pulled row into canonical form; raises BadRecord as ``read``."""
    values = dict(table.blank)
    for column in table.columns:
        value = row.get(column.name)
        if value is not None:
            values[column.name] = read(column, value)
    return values


def write(column: Column, value: Any, names: Names) -> Any:  # noqa: ANN401
    """Bring a canonical value into the form that a push holds; raises BadRecord when the cloud would not take it."""
    return None if value is None else _FORMS[column.kind].write(column, value, names)


def normalise(column: Column, value: Any) -> Any:  # noqa: ANN401
    """Return what the cloud stores of a canonical value."""
    return _FORMS[column.kind].normalise(column, value)


def is_uuid(value: object) -> bool:
    """Whether the cloud would take it as an id."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def uuid(table: str, column: str, value: str) -> str:
    """Return a uuid in lower case, because clinics are compared as text (CLOUD.md 4.2); raises BadRecord for others."""
    if not is_uuid(value):
        raise BadRecord(Code.NOT_A_UUID.of(table=table, column=column))
    return value.lower()


def iso(ms: float) -> str | None:
    """Return ISO text: a number before 2001-09-09 would be taken for seconds (CLOUD.md 4.2)."""
    try:
        moment = _EPOCH + timedelta(milliseconds=ms)
    except (OverflowError, ValueError):
        return None
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def _write_same(_column: Column, value: Any, _names: Names) -> Any:  # noqa: ANN401
    return value


def _normalise_same(_column: Column, value: Any) -> Any:  # noqa: ANN401
    return value


# Text and ids


def _read_text(_column: Column, value: Any) -> str:  # noqa: ANN401
    return value if isinstance(value, str) else _encode(value).decode()


def _write_text(column: Column, value: str, names: Names) -> str | None:
    if not column.refers_to:
        return value
    return uuid(column.table, column.name, names.get(value, value)) if value else None


def _normalise_text(column: Column, value: str | None) -> str | None:
    if not value:
        return None
    return str(value).lower() if column.refers_to else value


# JSON


def _read_json(_column: Column, value: Any) -> str:  # noqa: ANN401
    return _encode(value).decode()


def _write_json(column: Column, value: object, _names: Names) -> Any:  # noqa: ANN401
    return _nested(column, value)


def _nested(column: Column, value: object) -> Any:  # noqa: ANN401
    """Unwrap JSON text into what the cloud stores: an object or an array, never text or null (CLOUD.md 4.2)."""
    array = column.kind is ColumnKind.LIST
    inner = codec.unwrapped(value)
    if inner is None or inner == "":
        return [] if array else {}
    if isinstance(inner, list if array else dict) or (column.name == "form_data" and isinstance(inner, dict)):
        return inner
    return [inner] if array else ({} if inner == [] else {"value": inner})


# Times and days


def _read_moment(column: Column, value: object) -> int:
    return (_moment(column, value) - _EPOCH) // timedelta(milliseconds=1)


def _write_moment(column: Column, value: float, _names: Names) -> str | None:
    return iso(value) if value or column.optional else None


def _normalise_moment(column: Column, value: float | None) -> float | None:
    return value if value or column.optional else None


def _read_date(column: Column, value: object) -> str:
    return _day(column, value).isoformat()


def _write_date(column: Column, value: str, _names: Names) -> str | None:
    day = _day_of_text(value)
    if value and day is None:
        raise BadRecord(Code.NOT_A_DATE.of(table=column.table, column=column.name))
    return day


def _normalise_date(_column: Column, value: object) -> str | None:
    return _day_of_text(value)


def _read_day(column: Column, value: object) -> int:
    return (_day(column, value) - _EPOCH.date()).days * _DAY_MS


def _write_day(column: Column, value: float, _names: Names) -> str | None:
    return _normalise_day(column, value)


def _normalise_day(_column: Column, value: float | None) -> str | None:
    return _day_of_ms(value) if value else None


def _moment(column: Column, value: object) -> datetime:
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    raise _wrong(column, Form.TIME, value)


def _day(column: Column, value: object) -> date:
    """Read a DATE: a midnight in the server's own zone, whichever that is (CLOUD.md 0)."""
    return (_moment(column, value) + _HALF_DAY).astimezone(UTC).date()


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


# Numbers and flags


def _read_number(column: Column, value: object) -> int | float:
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


def _write_int(column: Column, value: float, _names: Names) -> int | None:
    return _normalise_int(column, value)


def _normalise_int(_column: Column, value: float | None) -> int | None:
    """Round to what an integer column takes; a fraction fails there (CLOUD.md 4.2)."""
    if value is None or isinstance(value, int):
        return value
    return math.floor(value + 0.5) if math.isfinite(value) else None


def _normalise_number(column: Column, value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    if column.table == "patient_additional_attributes":
        return value or None  # 0 becomes null (CLOUD.md 6)
    return float(Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP))


def _read_flag(_column: Column, value: object) -> bool:
    return value.lower() in _YES if isinstance(value, str) else bool(value)


def _write_flag(column: Column, value: object, _names: Names) -> object:
    """Return the text where false and 0 become null, which it does not (CLOUD.md 6)."""
    return "false" if column.optional and value is False else value


def _wrong(column: Column, wanted: Form, value: object) -> BadRecord:
    found = Form.of(value)
    return BadRecord(Code.WRONG_TYPE.of(table=column.table, column=column.name, wanted=wanted, found=found))


_JSON = ValueForm(_read_json, _write_json, _nested)
_FORMS: Mapping[ColumnKind, ValueForm] = MappingProxyType(
    {
        ColumnKind.TEXT: ValueForm(_read_text, _write_text, _normalise_text),
        ColumnKind.LIST: _JSON,
        ColumnKind.OBJECT: _JSON,
        ColumnKind.MOMENT: ValueForm(_read_moment, _write_moment, _normalise_moment),
        ColumnKind.DATE: ValueForm(_read_date, _write_date, _normalise_date),
        ColumnKind.DAY: ValueForm(_read_day, _write_day, _normalise_day),
        ColumnKind.INT: ValueForm(_read_number, _write_int, _normalise_int),
        ColumnKind.NUMBER: ValueForm(_read_number, _write_same, _normalise_number),
        ColumnKind.FLAG: ValueForm(_read_flag, _write_flag, _normalise_same),
    }
)
