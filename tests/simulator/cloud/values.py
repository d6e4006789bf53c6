"""Turns a pushed JSON value into the one that is stored, or refuses it, by its column's rules (CLOUD.md 4.2)."""

import datetime as dt
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, TypeAlias

import msgspec

from tests.simulator.cloud.columns import Column, Default, Garbage, Kind, Odd, Put, Shape, Table
from tests.simulator.cloud.instants import Clock, FarOff, Unreadable, day, instant


class Refused(Exception):
    """The cloud answers 500: a value, a reference or a body that it cannot take."""


@dataclass(frozen=True, slots=True)
class Json:
    """A value for a JSON column; ``Json(None)`` is JSON's null, which is not SQL's."""

    value: object


Value: TypeAlias = str | int | float | bool | dt.datetime | dt.date | Decimal | Json | None

_MISSING: Final = object()
_UUID = re.compile(r"(\{)?[0-9a-f]{4}(-?[0-9a-f]{4}){7}(?(1)\}|)", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"\s*[+-]?\d+\s*", re.ASCII)
_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*", re.ASCII | re.IGNORECASE)
_NO_NUMBERS = frozenset({"nan", "infinity", "-infinity"})
_TRUE = frozenset({"true", "t", "yes", "y", "on", "1"})
_FALSE = frozenset({"false", "f", "no", "n", "off", "0"})


class _Garbage(Exception):
    """A value that its column's kind cannot read."""


def stored(column: Column, record: Mapping[str, object], clock: Clock) -> Value:
    """Return what ``column`` holds after ``record`` was pushed; a column left out becomes its default."""
    given = record.get(column.name, _MISSING)
    if given is _MISSING or given in column.void:
        return default(column, clock)
    if given is None:
        if Odd.NULL in column.odd:
            raise _refusal(column)
        return default(column, clock) if column.lax else None
    try:
        return _read(column, given, clock)
    except _Garbage:
        if column.garbage is Garbage.REFUSED:
            raise _refusal(column) from None
        return clock.now if column.garbage is Garbage.NOW else default(column, clock)


def default(column: Column, clock: Clock) -> Value:
    """Return what ``column`` holds when nobody gives a value."""
    match column.default:
        case Default.NOW:
            return clock.now
        case Default.RANDOM:
            return str(uuid.uuid4())
        case None:
            return None
        case str() | int() | float() as value:
            return value
        case value:
            return Json(value)


def row(table: Table, record: Mapping[str, object], clock: Clock) -> dict[str, Value]:
    """Return all columns of a row as ``record`` gives them, whoever may write them."""
    return {column.name: stored(column, record, clock) for column in table.columns}


def inserted(column: Column, record: Mapping[str, object], clock: Clock) -> Value:
    """Return what a push of ``record`` writes into ``column`` of a new row."""
    return _put(column, column.insert, record, clock)


def updated(column: Column, record: Mapping[str, object], clock: Clock) -> Value:
    """Return what a push of ``record`` writes into ``column`` of a row that is there."""
    return _put(column, column.update, record, clock)


def is_uuid(value: object) -> bool:
    """Return whether ``value`` is the text of a uuid, in any form that PostgreSQL takes; the nil one is none."""
    return isinstance(value, str) and _UUID.fullmatch(value) is not None and uuid.UUID(value).int != 0


def _put(column: Column, put: Put, record: Mapping[str, object], clock: Clock) -> Value:
    match put:
        case Put.NOW:
            return clock.now
        case Put.DEFAULT:
            return default(column, clock)
        case Put.GIVEN | Put.GIVEN_IF_ANY | Put.KEEP:
            return stored(column, record, clock)


def _refusal(column: Column) -> Refused:
    return Refused(f"{column.name}: not a value for {column.kind.name.lower()}")


def _read(column: Column, given: object, clock: Clock) -> Value:  # noqa: PLR0911  one line for each kind
    match column.kind:
        case Kind.UUID:
            return _uuid(given)
        case Kind.TEXT:
            return _text(given, column.size)
        case Kind.TS:
            return _ts(column, given, clock)
        case Kind.DATE:
            return _day(column, given, clock)
        case Kind.NUMERIC:
            return _numeric(given, column)
        case Kind.INT:
            return _integer(given, column.size)
        case Kind.FLOAT:
            return _float(given)
        case Kind.BOOL:
            return _bool(given)
        case Kind.JSON:
            return _json(given, column)


def _ts(column: Column, given: object, clock: Clock) -> Value:
    try:
        return instant(given, clock) or default(column, clock)
    except FarOff:
        return clock.now
    except Unreadable:
        raise _Garbage from None


def _uuid(given: object) -> str:
    if not is_uuid(given):
        raise _Garbage
    return str(uuid.UUID(str(given)))


def _day(column: Column, given: object, clock: Clock) -> Value:
    if isinstance(given, str) and not _NUMBER.fullmatch(given):
        try:
            return day(given)
        except Unreadable:
            raise _Garbage from None
    moment = _ts(column, given, clock)
    # The UTC day, even though pulls speak of the server's own: CLOUD.md 0, the day-shift trap.
    return moment.astimezone(dt.UTC).date() if isinstance(moment, dt.datetime) else moment


def _text(given: object, longest: int) -> str:
    text = given if isinstance(given, str) else _javascript_text(given)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")  # half an emoji is taken
    if "\0" in text or (longest and len(text) > longest):
        raise _Garbage
    return text


def _javascript_text(given: object) -> str:
    if isinstance(given, float) and given.is_integer():
        return str(int(given))
    if isinstance(given, list):
        return "{" + ",".join(msgspec.json.encode(str(item)).decode() for item in given) + "}"  # an array of SQL
    return msgspec.json.encode(given).decode()


def _number(given: object) -> Decimal:
    if isinstance(given, bool) or not isinstance(given, int | float | str) or not _NUMBER.fullmatch(str(given)):
        raise _Garbage
    return Decimal(str(given).strip())


def _numeric(given: object, column: Column) -> Decimal:
    if isinstance(given, str) and given.strip().lower() == "nan":
        return Decimal("NaN")
    number, bound = _number(given), Decimal(10) ** (column.size - column.scale)
    if abs(number) >= bound:
        raise _Garbage
    number = number.quantize(Decimal(1).scaleb(-column.scale), ROUND_HALF_UP)
    if abs(number) == bound:
        raise _Garbage
    return number


def _integer(given: object, bits: int) -> int:
    if isinstance(given, str) and not _INTEGER.fullmatch(given):
        raise _Garbage
    number = _number(given)
    if number != number.to_integral_value() or not -(2 ** (bits - 1)) <= number < 2 ** (bits - 1):
        raise _Garbage
    return int(number)


def _float(given: object) -> float | None:
    if isinstance(given, str) and given.strip().lower() in _NO_NUMBERS:
        return None  # so it is in JSON
    number = float(_number(given))
    if math.isinf(number):
        raise _Garbage
    return number


def _bool(given: object) -> bool:
    word = given.strip().lower() if isinstance(given, str) else given
    if word is True or word == 1 or word in _TRUE:
        return True
    if word is False or word == 0 or word in _FALSE:
        return False
    raise _Garbage


def _json(given: object, column: Column) -> Json:
    value, is_text = given, isinstance(given, str)
    if isinstance(given, str):
        try:
            value = msgspec.json.decode(given)
        except msgspec.DecodeError:
            return _odd_json(column, Odd.BROKEN_TEXT)
        if value is None:
            return _odd_json(column, Odd.NULL_TEXT, Json(None))
    if _is_unfit(value):
        raise _Garbage
    if isinstance(value, list) and Odd.ARRAY in column.odd and not is_text:
        return _odd_json(column, Odd.ARRAY)
    if isinstance(value, list) and column.shape is Shape.OBJECT:
        return _odd_json(column, Odd.ARRAY_TEXT, Json(_sorted(value))) if is_text else _odd_json(column, Odd.ARRAY)
    if isinstance(value, dict) and column.shape is Shape.ARRAY:
        return Json(column.default)
    return Json(_sorted(value)) if isinstance(value, dict | list) else Json(column.default)


def _odd_json(column: Column, odd: Odd, usual: Json | None = None) -> Json:
    if odd in column.odd:
        raise _Garbage
    return usual or Json(column.default)


def _is_unfit(value: object) -> bool:
    """Whether jsonb refuses it: NUL, and half a character."""
    try:
        return "\\u0000" in msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return True


def _sorted(value: object) -> object:
    """Order keys as PostgreSQL's jsonb does, shorter ones first, and write 1.0 as JavaScript does, on SQLite too."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: (len(key.encode()), key.encode()))
        return {key: _sorted(value[key]) for key in keys}
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return [_sorted(item) for item in value] if isinstance(value, list) else value
