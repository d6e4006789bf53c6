"""Rows of the travelling tables."""

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import chain
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core.records import codec, merge
from hub.core.records.codec import Record
from hub.core.records.merge import History, Stamp, Version
from hub.core.records.push_decision import Add, Parent
from hub.core.records.table import Cascade, Table
from hub.core.records.tables import TABLES
from hub.store.database import Transaction
from hub.store.records import former_clinics, unsearched

HUB = merge.HUB
"""The number that stands for the hub and the cloud where a device's would stand."""

CHUNK = 500
"""How many records are handled at a time: bounds memory, and few enough for one query's list of ids."""

_AT_A_TIME = (CHUNK, 50, 1)
"""How many are inserted by one statement: with each SQLite writes out what it indexed for the search of patients."""

_NAMED = "SELECT value FROM json_each(?) WHERE " + " OR ".join(
    f"EXISTS (SELECT 1 FROM [{table.name}] WHERE patient_id = value)" for table in TABLES.values() if table.patient
)

_history = msgspec.json.Decoder(History).decode


class Kept(msgspec.Struct, frozen=True):
    """A stored row: record number, hub times, and the text that ``version`` reads."""

    num: int
    created: int
    deleted: int | None
    origin: int
    device: int
    cut: int | None
    data: str
    history: str | None
    author: str | None = None


def put(tx: Transaction, table: Table, record: Record) -> None:
    """Store a record made on this hub, new or changed as a whole; every phone will get it."""
    kept = find(tx.db, table, [record.id]).get(record.id)
    data, cut = codec.write(record)
    if kept is None:
        add(tx, table, [Add(record, data, cut)], device=HUB)
    elif kept.data != data:
        change(tx, table, kept, record, device=HUB, history=whole(record, tx.now_ms))


def whole(record: Record, revision: int) -> History:
    """Return the history of a record that the hub or the cloud just set as a whole."""
    return History(Stamp(record.row.updated_at, revision, HUB))


def set_here(history: History, column: str, record: Record, revision: int) -> History:
    """Return the history of a record of which the hub just set a column."""
    stamp = Stamp(record.row.updated_at, revision, HUB)
    return History(history.base, {**history.columns, column: stamp}, history.pushed)


def patients_of(db: Database, clinic_id: str) -> Iterator[list[str]]:
    """Return the ids of a clinic's live patients, a chunk at a time."""
    rows = db.execute(
        "SELECT id FROM patients WHERE primary_clinic_id = ? AND local_server_deleted_at IS NULL", [clinic_id]
    ).fetchall()
    for start in range(0, len(rows), CHUNK):
        yield [row[0] for row in rows[start : start + CHUNK]]


def find(db: Database, table: Table, ids: Sequence[str]) -> dict[str, Kept]:
    """Return the stored rows of these ids, deleted ones too."""
    author = "author" if table.is_authored else "NULL"
    rows = db.execute(
        "SELECT id, num, local_server_created_at, local_server_deleted_at, origin, device, cut, data, history,"
        f" {author} FROM [{table.name}] WHERE id IN (SELECT value FROM json_each(?))",
        [msgspec.json.encode(ids).decode()],
    )
    return {row[0]: Kept(*row[1:]) for row in rows}


def version(table: Table, kept: Kept) -> Version:
    """Read a stored row as what merging works on."""
    record = codec.stored(table, kept.data, kept.cut)
    if kept.history:
        return Version(record, _history(kept.history), kept.author)
    # Never merged: it is as its origin pushed it, so its text is the edit that came last.
    stamp = Stamp(record.row.updated_at, kept.created, kept.origin)
    pushed = {str(kept.origin): codec.fingerprint(kept.data)} if kept.origin else {}
    return Version(record, History(stamp, {}, pushed), kept.author)


def parents(db: Database, table: Table, ids: Iterable[str]) -> dict[str, Parent]:
    """Return what must be known of the records that others name; those that are not there are left out."""
    clinic, patient = ("primary_clinic_id", "NULL") if table.name == "patients" else ("NULL", "patient_id")
    rows = db.execute(
        f"SELECT id, {clinic}, local_server_deleted_at IS NOT NULL, author, {patient} FROM [{table.name}]"
        " WHERE id IN (SELECT value FROM json_each(?))",
        [msgspec.json.encode(sorted(ids)).decode()],
    )
    return {row[0]: Parent(row[1], bool(row[2]), row[3], row[4]) for row in rows}


def next_num(tx: Transaction, table: Table) -> int:
    """Return the first record number that is free."""
    return int(tx.db.execute(f"SELECT coalesce(max(num), 0) + 1 FROM [{table.name}]").fetchone()[0])


def add(tx: Transaction, table: Table, rows: Sequence[Add], *, device: int) -> range:
    """Add new records; returns their numbers, in order."""
    first = next_num(tx, table)
    nums = range(first, first + len(rows))
    if table.name == "patients" and len(rows) >= unsearched.MANY:
        unsearched.put_off(tx, nums)
    values = [_values(table, num, row, tx.now_ms, device) for num, row in zip(nums, rows, strict=True)]
    start = 0
    for count in _AT_A_TIME:
        while start + count <= len(values):
            tx.db.conn.execute(_insert(table, count), list(chain.from_iterable(values[start : start + count])))
            start += count
    if table.name == "patients":
        _note_moves(tx, _named_already(tx.db, [row.record.id for row in rows]))
    return nums


def change(tx: Transaction, table: Table, kept: Kept, record: Record, *, device: int, history: History) -> None:
    """Replace a stored record; ``device`` holds just this, HUB if nobody does."""
    data, cut = codec.write(record)
    keys = "".join(f", [{key}] = ?" for key in table.keys)
    tx.db.execute(
        f"UPDATE [{table.name}] SET made_ms = ?, local_server_last_modified = ?, device = ?, cut = ?, data = ?,"
        f" history = ?{keys} WHERE num = ?",
        [
            record.sort_ms(),
            tx.now_ms,
            device,
            cut,
            data,
            msgspec.json.encode(history).decode(),
            *[record.text(key) for key in table.keys],
            kept.num,
        ],
    )
    if table.name == "patients" and record.text("primary_clinic_id") != (left := _clinic(table, kept)):
        _note_moves(tx, [record.id])
        former_clinics.note(tx, record.id, left)


def remember(tx: Transaction, table: Table, num: int, history: History) -> None:
    """Keep the history of a record that an edit did not change; no phone needs to hear of it."""
    kept = msgspec.json.encode(history).decode()
    tx.db.execute(f"UPDATE [{table.name}] SET history = ? WHERE num = ?", [kept, num])


def annotate(tx: Transaction, table: Table, kept: Kept, record: Record) -> None:
    """Replace a stored record by one that is the same to every phone: none need hear of it."""
    data, cut = codec.write(record)
    tx.db.execute(f"UPDATE [{table.name}] SET data = ?, cut = ? WHERE num = ?", [data, cut, kept.num])


def held_by(tx: Transaction, table: Table, num: int, device: int) -> None:
    """Note that a device has just what was stored in this transaction; HUB: nobody has it."""
    tx.db.execute(
        f"UPDATE [{table.name}] SET device = ? WHERE num = ? AND local_server_last_modified = ?",
        [device, num, tx.now_ms],
    )


def delete(tx: Transaction, table: Table, nums: Iterable[int]) -> None:
    """Make tombstones of live records; every phone will be told, also the one that asked for it (P4)."""
    tx.db.conn.executemany(
        f"UPDATE [{table.name}] SET local_server_deleted_at = ?, local_server_last_modified = ?, device = {HUB}"
        " WHERE num = ? AND local_server_deleted_at IS NULL",
        [(tx.now_ms, tx.now_ms, num) for num in nums],
    )


def bring_back(tx: Transaction, table: Table, nums: Iterable[int]) -> None:
    """Make live records of tombstones; every phone will get them."""
    tx.db.conn.executemany(
        f"UPDATE [{table.name}] SET local_server_deleted_at = NULL, local_server_last_modified = ?, device = {HUB}"
        " WHERE num = ?",
        [(tx.now_ms, num) for num in nums],
    )


def live_children(db: Database, table: Table, column: Cascade, parents: Sequence[str]) -> list[tuple[int, str]]:
    """Find the live records whose ``column`` names one of these parents: their numbers and ids."""
    rows = db.execute(
        f"SELECT num, id FROM [{table.name}] WHERE [{column.value}] IN (SELECT value FROM json_each(?))"
        " AND local_server_deleted_at IS NULL",
        [msgspec.json.encode(parents).decode()],
    )
    return rows.fetchall()


def live(db: Database, table: Table) -> list[tuple[int, str]]:
    """Return number and id of the live records of a table."""
    return db.execute(f"SELECT num, id FROM [{table.name}] WHERE local_server_deleted_at IS NULL").fetchall()


def live_ids(db: Database, table: Table, ids: Iterable[str]) -> set[str]:
    """Return which of these ids are live records."""
    rows = db.execute(
        f"SELECT id FROM [{table.name}] WHERE id IN (SELECT value FROM json_each(?))"
        " AND local_server_deleted_at IS NULL",
        [msgspec.json.encode(sorted(ids)).decode()],
    )
    return {row[0] for row in rows}


def by_num(db: Database, table: Table, nums: Iterable[int]) -> dict[int, Record]:
    """Return records by their numbers."""
    rows = db.execute(
        f"SELECT num, data, cut FROM [{table.name}] WHERE num IN (SELECT value FROM json_each(?))",
        [msgspec.json.encode(list(nums)).decode()],
    )
    return {num: codec.stored(table, data, cut) for num, data, cut in rows.fetchall()}


def count(db: Database, table: Table) -> int:
    """Count the live records of a table, in its indexes alone: asked for the live ones, SQLite reads every row."""
    deleted = f"SELECT count(*) FROM [{table.name}] WHERE local_server_deleted_at IS NOT NULL"
    return int(db.execute(f"SELECT count(*) - ({deleted}) FROM [{table.name}]").fetchone()[0])


def _note_moves(tx: Transaction, patient_ids: Iterable[str]) -> None:
    """Note that others may see the records of these patients from now on: every ledger looks at them again (S9)."""
    tx.db.conn.executemany(
        "INSERT OR REPLACE INTO moves (patient_id, revision) VALUES (?, ?)",
        [(patient_id, tx.now_ms) for patient_id in patient_ids],
    )


def _named_already(db: Database, patient_ids: Sequence[str]) -> list[str]:
    """Return those new patients whose records came before them, and were their authors' alone."""
    return [row[0] for row in db.execute(_NAMED, [msgspec.json.encode(patient_ids).decode()])]


def _clinic(table: Table, kept: Kept) -> str | None:
    return codec.stored(table, kept.data, kept.cut).text("primary_clinic_id")


def _values(table: Table, num: int, new: Add, revision: int, device: int) -> list[Any]:
    record = new.record
    return [
        num,
        record.id,
        record.sort_ms(),
        revision,
        revision,
        revision if new.is_deleted else None,
        HUB if new.renamed else device,
        # A tombstone is due to everyone, also to whoever brought it.
        HUB if new.is_deleted or new.renamed or new.folded else device,
        new.cut,
        *[record.text(key) for key in table.keys],
        *([new.author] if table.is_authored else []),
        new.data,
        msgspec.json.encode(new.history).decode() if new.history else None,
    ]


@cache
def _insert(table: Table, count: int) -> str:
    keys: list[Any] = [f"[{key}]" for key in table.keys]
    columns = [
        *("num", "id", "made_ms", "local_server_created_at", "local_server_last_modified"),
        *("local_server_deleted_at", "origin", "device", "cut", *keys),
        *(*(["author"] if table.is_authored else []), "data", "history"),
    ]
    row = f"({', '.join('?' * len(columns))})"
    return f"INSERT INTO [{table.name}] ({', '.join(columns)}) VALUES {', '.join([row] * count)}"
