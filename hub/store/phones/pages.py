"""Reads the records that are due to a phone, as much of them as is taken (core.phone.pull_page)."""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core.phone.ledger import Sheet
from hub.core.phone.pull_page import Row
from hub.core.records.tables import Rank, Table
from hub.store.records import owners

_FEW = 4096
"""Up to so many due records are sorted; more are read along the index of made_ms, from where the last page ended."""
_FETCH = 256


class RowsDue:
    """Reads what is due in one view: of a table the newest first, of reference data in the order of its making."""

    def __init__(self, db: Database) -> None:
        """Read from one view."""
        self._db = db

    def __call__(self, table: Table, sheet: Sheet) -> Iterable[Row]:
        """Return the rows, each read when it is asked for."""
        rows = self._few(table, sheet) if len(sheet.due) <= _FEW else self._many(table, sheet)
        return chain.from_iterable(rows)

    def _few(self, table: Table, sheet: Sheet) -> Iterator[Iterable[Any]]:
        order = self._db.execute(
            f"SELECT num FROM [{table.name}] WHERE num IN (SELECT value FROM json_each(?)) ORDER BY {_order(table)}",
            [msgspec.json.encode(sheet.due.to_array().tolist()).decode()],
        ).fetchall()
        for start in range(0, len(order), _FETCH):
            chunk = msgspec.json.encode([row[0] for row in order[start : start + _FETCH]]).decode()
            yield self._db.execute(
                f"SELECT {_columns(table)} FROM json_each(?) AS wanted CROSS JOIN [{table.name}] AS t"
                f" ON t.num = wanted.value {owners.join(table)}",
                [chunk],
            )

    def _many(self, table: Table, sheet: Sheet) -> Iterator[Iterable[Any]]:
        """Read along the index, from the frontier down, then what is left above it."""
        self._db.conn.create_function("is_due", 1, sheet.due.__contains__)
        bounds = ("t.made_ms <= :frontier AND", "t.made_ms > :frontier AND") if sheet.frontier is not None else ("",)
        for bound in bounds:
            yield self._db.execute(
                f"SELECT {_columns(table)} FROM [{table.name}] AS t {owners.join(table)}"
                f" WHERE {bound} is_due(t.num) ORDER BY t.made_ms DESC",
                {"frontier": sheet.frontier},
            )


def _columns(table: Table) -> str:
    return (
        f"t.num, t.made_ms, t.local_server_deleted_at IS NOT NULL, {owners.columns(table)},"
        " CASE WHEN t.local_server_deleted_at IS NOT NULL THEN CAST(json_object('id', t.id) AS BLOB)"
        " WHEN t.cut IS NULL THEN CAST(t.data AS BLOB)"
        " ELSE CAST(substr(t.data, 1, t.cut) || '}' AS BLOB) END"
    )


def _order(table: Table) -> str:
    return "num" if table.rank is Rank.REFERENCE else "made_ms DESC, num DESC"
