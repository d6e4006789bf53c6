"""What an entry of the copy journal holds: the rows that transactions changed, as they are after them.

An entry replaces rows: first all of its ``keys`` are gone, then its ``rows`` are there. So replaying it twice, or
replaying one that covers it, changes nothing; the order of the entries alone decides.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import msgspec

from hub.core.errors import OperatorError

Value: TypeAlias = int | float | str | bytes | None
Key: TypeAlias = tuple[Value, ...]
"""The values of a table's primary key, in its order."""
Changed: TypeAlias = Mapping[str, list[Key]]
"""By table: the rows that were inserted, changed or deleted."""


class Noted(NamedTuple):
    """A transaction: its number, and which rows it changed."""

    seq: int
    changed: dict[str, list[Key]]


class Rows(msgspec.Struct, frozen=True, array_like=True):
    """Rows of one table: the names of the columns, and their values as SQLite has them."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]


class Part(msgspec.Struct, frozen=True, array_like=True):
    """A part of an entry; the parts of one entry are applied together."""

    keys: dict[str, list[tuple[Any, ...]]] = {}
    """Rows that go before any row of this entry comes."""
    rows: dict[str, Rows] = {}
    files: dict[str, bytes] = {}
    """Files beside the database, whole, by their names in a backup."""


class EncodedRows(msgspec.Struct, array_like=True):
    """``Rows`` that are encoded as they come: of a large table nothing else has to be kept."""

    columns: tuple[str, ...]
    rows: list[msgspec.Raw]

    def add(self, row: Sequence[Value]) -> int:
        """Encode another row; returns its bytes."""
        raw = msgspec.msgpack.encode(row)
        self.rows.append(msgspec.Raw(raw))
        return len(raw)


class EncodedPart(msgspec.Struct, frozen=True, array_like=True):
    """A ``Part`` of encoded rows."""

    keys: Mapping[str, Sequence[Key]]
    rows: Mapping[str, EncodedRows]


_part = msgspec.msgpack.Decoder(Part)
_changed = msgspec.msgpack.Decoder(dict[str, list[tuple[Any, ...]]])


def encode(part: Part | EncodedPart) -> bytes:
    """Write a part."""
    return msgspec.msgpack.encode(part)


def decode(raw: bytes) -> Part:
    """Read a part; raises OperatorError for what this hub did not write, and cannot know."""
    try:
        return _part.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise OperatorError("the copy was written by a newer hub; update this one first") from error


def encode_changed(changed: Changed) -> bytes:
    """Write which rows were changed."""
    return msgspec.msgpack.encode(changed)


def decode_changed(raw: bytes) -> dict[str, list[Key]]:
    """Read which rows were changed."""
    return _changed.decode(raw)


def united(changes: list[Changed]) -> dict[str, list[Key]]:
    """Return which rows some transactions changed together, each once."""
    found: dict[str, dict[Key, None]] = {}
    for changed in changes:
        for table, keys in changed.items():
            found.setdefault(table, {}).update(dict.fromkeys(keys))
    return {table: list(keys) for table, keys in found.items()}
