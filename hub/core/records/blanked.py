"""Writes what takes the place of a record on a phone whose user may not see it any more (S5).

A deleted row can never come back on a phone, and takes an edit along that was not sent yet; its content stays on the
disk. A row that is blank shows nothing and holds nothing, keeps the columns that were edited there and sends them, and
is filled again when its user may see it again (PROTOCOL.md "Pull").
"""

from functools import cache
from typing import Any

import msgspec

from hub.core.records.table import ColumnKind, Table

_JSON = {ColumnKind.LIST: "[]", ColumnKind.OBJECT: "{}"}


class _Row(msgspec.Struct):
    id: str


def text(table: Table, data: bytes) -> bytes:
    """Return the JSON of a record without all but its id; data: its own JSON."""
    row_id = msgspec.json.decode(data, type=_Row).id
    return b'{"id":' + msgspec.json.encode(row_id) + _columns(table)


@cache
def _columns(table: Table) -> bytes:
    values = {column.name: _blank(column.kind, column.empty) for column in table.columns}
    return b"," + msgspec.json.encode(values)[1:]


def _blank(kind: ColumnKind, empty: Any) -> Any:  # noqa: ANN401  text, number, flag or nothing
    if kind in {ColumnKind.TEXT, ColumnKind.DATE}:
        return ""  # not null: the app shows a patient whose clinic is null to everybody, and one of '' to nobody
    return _JSON.get(kind, empty)
