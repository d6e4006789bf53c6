"""Brings what has several forms into one: ids, dates and days, and JSON with halves of characters in it."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from functools import cache
from typing import Any, NamedTuple

from hub.core.records import dates, ids, json_text
from hub.core.records.table import Column, ColumnKind, Table

_LINE_CHARS = len(ids.NIL) + 1
_USUAL_LINES = "\n".join([ids.NIL] * 64).encode()
_NIL = ids.NIL.encode()
_DIGITS_AS_0 = bytes.maketrans(b"123456789abcdef", b"0" * 15)


def folded(table: Table, values: Mapping[str, Any], zone: tzinfo) -> dict[str, Any]:
    """Return the columns that have another form, with their values in the usual one; mostly there are none.

    zone: the clinic's, in which phones pick days.
    """
    forms = _forms(table)
    found: dict[str, Any] = {}
    if not are_usual([value for name in forms.ids if (value := values.get(name))]):
        found |= {name: _id(table.by_name.get(name), values.get(name)) for name in forms.ids}
    for name in forms.json:
        value = values.get(name)
        if isinstance(value, str) and "\\u" in value:
            found[name] = json_text.mended(value)
    for name in forms.dates:
        value = values.get(name)
        if value and isinstance(value, str) and not dates.is_folded(value):
            found[name] = dates.folded(value)
    for name in forms.days:
        value = values.get(name)
        if isinstance(value, str):
            found[name] = _day(value, zone)
    return {name: value for name, value in found.items() if value != values.get(name)} if found else found


def are_usual(texts: Sequence[Any]) -> bool:
    """Whether all of these are uuids in their usual form and name somebody: one look, since nearly always they are."""
    try:
        lines = "\n".join(texts).encode()
    except (TypeError, UnicodeEncodeError):  # not all are texts
        return False
    is_whole = (len(lines) + 1) % _LINE_CHARS == 0
    return is_whole and _USUAL_LINES.startswith(lines.translate(_DIGITS_AS_0)) and _NIL not in lines


class _Forms(NamedTuple):
    """The columns of a table that have forms, by kind."""

    ids: tuple[str, ...]
    json: tuple[str, ...]
    dates: tuple[str, ...]
    days: tuple[str, ...]


@cache
def _forms(table: Table) -> _Forms:
    return _Forms(
        ids=("id", *table.references),
        json=tuple(column.name for column in table.columns if column.is_json),
        dates=tuple(column.name for column in table.columns if column.kind is ColumnKind.DATE),
        days=tuple(column.name for column in table.columns if column.kind is ColumnKind.DAY),
    )


def _id(column: Column | None, value: object) -> object:
    """Return an id in its usual form, and the column's way of naming nobody."""
    if not isinstance(value, str) or not value:
        return value
    return column.empty if column and ids.is_nobody(value) else ids.canonical(value)


def _day(text: str, zone: tzinfo) -> object:
    """Return a moment of a day that is text; the text itself where it is none, or a moment."""
    try:
        day = dates.day_of_text(text, zone)
    except (OverflowError, ValueError):
        return text
    return text if day is None else day
