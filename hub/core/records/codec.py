"""Turns what a phone pushed into the canonical form of a record, and back into JSON.

The canonical form is the phone's: every column of its table, in the schema's order and exact types, then the
columns that the hub has never heard of, which travel on untouched (P8).
"""

import hashlib
import math
import re
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from hub.core.errors import BadRecord
from hub.core.lone_surrogates import mended_text
from hub.core.reasons import Code, Form
from hub.core.records import dates, ids
from hub.core.records.table import JSON_KINDS, Column, ColumnKind, Table

ID_CHARS = 255
UNKNOWN_COLUMNS = 100
RECORD_BYTES = 16 * 1024 * 1024
CHANGED_CHARS = 65_536
"""A list of changed columns; 100 unknown ones with long names fit in."""
LEVELS = 32
"""How deep a value may be nested: whatever reads it later, the cloud too, must be able to."""
LAYERS = 4
"""How often JSON may be wrapped in JSON text; the app wraps twice (PROTOCOL.md "sync_push")."""

_SORT_MAX = 2**53
_WHOLE_MAX = 2**63
_WHOLE = re.compile(r"-?\d{1,15}")
_TRUE = frozenset({1, "1", "true", "t", "yes"})
_FALSE = frozenset({0, "0", "false", "f", "no", ""})

_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


class Record(msgspec.Struct, frozen=True):
    """A record in canonical form: ``row`` is the table's shape, ``extra`` the unknown columns."""

    row: Any
    extra: dict[str, Any]

    @property
    def table(self) -> str:
        """Return the name of the record's table."""
        return str(self.row.TABLE)

    @property
    def id(self) -> str:
        """Return the record's id."""
        return str(self.row.id)

    def get(self, column: str) -> Any:  # noqa: ANN401  a column may hold any JSON
        """Return a column's value, known or unknown; None where there is none."""
        return getattr(self.row, column) if column in self.row.__struct_fields__ else self.extra.get(column)

    def has(self, column: str) -> bool:
        """Return whether there is such a column; phones may name any text in ``_changed``, ``__class__`` too."""
        return column in self.row.__struct_fields__ or column in self.extra

    def text(self, column: str | None) -> str | None:
        """Return a column that names another record; None where it names none."""
        return (getattr(self.row, column, None) or None) if column else None

    def values(self) -> dict[str, Any]:
        """Return all columns."""
        return {**msgspec.structs.asdict(self.row), **self.extra}

    def sort_ms(self) -> int:
        """Return when it was made, for ordering alone, held to what any database takes."""
        made = self.row.created_at
        return int(min(max(made, -_SORT_MAX), _SORT_MAX)) if math.isfinite(made) else 0


class Pushed(msgspec.Struct, frozen=True):
    """A record as a phone pushed it; without ``changed`` it stands for the whole record."""

    record: Record
    changed: tuple[str, ...]
    synced: bool
    """The phone itself says that it has nothing new in it (a forced upload)."""
    renamed: bool = False
    """The phone holds it under another form of its id: under this one it has nothing."""
    folded: bool = False
    """The phone holds references or dates in other forms."""


def read(table: Table, raw: bytes | memoryview | msgspec.Raw, zone: tzinfo = UTC) -> Pushed:
    """Read one pushed record; zone: the clinic's.

    Raises BadRecord when it is no object, has no usable id, or a column holds what its type cannot.
    """
    if len(memoryview(raw)) > RECORD_BYTES:
        raise BadRecord(Code.TOO_LARGE.of(table=table.name, limit=RECORD_BYTES))
    try:
        values = _decode(raw)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeDecodeError, RecursionError):
        raise BadRecord(Code.NOT_JSON.of(table=table.name)) from None
    if not isinstance(values, dict):
        raise BadRecord(Code.NOT_AN_OBJECT.of(table=table.name))
    status = values.pop("_status", None)
    changed = values.pop("_changed", None)
    record = build(table, values, zone)
    return Pushed(
        record=record,
        changed=_changed_columns(table, changed),
        synced=status == "synced",
        renamed=record.row.id != values["id"],
        folded=any(
            isinstance(values.get(name), str) and getattr(record.row, name) != values[name] for name in table.folded
        ),
    )


def build(table: Table, values: dict[str, Any], zone: tzinfo = UTC) -> Record:
    """Bring column values into canonical form; missing ones become what the phone would put in.

    zone: the clinic's, in which phones pick days.
    """
    _check_id(table, values.get("id"))
    values = _folded(table, values, zone)
    extra: dict[str, Any] = {}
    if not values.keys() <= table.names:
        extra = {name: value for name, value in values.items() if name not in table.names and name[:1] != "_"}
        if len(extra) > UNKNOWN_COLUMNS:
            raise BadRecord(Code.TOO_MANY_COLUMNS.of(table=table.name, limit=UNKNOWN_COLUMNS))
        for name, value in extra.items():
            _check_levels(table.name, name, value)
    try:
        return Record(msgspec.convert(values, table.shape), extra)
    except msgspec.ValidationError:
        fitted = {column.name: _fit(column, values[column.name]) for column in table.columns if column.name in values}
        return Record(msgspec.convert({**fitted, "id": values["id"]}, table.shape), extra)


def write(record: Record) -> tuple[str, int | None]:
    """Write a record as JSON text; with it where the phone's part ends, None if there is nothing else.

    The phone's part is ``data[:cut] + "}"``: a pull can cut it out without reading the JSON. Raises BadRecord when it
    has grown, edit by edit, beyond its bound.
    """
    try:
        known = _encode(record.row).decode()
        extra = _encode(record.extra).decode() if record.extra else ""
    except (OverflowError, UnicodeEncodeError, RecursionError):
        raise BadRecord(Code.NOT_WRITABLE.of(table=record.table)) from None
    if len(known) + len(extra) > RECORD_BYTES:
        raise BadRecord(Code.TOO_LARGE.of(table=record.table, limit=RECORD_BYTES))
    return (known[:-1] + "," + extra[1:], len(known) - 1) if extra else (known, None)


def stored(table: Table, data: str, cut: int | None) -> Record:
    """Read a record that ``write`` wrote."""
    extra = _decode("{" + data[cut + 1 :]) if cut is not None else {}
    return Record(msgspec.json.decode(data, type=table.shape), extra)


def replaced(table: Table, record: Record, values: Mapping[str, Any]) -> Record:
    """Return ``record`` with some columns, known or unknown, set anew; raises BadRecord for too many unknown ones."""
    known = {name: value for name, value in values.items() if name in table.names}
    unknown = {name: value for name, value in values.items() if name not in table.names}
    row = msgspec.structs.replace(record.row, **known) if known else record.row
    extra = {**record.extra, **unknown} if unknown else record.extra
    if len(extra) > max(UNKNOWN_COLUMNS, len(record.extra)):
        raise BadRecord(Code.TOO_MANY_COLUMNS.of(table=table.name, limit=UNKNOWN_COLUMNS))
    return Record(row, extra)


def digest(pushed: Pushed, data: str) -> int:
    """Return the fingerprint of an edit (64 bit): the same edit sent again has the same one."""
    if not pushed.changed:
        return fingerprint(data)
    return fingerprint(_encode([(name, pushed.record.get(name)) for name in sorted(pushed.changed)]).decode())


def fingerprint(text: str) -> int:
    """Return a signed 64-bit fingerprint, as SQLite's INTEGER holds it."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), signed=True)


def moment_ms(text: str) -> int:
    """Read a moment: digits are epoch ms, the rest is ISO 8601, in UTC unless it says otherwise; raises ValueError."""
    said = dates.plain(text)
    return int(said) if _WHOLE.fullmatch(said) else dates.moment_ms(said)


def unwrapped(value: object) -> object:
    """Return the JSON in a text, however often it was written as text again; what is no JSON stays as it is.

    Half an emoji in it, at whatever depth, is mended: it makes no text of what is JSON.
    """
    for _ in range(LAYERS):
        if not isinstance(value, str):
            return value
        try:
            value = _decode(mended_text(value))
        except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
            return value
    return value


def mended_json(text: str, layers: int = LAYERS) -> str:
    """Return JSON text in which half an emoji is mended at every depth at which it was written as text again."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    text = mended_text(text)
    try:
        inner = _decode(text) if layers > 1 and text.lstrip()[:1] == '"' else None
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return text
    whole = mended_json(inner, layers - 1) if isinstance(inner, str) else inner
    return text if whole == inner else _encode(whole).decode()


def _folded(table: Table, values: dict[str, Any], zone: tzinfo) -> dict[str, Any]:
    """Bring what has several forms into one: ids, dates and days, and JSON with halves of characters in it."""
    found = {}
    for name, column in table.folded.items():
        value = values.get(name)
        if isinstance(value, str) and value:
            folded = _folded_text(column, value)
            if folded is not value:
                found[name] = folded
    for name in table.days:
        value = values.get(name)
        day = _day_of_text(value, zone) if isinstance(value, str) else None
        if day is not None:
            found[name] = day
    record_id = ids.canonical(values["id"])
    return values if not found and record_id is values["id"] else {**values, **found, "id": record_id}


def _folded_text(column: Column, value: str) -> object:
    if column.kind in JSON_KINDS:
        return mended_json(value)
    if column.kind is ColumnKind.DATE:
        return dates.folded(value)
    named = ids.canonical(value)
    return column.empty if named == ids.NIL else named


def _day_of_text(text: str, zone: tzinfo) -> float | None:
    """Return a moment of a day that is text; None for what is none, or a moment itself."""
    try:
        return dates.day_of_text(text, zone)
    except (OverflowError, ValueError):
        return None


def _check_id(table: Table, value: object) -> None:
    if not isinstance(value, str) or not 0 < len(value) <= ID_CHARS or "\0" in value or ids.canonical(value) == ids.NIL:
        raise BadRecord(Code.INVALID_ID.of(table=table.name, limit=ID_CHARS))


def _check_levels(table: str, column: str, value: object, levels: int = LEVELS) -> None:
    if not isinstance(value, dict | list):
        return
    if levels == 0:
        raise BadRecord(Code.TOO_DEEP.of(table=table, column=column, limit=LEVELS))
    for inner in value.values() if isinstance(value, dict) else value:
        _check_levels(table, column, inner, levels - 1)


def _changed_columns(table: Table, value: object) -> tuple[str, ...]:
    if not isinstance(value, str) or not value:
        return ()
    if len(value) > CHANGED_CHARS:
        raise BadRecord(Code.TOO_MANY_CHANGES.of(table=table.name, limit=CHANGED_CHARS))
    return tuple(dict.fromkeys(name for name in (part.strip() for part in value.split(",")) if name))


def _fit(column: Column, value: object) -> object:
    """Bring a value of the wrong type into the column's type where nothing is lost by it."""
    if value is None:
        return column.empty
    if column.phone_type == "string":
        return _fit_text(column, value)
    return _fit_flag(column, value) if column.kind is ColumnKind.FLAG else _fit_number(column, value)


def _fit_text(column: Column, value: object) -> str:
    if isinstance(value, str):
        return value
    if column.is_json:
        _check_levels(column.table, column.name, value)
        return _encode(value).decode()
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise _wrong_type(column, Form.TEXT, value)


def _fit_flag(column: Column, value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str | int) and value in _TRUE:
        return True
    if isinstance(value, str | int) and value in _FALSE:
        return False
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
