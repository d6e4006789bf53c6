"""Reads a page of what a phone is owed: what it needs first, first, up to a budget of bytes (P6)."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from pyroaring import BitMap
from sqlite_utils import Database

from hub.core.records.tables import TABLES, Rank, Table
from hub.store.phones.ledger import Delivered, Doubt, Ledger, Sheet

_FEW = 4096
"""Up to so many owed records are sorted; more are read along the index of made_ms, from where the last page ended."""
_FETCH = 256

_LIMITS = (None, None, None, 512, 64, 8)
"""How many records a page may carry after so many answers that the phone did not confirm.

A phone may be unable to store a page: too large for its memory, or a record in it that its user deleted there,
which fails the whole sync for good (PROTOCOL.md "Pull"). Smaller pages get the rest through.
"""
_DOUBT = 9
"""After so many, the one record left is sent as ``updated``, which a phone that deleted it ignores (ledger.Doubt)."""


class Page(msgspec.Struct):
    """One answer in the making: per table the JSON of its three lists, and what the ledger must know."""

    parts: dict[str, tuple[list[bytes], list[bytes], list[bytes]]]
    delivered: dict[str, Delivered]
    records: int = 0
    size_bytes: int = 0
    doubt: Doubt | None = None
    retry: bool = False
    """It carries a doubtful record alone, as ``created``."""

    def json(self, timestamp: float) -> bytes:
        """Write the answer."""
        pieces: list[bytes] = [b'{"changes":{']
        for index, (name, lists) in enumerate(self.parts.items()):
            pieces.append(b',"%b":{"created":[' % name.encode() if index else b'"%b":{"created":[' % name.encode())
            pieces.append(b",".join(lists[0]))
            pieces.append(b'],"updated":[')
            pieces.append(b",".join(lists[1]))
            pieces.append(b'],"deleted":[')
            pieces.append(b",".join(lists[2]))
            pieces.append(b"]}")
        pieces.append(b'},"timestamp":%b}' % msgspec.json.encode(timestamp))
        return b"".join(pieces)


def read(db: Database, ledger: Ledger, *, budget_bytes: int, hidden: frozenset[str], now_ms: int) -> Page:
    """Read a page in the ledger's view.

    budget_bytes: for the JSON; one record always fits. hidden: clinics whose patients the user may not see;
    their records are moved to the ledger's ``hidden``.
    """
    doubt = ledger.due(db, now_ms)
    page = Page({}, {}, doubt=doubt, retry=doubt is not None)
    limit = _LIMITS[ledger.attempts] if ledger.attempts < len(_LIMITS) else 1
    reader = _Reader(db, page, budget_bytes, limit, hidden if _any_patient(db, hidden) else frozenset())
    if doubt:
        alone = Sheet()
        alone.owed = BitMap([doubt.num])
        reader.table(TABLES[doubt.table_name], alone, doubtful=False)
        if page.records:
            return page
        page.doubt, page.retry = None, False
    for name, table in TABLES.items():
        sheet = ledger.sheets[name]
        if sheet.owed and not reader.full():
            reader.table(table, sheet, doubtful=ledger.attempts >= _DOUBT)
    return page


class _Reader:
    """Fills a page until its budget or limit is reached."""

    def __init__(self, db: Database, page: Page, budget: int, limit: int | None, hidden: frozenset[str]) -> None:
        self._db = db
        self._page = page
        self._budget = budget
        self._limit = limit
        self._hidden = hidden

    def full(self) -> bool:
        page = self._page
        return page.size_bytes >= self._budget or (self._limit is not None and page.records >= self._limit)

    def table(self, table: Table, sheet: Sheet, *, doubtful: bool) -> None:
        created: list[bytes] = []
        updated: list[bytes] = []
        deleted: list[bytes] = []
        taken = BitMap()
        frontier = sheet.frontier
        rows = self._few(table, sheet.owed) if len(sheet.owed) <= _FEW else self._many(table, sheet)
        for num, made_ms, is_deleted, clinic, data in rows:
            if clinic in self._hidden and not is_deleted:
                sheet.owed.remove(num)
                sheet.hidden.add(num)
                continue
            if self._page.records and (self.full() or self._page.size_bytes + len(data) > self._budget):
                break
            if is_deleted:
                deleted.append(data)
            elif num in sheet.held:
                updated.append(data)
            elif doubtful:
                updated.append(data)
                self._page.doubt = Doubt(table.name, num)
            else:
                created.append(data)
            taken.add(num)
            frontier = made_ms
            self._page.records += 1
            self._page.size_bytes += len(data) + 1
        if taken:
            self._page.parts[table.name] = (created, updated, deleted)
            left = len(sheet.owed) - len(taken)
            self._page.delivered[table.name] = Delivered(taken, frontier if left else None)

    def _few(self, table: Table, owed: BitMap) -> Iterator[tuple[Any, ...]]:
        nums = msgspec.json.encode(owed.to_array().tolist()).decode()
        order = self._db.execute(
            f"SELECT num FROM [{table.name}] WHERE num IN (SELECT value FROM json_each(?)) ORDER BY {_order(table)}",
            [nums],
        ).fetchall()
        owed &= BitMap([row[0] for row in order])
        for start in range(0, len(order), _FETCH):
            chunk = msgspec.json.encode([row[0] for row in order[start : start + _FETCH]]).decode()
            yield from self._db.execute(
                f"SELECT {self._columns(table)} FROM json_each(?) AS wanted CROSS JOIN [{table.name}] AS t"
                f" ON t.num = wanted.value {self._join(table)}",
                [chunk],
            )

    def _many(self, table: Table, sheet: Sheet) -> Iterator[tuple[Any, ...]]:
        """Read along the index, from the frontier down, then what is left above it."""
        wanted = sheet.owed.copy()
        self._db.conn.create_function("is_owed", 1, wanted.__contains__)
        bounds: Iterable[int | None] = (sheet.frontier, None) if sheet.frontier is not None else (None,)
        for bound in bounds:
            below = "" if bound is None else "t.made_ms <= :bound AND"
            for row in self._db.execute(
                f"SELECT {self._columns(table)} FROM [{table.name}] AS t {self._join(table)}"
                f" WHERE {below} is_owed(t.num) ORDER BY t.made_ms DESC",
                {"bound": bound},
            ):
                wanted.discard(row[0])
                yield row
        sheet.owed -= wanted

    def _columns(self, table: Table) -> str:
        clinic = "NULL"
        if self._hidden and table.name == "patients":
            clinic = "t.primary_clinic_id"
        elif self._hidden and table.patient:
            clinic = "patient.primary_clinic_id"
        return (
            f"t.num, t.made_ms, t.local_server_deleted_at IS NOT NULL, {clinic},"
            " CASE WHEN t.local_server_deleted_at IS NOT NULL THEN CAST(json_object('id', t.id) AS BLOB)"
            " WHEN t.cut IS NULL THEN CAST(t.data AS BLOB)"
            " ELSE CAST(substr(t.data, 1, t.cut) || '}' AS BLOB) END"
        )

    def _join(self, table: Table) -> str:
        if not self._hidden or not table.patient:
            return ""
        return "LEFT JOIN patients AS patient ON patient.id = t.patient_id"


def _order(table: Table) -> str:
    return "num" if table.rank is Rank.REFERENCE else "made_ms DESC, num DESC"


def _any_patient(db: Database, clinics: frozenset[str]) -> bool:
    wanted = msgspec.json.encode(sorted(clinics)).decode()
    return bool(
        clinics
        and db.execute(
            "SELECT 1 FROM patients WHERE primary_clinic_id IN (SELECT value FROM json_each(?)) LIMIT 1", [wanted]
        ).fetchone()
    )
