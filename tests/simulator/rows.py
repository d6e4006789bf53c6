"""Makes rows of the phone's database: every column of the schema, each in its exact type.

A value of another type is silently replaced by '' / 0 / false, or by null in an optional column
(PROTOCOL.md "What the phone makes of a value").
"""

from collections.abc import Callable
from typing import Any

from hub.core.records.tables import PHONE_TABLES
from tests.simulator import javascript

Value = str | int | float | bool | None
Row = dict[str, Value]
Values = dict[str, Value]
"""Columns that a user or the app sets."""

Raw = dict[str, Any]
"""A record as it came over the network: anything may stand in it."""


def complete(table: str, raw: Raw, *, row_id: str, status: str, changed: str = "") -> Row:
    """Return the whole row for ``raw``: missing columns blank, unknown ones dropped."""
    row: Row = {"id": row_id, "_status": status, "_changed": changed}
    get = raw.get
    for name, fit, blank in _COLUMNS[table]:
        row[name] = fit(get(name), blank)
    return row


def fitted(table: str, column: str, value: object) -> Value:
    """Return ``value`` as ``column`` takes it; KeyError for a column that the schema has not."""
    _, fit, blank = _BY_NAME[table][column]
    return fit(value, blank)


def has(table: str, column: str) -> bool:
    """Return whether the schema has this column."""
    return column in _BY_NAME[table]


def _text(value: object, blank: Value) -> Value:
    return value if isinstance(value, str) else blank


def _number(value: object, blank: Value) -> Value:
    figure = javascript.number(value)
    return blank if figure is None else figure


def _flag(value: object, blank: Value) -> Value:
    if isinstance(value, bool):
        return value
    return bool(value) if isinstance(value, int | float) and value in {0, 1} else blank


_Fit = Callable[[object, Value], Value]
_FITS: dict[str, _Fit] = {"string": _text, "number": _number, "boolean": _flag}
_COLUMNS: dict[str, tuple[tuple[str, _Fit, Value], ...]] = {
    table.name: tuple((column.name, _FITS[column.phone_type], column.empty) for column in table.columns)
    for table in PHONE_TABLES.values()
}
_BY_NAME = {table: {column[0]: column for column in columns} for table, columns in _COLUMNS.items()}
