"""Brings a value of the wrong type into the type of its column, where nothing is lost by it."""

import math
import re

import msgspec

from hub.core.errors import BadRecord
from hub.core.reasons import Code, Form
from hub.core.records import dates
from hub.core.records.table import Column, ColumnKind

LEVELS = 32
"""How deep a value may be nested: whatever reads it later, the cloud too, must be able to."""

_WHOLE_MAX = 2**63
_WHOLE = re.compile(r"-?\d{1,15}")
_LEAST_DIGITS = 9
"""Fewer digits are a date, or nobody knows what: as milliseconds they would be a moment of January 1970."""
_TRUE = frozenset({1, "1", "true", "t", "yes"})
_FALSE = frozenset({0, "0", "false", "f", "no", ""})

_encode = msgspec.json.Encoder().encode


def fit(column: Column, value: object) -> object:
    """Bring a value of the wrong type into the column's type where nothing is lost by it; raises BadRecord."""
    if value is None:
        return column.empty
    if column.phone_type == "string":
        return _fit_text(column, value)
    return _fit_flag(column, value) if column.kind is ColumnKind.FLAG else _fit_number(column, value)


def moment_ms(text: str) -> int:
    """Read a moment: epoch ms, a date, or ISO 8601, in UTC unless it says otherwise; raises ValueError."""
    said = dates.plain(text)
    is_ms = _WHOLE.fullmatch(said) and (len(said) >= _LEAST_DIGITS or not int(said))
    return int(said) if is_ms else dates.moment_ms(said)


def check_levels(table: str, column: str, value: object, levels: int = LEVELS) -> None:
    """Raise BadRecord for what is nested deeper than ``levels``."""
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise BadRecord(Code.TOO_DEEP.of(table=table, column=column, limit=LEVELS))
    for inner in value.values() if isinstance(value, dict) else value:
        check_levels(table, column, inner, levels - 1)


def _fit_text(column: Column, value: object) -> str:
    if isinstance(value, str):
        return value
    if column.is_json:
        check_levels(column.table, column.name, value)
        return _encode(value).decode()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _wrong_type(column, Form.TEXT, value)


def _fit_flag(column: Column, value: object) -> bool:
    if isinstance(value, bool):
        return value
    said = value.strip().lower() if isinstance(value, str) else value
    if isinstance(said, str | int | float) and said in _TRUE | _FALSE:
        return said in _TRUE
    raise _wrong_type(column, Form.FLAG, value)


def _fit_number(column: Column, value: object) -> int | float:
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return _finite(column, value)
    if isinstance(value, str) and column.kind in {ColumnKind.MOMENT, ColumnKind.DAY}:
        try:
            return moment_ms(value)
        except ValueError:
            raise _wrong_type(column, Form.TIME, value) from None
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            number = math.nan
        if math.isfinite(number):
            return number
    raise _wrong_type(column, Form.NUMBER, value)


def _finite(column: Column, value: float) -> float:
    """Return a number as a phone holds it; a whole one of hundreds of digits is none."""
    try:
        return value if abs(value) < _WHOLE_MAX else float(value)
    except OverflowError:
        raise BadRecord(Code.TOO_GREAT.of(table=column.table, column=column.name)) from None


def _wrong_type(column: Column, wanted: Form, value: object) -> BadRecord:
    found = Form.of(value)
    return BadRecord(Code.WRONG_TYPE.of(table=column.table, column=column.name, wanted=wanted, found=found))
