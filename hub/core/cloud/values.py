"""Converts single values to and from the cloud's forms, by the kind of their column (CLOUD.md 0, 4.2, 6).

Times are ISO text there, dates midnights of the server's own zone, NUMERIC is text, JSON is nested.
"""

import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

import msgspec

from hub.core.cloud import limits
from hub.core.cloud.tables import KEEPING
from hub.core.errors import BadRecord
from hub.core.reasons import Code, Form, no_date, no_time
from hub.core.records import dates, ids, json_text
from hub.core.records.table import Column, ColumnKind, Table

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = (1850, 2120)  # CLOUD.md 4.2
_LONG_NUMBER = re.compile(r"\d{16}")
_ATTRIBUTES = "patient_additional_attributes"
MADE = "created_at"
"""The time that matters to nobody if a phone's clock was wrong: the cloud puts its own in its place."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_YES = frozenset({"true", "t", "yes", "1"})
_LONG = 2**63
"""A whole number of this size is a double, as on phones."""
_CENT = Decimal("0.01")
_NO_CENTS = 1e15
"""A double of this size has no hundredths."""

Names = Mapping[str, str]
"""Ids of users and clinics made on this hub -> their ids in the cloud."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


class ValueForm(NamedTuple):
    """How values of one kind of column stand in the cloud; only ``normalise`` takes null too."""

    read: Callable[[Column, Any, tzinfo], Any]
    """What the cloud sends -> the canonical value; raises BadRecord when the column's type cannot hold it."""
    write: Callable[[Column, Any, Names], Any]
    """The canonical value -> what a push holds; raises BadRecord when the cloud would not take it."""
    normalise: Callable[[Column, Any], Any]
    """The canonical value -> what of it the cloud stores; two that are equal here are one value to the cloud."""


def read(column: Column, value: Any, zone: tzinfo = UTC) -> Any:  # noqa: ANN401  any JSON, here and below
    """Bring a value of a pull into canonical form; raises BadRecord when the column's type cannot hold it.

    zone: the clinic's, in which phones show days.
    """
    return column.empty if value is None else _FORMS[column.kind].read(column, value, zone)


def read_columns(table: Table, row: Mapping[str, Any], zone: tzinfo = UTC) -> dict[str, Any]:
    """Bring the columns that the phone knows of a pulled row into canonical form; raises BadRecord as ``read``."""
    values = dict(table.blank)
    for column in table.columns:
        value = row.get(column.name)
        if value is not None:
            values[column.name] = read(column, value, zone)
    return values


def write(column: Column, value: Any, names: Names) -> Any:  # noqa: ANN401
    """Bring a canonical value into the form that a push holds; raises BadRecord when the cloud would not take it."""
    form = _FORMS[column.kind]
    written = None if value is None else form.write(column, value, names)
    limits.check(column, form.normalise(column, value) if column.kind is ColumnKind.NUMBER else written)
    return written


def normalise(column: Column, value: Any) -> Any:  # noqa: ANN401
    """Return what the cloud stores of a canonical value; of nothing, what it makes of nothing."""
    kept = _FORMS[column.kind].normalise(column, value)
    return KEEPING[column.table].defaults.get(column.name) if kept is None else kept


def was_zero(column: Column, ours: object, theirs: object) -> bool:
    """Whether the cloud may have made null of a 0: an older hub sent it as a number (CLOUD.md 7)."""
    return theirs is None and ours == 0 and column.kind is ColumnKind.NUMBER and column.table == _ATTRIBUTES


def is_uuid(value: object) -> bool:
    """Whether the cloud would take it as an id."""
    return isinstance(value, str) and ids.is_uuid(ids.canonical(value)) and ids.canonical(value) != ids.NIL


def uuid(table: str, column: str, value: str) -> str:
    """Return a uuid in lower case, because clinics are compared as text (CLOUD.md 4.2); raises BadRecord for others."""
    if not is_uuid(value):
        raise BadRecord(Code.NOT_A_UUID.of(table=table, column=column))
    return ids.canonical(value)


def iso(ms: float) -> str | None:
    """Return ISO text: a number before 2001-09-09 would be taken for seconds (CLOUD.md 4.2)."""
    try:
        moment = _EPOCH + timedelta(milliseconds=ms)
    except (OverflowError, ValueError):
        return None
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        return None
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def _normalise_same(_column: Column, value: Any) -> Any:  # noqa: ANN401
    return value


# Text and ids


def _read_text(column: Column, value: Any, _zone: tzinfo) -> str:  # noqa: ANN401
    if not isinstance(value, str):
        return _encode(value).decode()
    return ids.canonical(value) if column.refers_to else value


def _write_text(column: Column, value: str, names: Names) -> str | None:
    if not column.refers_to:
        return value
    return uuid(column.table, column.name, names.get(value, value)) if value else None


def _normalise_text(column: Column, value: str | None) -> str | None:
    if not value:
        return None
    return ids.canonical(value) if column.refers_to else value


# JSON


def _read_json(_column: Column, value: Any, _zone: tzinfo) -> str:  # noqa: ANN401
    return _encode(value).decode()


def _write_json(column: Column, value: object, _names: Names) -> Any:  # noqa: ANN401
    return _nested(column, value)


def _nested(column: Column, value: object) -> Any:  # noqa: ANN401
    """Unwrap JSON text into what the cloud stores: an object or an array, never text or null (CLOUD.md 4.2)."""
    array = column.kind is ColumnKind.LIST
    inner = json_text.unwrapped(value)
    if inner is None or inner == "":
        return [] if array else {}
    if isinstance(inner, list if array else dict) or (column.name == "form_data" and isinstance(inner, dict)):
        return inner
    return [inner] if array else ({} if inner == [] else {"value": inner})


def _normalise_json(column: Column, value: object) -> Any:  # noqa: ANN401
    """Return the JSON that is stored: numbers pass through JavaScript, which has doubles alone."""
    inner = _nested(column, value)
    return in_doubles(inner) if isinstance(value, str) and _LONG_NUMBER.search(value) else inner


def in_doubles(value: object) -> object:
    """Return JSON as JavaScript would write it again: whole numbers without a point, none longer than a double."""
    match value:
        case bool():
            return value
        case int() | float() if math.isfinite(value):
            number = float(value)
            return int(number) if number.is_integer() else number
        case dict():
            return {name: in_doubles(inner) for name, inner in value.items()}
        case list():
            return [in_doubles(inner) for inner in value]
        case _:
            return value


# Times and days


def _read_moment(column: Column, value: object, _zone: tzinfo) -> int:
    return (_moment(column, value) - _EPOCH) // timedelta(milliseconds=1)


def _write_moment(column: Column, value: float, _names: Names) -> str | None:
    """Write ISO text; null and what is out of range would become the present time (CLOUD.md 4.2)."""
    if value or column.optional:
        text = iso(value)
        if text is None and column.name != MADE:
            raise BadRecord(no_time(column.table, column.name, value))
        return text
    if column.name in KEEPING[column.table].now:
        raise BadRecord(Code.NO_TIME.of(table=column.table, column=column.name))
    return None


def _normalise_moment(column: Column, value: float | None) -> object:
    if value is None or not (value or column.optional):
        return None
    return math.floor(value) if math.isfinite(value) else value


def _read_date(column: Column, value: object, _zone: tzinfo) -> str:
    return _day(column, value).isoformat()


def _write_date(column: Column, value: str, _names: Names) -> str | None:
    day = _day_of_text(value)
    if value and day is None:
        raise BadRecord(no_date(column.table, column.name, value))
    return day


def _normalise_date(_column: Column, value: object) -> str | None:
    return _day_of_text(value)


def _read_day(column: Column, value: object, zone: tzinfo) -> int:
    return dates.start_ms(_day(column, value), zone)


def _write_day(column: Column, value: float, _names: Names) -> str | None:
    """Write a day as text, which the cloud stores as it is in every year (CLOUD.md 7)."""
    if not value and not column.optional:
        return None
    day = _day_of_ms(value)
    if day is None:
        raise BadRecord(no_time(column.table, column.name, value))
    return day


def _normalise_day(column: Column, value: float | None) -> str | None:
    return None if value is None or not (value or column.optional) else _day_of_ms(value)


def _moment(column: Column, value: object) -> datetime:
    try:
        if isinstance(value, str):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else found.replace(tzinfo=UTC)
    except ValueError:
        pass
    raise _wrong(column, Form.TIME, value)


def _day(column: Column, value: object) -> date:
    return dates.day_of_midnight(_moment(column, value))


def _day_of_text(value: object) -> str | None:
    """Return a day that stands as such: hub.core.records.dates finds those of other texts."""
    try:
        is_day = isinstance(value, str) and _DAY.fullmatch(value)
        return date.fromisoformat(str(value)).isoformat() if is_day else None
    except ValueError:
        return None


def _day_of_ms(value: float) -> str | None:
    """Return the calendar day of a moment in UTC: a form of a day that hub.core.records.dates found in the clinic's."""
    try:
        return (_EPOCH + timedelta(milliseconds=value)).date().isoformat()
    except (OverflowError, ValueError):
        return None


# Numbers and flags


def _read_number(column: Column, value: object, _zone: tzinfo) -> int | float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int) and abs(value) < _LONG:
        return value
    try:
        number = float(value) if isinstance(value, str | int | float | Decimal) else math.nan
    except (ValueError, OverflowError):
        number = math.nan
    if not math.isfinite(number):
        raise _wrong(column, Form.NUMBER, value)
    return int(number) if number.is_integer() and abs(number) < _LONG else number


def _write_int(column: Column, value: float, _names: Names) -> int:
    """Return a whole number; a fraction fails in the cloud (CLOUD.md 4.2), and nobody entered the rounded one."""
    if not float(value).is_integer():
        raise BadRecord(Code.NOT_WHOLE.of(table=column.table, column=column.name))
    return int(value)


def _normalise_int(_column: Column, value: float | None) -> int | None:
    """Round as hubs did that sent fractions."""
    if value is None or isinstance(value, int):
        return value
    return math.floor(value + 0.5) if math.isfinite(value) else None


def _normalise_number(column: Column, value: float | None) -> float | None:
    if value is None or not math.isfinite(value):
        return None
    if column.table == _ATTRIBUTES or abs(value) >= _NO_CENTS:
        return in_doubles(value)  # type: ignore[return-value]
    return float(Decimal(str(value)).quantize(_CENT, ROUND_HALF_UP)) + 0.0


def _write_number(column: Column, value: float, _names: Names) -> float | str:
    """Return 0 as text where the number becomes null, which the text does not (CLOUD.md 7)."""
    return "0" if value == 0 and column.table == _ATTRIBUTES else value


def _read_flag(_column: Column, value: object, _zone: tzinfo) -> bool:
    return value.lower() in _YES if isinstance(value, str) else bool(value)


def _write_flag(column: Column, value: object, _names: Names) -> object:
    """Return the text where false and 0 become null, which it does not (CLOUD.md 6)."""
    return "false" if column.optional and value is False else value


def _wrong(column: Column, wanted: Form, value: object) -> BadRecord:
    found = Form.of(value)
    return BadRecord(Code.WRONG_TYPE.of(table=column.table, column=column.name, wanted=wanted, found=found))


_JSON = ValueForm(_read_json, _write_json, _normalise_json)
_FORMS: Mapping[ColumnKind, ValueForm] = MappingProxyType(
    {
        ColumnKind.TEXT: ValueForm(_read_text, _write_text, _normalise_text),
        ColumnKind.LIST: _JSON,
        ColumnKind.OBJECT: _JSON,
        ColumnKind.MOMENT: ValueForm(_read_moment, _write_moment, _normalise_moment),
        ColumnKind.DATE: ValueForm(_read_date, _write_date, _normalise_date),
        ColumnKind.DAY: ValueForm(_read_day, _write_day, _normalise_day),
        ColumnKind.INT: ValueForm(_read_number, _write_int, _normalise_int),
        ColumnKind.NUMBER: ValueForm(_read_number, _write_number, _normalise_number),
        ColumnKind.FLAG: ValueForm(_read_flag, _write_flag, _normalise_same),
    }
)
