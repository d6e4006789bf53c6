"""Turns what a phone pushed into the canonical form of a record, and back into JSON.

The canonical form is the phone's: every column of its table, in the schema's order and exact types, then the
columns that the hub has never heard of, which travel on untouched (P8).
"""

import hashlib
import math
from collections.abc import Mapping
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from hub.core.errors import BadRecord
from hub.core.reasons import Code
from hub.core.records import column_types, folding, ids
from hub.core.records.table import Table

ID_CHARS = 255
UNKNOWN_COLUMNS = 100
RECORD_BYTES = 16 * 1024 * 1024
CHANGED_CHARS = 65_536
"""A list of changed columns; 100 unknown ones with long names fit in."""

_SORT_MAX = 2**53

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
    untouched: bool = False
    """It is new on the phone, where nobody edited it."""
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
    record, folded = _built(table, values, zone)
    return Pushed(
        record=record,
        changed=_changed_columns(table, changed) if changed else (),
        synced=status == "synced",
        untouched=status == "created" and not changed,
        renamed="id" in folded,
        folded=not folded.keys() <= table.days.keys() | {"id"} if folded else False,
    )


def build(table: Table, values: dict[str, Any], zone: tzinfo = UTC) -> Record:
    """Bring column values into canonical form; missing ones become what the phone would put in.

    zone: the clinic's, in which phones pick days.
    """
    return _built(table, values, zone)[0]


def write(record: Record) -> tuple[str, int | None]:
    """Write a record as JSON text; with it where the phone's part ends, None if all of it is.

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
    cut = None if record.row.IS_NEXT else len(known) - 1
    return (known[:-1] + "," + extra[1:], cut) if extra else (known, None)


def stored(table: Table, data: str, cut: int | None) -> Record:
    """Read a record that ``write`` wrote."""
    extra = _decode("{" + data[cut + 1 :]) if cut is not None else {}
    if table.is_next:
        extra = {name: value for name, value in _decode(data).items() if name not in table.names}
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


def _built(table: Table, values: dict[str, Any], zone: tzinfo) -> tuple[Record, Mapping[str, Any]]:
    """Return a record in canonical form, and which of its values had another one."""
    folded = folding.folded(table, values, zone)
    if folded:
        values = {**values, **folded}
    if not _is_id(values.get("id")):
        raise BadRecord(Code.INVALID_ID.of(table=table.name, limit=ID_CHARS))
    extra = {} if values.keys() <= table.names else _extra(table, values)
    try:
        return Record(msgspec.convert(values, table.shape), extra), folded
    except msgspec.ValidationError:
        known = [column for column in table.columns if column.name in values]
        fitted = {column.name: column_types.fit(column, values[column.name]) for column in known}
        return Record(msgspec.convert({**fitted, "id": values["id"]}, table.shape), extra), folded


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= ID_CHARS and "\0" not in value and value != ids.NIL


def _extra(table: Table, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the columns that the hub has never heard of."""
    extra = {name: value for name, value in values.items() if name not in table.names and name[:1] != "_"}
    if len(extra) > UNKNOWN_COLUMNS:
        raise BadRecord(Code.TOO_MANY_COLUMNS.of(table=table.name, limit=UNKNOWN_COLUMNS))
    for name, value in extra.items():
        column_types.check_levels(table.name, name, value)
    return extra


def _changed_columns(table: Table, value: object) -> tuple[str, ...]:
    if not isinstance(value, str) or not value:
        return ()
    if len(value) > CHANGED_CHARS:
        raise BadRecord(Code.TOO_MANY_CHANGES.of(table=table.name, limit=CHANGED_CHARS))
    return tuple(dict.fromkeys(name for name in (part.strip() for part in value.split(",")) if name))
