"""Finds in a pull's answer, as it arrives, the rows and deletions of each table, and what cannot be read of it."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import msgspec

from hub.core.errors import Unreadable
from hub.core.lone_surrogates import mended
from hub.core.reasons import Code, Reason
from hub.core.records.codec import RECORD_BYTES
from hub.core.records.tables import TABLES
from hub.services.relay.body import Body
from hub.services.relay.json_stream import JsonStream, NotJson, OutOfBounds

LEVELS = 64
"""How deep a row may be nested: as deep as a phone's, and its text within text."""
_VALUES_MAX = 250_000
"""In one row. Each takes up to 60 bytes of memory, of which an answer needs two."""
_LISTS = frozenset({"created", "updated", "deleted"})
NAMED = "named"
"""The part of a piece that says only that a table of a later app is there."""
_ENDS = frozenset({"success", "timestamp"})
_ID = re.compile(rb'"id"\s*:\s*"([0-9A-Za-z-]{1,64})"')
_HEAD_BYTES = 64 * 1024
"""Where a row that is not read is looked at for its id."""

_decode = msgspec.json.Decoder().decode


class BadRow(NamedTuple):
    """A row that the hub does not take in; the cloud has it still. ``id`` is empty where it is not found."""

    id: str
    code: Code
    limit: int = 0

    def reason(self, table: str) -> Reason:
        """Return why."""
        limit = {"limit": self.limit} if self.limit else {}
        return self.code.of(table=table, **limit)


class Piece(NamedTuple):
    """A value of the answer and its place: ("patients", "created") for a row, ("timestamp", "") at the top."""

    table: str
    part: str
    value: Any


def pieces(body: Body) -> Iterator[Piece]:
    """Return the values of an answer as they arrive; raises Unreadable for what is no whole JSON object."""
    stream = JsonStream(body.read, value_bytes=RECORD_BYTES, levels=LEVELS)
    try:
        stream.begin()
        for name in stream.members():
            if name == "changes":
                yield from _changes(stream)
            elif name in _ENDS:
                yield Piece(name, "", _value(stream))
            else:
                stream.skip()
        stream.end()
    except NotJson:
        raise Unreadable("the cloud's answer to a pull ends early or is no JSON") from None


def _changes(stream: JsonStream) -> Iterator[Piece]:
    for table in stream.members():
        if table in TABLES and TABLES[table].is_next:
            yield Piece(table, NAMED, None)
        for part in stream.members():
            if part not in _LISTS:
                stream.skip()
                continue
            for _ in stream.items():
                yield Piece(table, part, _value(stream))


def _value(stream: JsonStream) -> Any:  # noqa: ANN401  any JSON
    """Read a value, or say why it is none that the hub takes."""
    try:
        raw = stream.value()
    except OutOfBounds as error:
        code, limit = (Code.TOO_NESTED, LEVELS) if error.is_deep else (Code.TOO_LARGE, RECORD_BYTES)
        return BadRow(_id(error.head), code, limit)
    if raw.count(b",") > _VALUES_MAX:
        return BadRow(_id(raw), Code.TOO_LARGE, RECORD_BYTES)
    try:
        return _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _mended(raw)


def _mended(raw: bytes) -> Any:  # noqa: ANN401  any JSON
    """Read a value once more without its halves of characters, which a cloud in JavaScript may send."""
    try:
        return _decode(mended(raw))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return BadRow(_id(raw), Code.NOT_JSON)


def _id(head: bytes) -> str:
    found = _ID.search(head, 0, _HEAD_BYTES)
    return found[1].decode() if found else ""
