"""Keeps the outbox: the records on their way to the cloud, and how far each is (hub.core.cloud.outbox)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core import reasons
from hub.core.cloud.outbox import PROOF_PULLS, TRIES, Entry, Key, OutboxRecord
from hub.core.cloud.tables import PUSHED
from hub.core.reasons import Code, Reason
from hub.core.records import codec
from hub.core.records.table import PushRule, Table
from hub.core.records.tables import NEXT_TABLES, TABLES
from hub.store import stored_reasons
from hub.store.cloud import connection
from hub.store.database import Transaction

# The states of core.cloud.outbox, for rows of ``outbox AS o``.
_ON_HOLD = "o.held IS o.revision"
_SENT = "o.sent IS o.revision"
_WAITING = "o.held IS NOT o.revision AND o.sent IS NOT o.revision"
_AMONG_SENT = "outbox AS o INDEXED BY outbox_sent"
_LATE = f"{_SENT} AND o.sent_pull <= :pulls - {PROOF_PULLS}"
_MISSED = f"{_LATE} AND o.tries >= {TRIES}"
_UNSHOWN = f"{_SENT} AND o.columns IS NOT NULL AND o.sent_pull < :pulls"
_NOT_REACHED = "o.columns IS NULL AND o.sent IS NULL"

_ENTRY = "o.revision, o.columns, o.sent, o.sent_pull, o.held, o.tries, o.reason, o.why, o.known"

NEVER = Entry(0)
"""Stands for a record that is not in the outbox, where one is sent for another's sake."""

_columns = msgspec.json.Decoder(frozenset[str]).decode
_known = msgspec.json.Decoder(dict[str, tuple[int, ...]]).decode


class Cause(msgspec.Struct, frozen=True):
    """Why some records of a table wait, or are on hold."""

    table: str
    reason: Reason
    on_hold: bool
    records: int


def entries(db: Database, table: Table, nums: Iterable[int], *, of: str = "outbox") -> dict[int, Entry]:
    """Return the entries of those of these records that are in the outbox.

    of: another table of the same shape.
    """
    rows = db.execute(
        f"SELECT o.num, {_ENTRY} FROM [{of}] AS o WHERE o.table_name = ? AND o.num IN (SELECT value FROM json_each(?))",
        [table.name, msgspec.json.encode(list(nums)).decode()],
    )
    return {row[0]: _entry(table.name, row[1:]) for row in rows.fetchall()}


def travels(db: Database, table: Table) -> bool:
    """Whether records of a table go to the cloud; those of a later app once the cloud shows that it has them."""
    return table.push is PushRule.RECORD and (not table.is_next or table.name in connection.takes(db))


def untaken(db: Database) -> dict[str, int]:
    """Count, by table, the records of a later app that the cloud does not take yet."""
    found = {}
    for table in NEXT_TABLES:
        if not travels(db, table):
            gone = f"SELECT count(*) FROM [{table.name}] WHERE local_server_deleted_at IS NOT NULL"
            last, deleted = db.execute(f"SELECT (SELECT max(num) FROM [{table.name}]), ({gone})").fetchone()
            found[table.name] = (last or 0) - deleted  # numbers are given without gaps
    return found


def put(tx: Transaction, table: Table, found: Mapping[int, Entry | None], *, into: str = "outbox") -> None:
    """Keep entries by record number; None takes one out. Tables that the cloud takes from nobody have none.

    into: another table of the same shape.
    """
    if not travels(tx.db, table):
        return
    remove(tx, table, [num for num, entry in found.items() if entry is None], of=into)
    tx.db.conn.executemany(
        f"INSERT INTO [{into}] (table_name, num, queued, revision, columns, sent, sent_pull, held, tries, reason,"
        " why, known)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (table_name, num) DO UPDATE SET"
        " revision = excluded.revision, columns = excluded.columns, sent = excluded.sent,"
        " sent_pull = excluded.sent_pull, held = excluded.held, tries = excluded.tries, reason = excluded.reason,"
        " why = excluded.why, known = excluded.known",
        [_row(table, num, entry) for num, entry in found.items() if entry is not None],
    )


def add_new(tx: Transaction, table: Table, nums: range) -> None:
    """Put records that were just added into the outbox, all in one statement."""
    if travels(tx.db, table):
        tx.db.execute(
            "INSERT INTO outbox (table_name, num, columns, revision, queued)"
            f" SELECT ?, num, NULL, ?, ? FROM [{table.name}] WHERE num BETWEEN ? AND ?",
            [table.name, tx.now_ms, tx.now_ms, nums.start, nums.stop - 1],
        )


def remove(tx: Transaction, table: Table, nums: Iterable[int], *, of: str = "outbox") -> int:
    """Take records out; returns how many were in."""
    gone = [(table.name, num) for num in nums]
    sql = f"DELETE FROM [{of}] WHERE table_name = ? AND num = ?"
    return tx.db.conn.executemany(sql, gone).rowcount if gone else 0


def waiting_records(
    db: Database, table: Table, *, after: int, until: int, deleted: bool, only_new: bool, most: int, most_bytes: int
) -> list[OutboxRecord]:
    """Return the next waiting records behind number ``after``, at least one if there is one.

    until: the revision up to which changes are looked at.
    deleted: tombstones, or else live records.
    """
    rows = db.execute(
        f"SELECT o.num, t.data, t.cut, s.updated_ms, {_ENTRY}"
        f" FROM outbox AS o CROSS JOIN [{table.name}] AS t ON t.num = o.num"
        " LEFT JOIN cloud_seen AS s ON s.table_name = o.table_name AND s.num = o.num"
        f" WHERE o.table_name = ? AND o.num > ? AND o.revision <= ? AND {_WAITING}"
        f" AND (o.columns IS NULL OR NOT ?) AND t.local_server_deleted_at IS {'NOT ' if deleted else ''}NULL"
        " ORDER BY o.num LIMIT ?",
        [table.name, after, until, only_new, most],
    )
    found: list[OutboxRecord] = []
    size = 0
    for num, data, cut, seen_ms, *columns in rows:
        found.append(OutboxRecord(table, num, _entry(table.name, columns), codec.stored(table, data, cut), seen_ms))
        size += len(data)
        if size >= most_bytes:
            break
    return found


def not_in_cloud_yet(db: Database, named: Mapping[Table, Iterable[str]]) -> set[Key]:
    """Return which of these live records the cloud does not have yet, as far as the hub knows."""
    found = set()
    for table, ids in named.items():
        rows = db.execute(
            f"SELECT t.id FROM [{table.name}] AS t CROSS JOIN outbox AS o ON o.table_name = ? AND o.num = t.num"
            f" WHERE t.id IN (SELECT value FROM json_each(?)) AND {_NOT_REACHED}"
            " AND t.local_server_deleted_at IS NULL",
            [table.name, msgspec.json.encode(sorted(ids)).decode()],
        )
        found |= {(table.name, row[0]) for row in rows}
    return found


def tombstones(db: Database, named: Mapping[Table, Iterable[str]]) -> list[OutboxRecord]:
    """Return which of these records are deleted, whether or not the cloud ever had them."""
    found = []
    for table, ids in named.items():
        rows = db.execute(
            f"SELECT num, data, cut FROM [{table.name}] WHERE id IN (SELECT value FROM json_each(?))"
            " AND local_server_deleted_at IS NOT NULL",
            [msgspec.json.encode(sorted(ids)).decode()],
        )
        found += [OutboxRecord(table, num, NEVER, codec.stored(table, data, cut)) for num, data, cut in rows]
    return found


def on_hold(db: Database) -> Iterator[tuple[Table, int, str]]:
    """Return table, number and id of every record that is on hold."""
    for table in PUSHED:
        rows = db.execute(
            f"SELECT o.num, t.id FROM outbox AS o CROSS JOIN [{table.name}] AS t ON t.num = o.num"
            f" WHERE o.table_name = ? AND {_ON_HOLD}",
            [table.name],
        )
        yield from ((table, num, record_id) for num, record_id in rows.fetchall())


def any_late(db: Database, pulls: int) -> bool:
    """Whether anything ought to have been in the last pulls and was not."""
    states = _states(db)
    if not states["sent"] + states["held"]:
        return False
    return db.execute(f"SELECT 1 FROM outbox AS o WHERE {_LATE} LIMIT 1", {"pulls": pulls}).fetchone() is not None


def waiting_tables(db: Database) -> frozenset[str]:
    """Name the tables of which records wait; of each one record is enough to know it."""
    if not _states(db)["waiting"]:
        return frozenset()
    waits = f"SELECT 1 FROM outbox AS o WHERE o.table_name = ? AND {_WAITING} LIMIT 1"
    return frozenset(table.name for table in PUSHED if db.execute(waits, [table.name]).fetchone())


def late(db: Database, table: Table, pulls: int) -> Iterator[tuple[int, Entry, bool]]:
    """Return what ought to have been in the last pulls and was not: number, entry, and whether it is a tombstone."""
    rows = db.execute(
        f"SELECT o.num, t.local_server_deleted_at IS NOT NULL, {_ENTRY} FROM {_AMONG_SENT} CROSS JOIN [{table.name}]"
        f" AS t ON t.num = o.num WHERE o.table_name = :table AND {_LATE}",
        {"table": table.name, "pulls": pulls},
    )
    yield from ((row[0], _entry(table.name, row[2:]), bool(row[1])) for row in rows.fetchall())


def has_unshown(db: Database, pulls: int) -> bool:
    """Whether an edit was sent, and is in none of the pulls since."""
    return bool(db.execute(f"SELECT 1 FROM outbox AS o WHERE {_UNSHOWN} LIMIT 1", {"pulls": pulls}).fetchone())


def unshown(db: Database, pulls: int) -> Iterator[OutboxRecord]:
    """Return the live records whose edits were sent, and are in none of the pulls since."""
    for table in PUSHED:
        rows = db.execute(
            f"SELECT o.num, t.data, t.cut, {_ENTRY} FROM {_AMONG_SENT} CROSS JOIN [{table.name}] AS t ON t.num = o.num"
            f" WHERE o.table_name = :table AND {_UNSHOWN} AND t.local_server_deleted_at IS NULL",
            {"table": table.name, "pulls": pulls},
        )
        for num, data, cut, *columns in rows.fetchall():
            yield OutboxRecord(table, num, _entry(table.name, columns), codec.stored(table, data, cut))


def missed(db: Database, pulls: int) -> Iterator[OutboxRecord]:
    """Return what the cloud said success to and does not show, up to a hundred of each table."""
    for table in PUSHED:
        rows = db.execute(
            f"SELECT o.num, t.data, t.cut, {_ENTRY} FROM {_AMONG_SENT} CROSS JOIN [{table.name}] AS t ON t.num = o.num"
            f" WHERE o.table_name = :table AND {_MISSED} LIMIT 100",
            {"table": table.name, "pulls": pulls},
        )
        for num, data, cut, *columns in rows.fetchall():
            yield OutboxRecord(table, num, _entry(table.name, columns), codec.stored(table, data, cut))


def unlisted(db: Database) -> Iterator[OutboxRecord]:
    """Return what is on hold and not in quarantine, which was full then; up to a hundred of each table."""
    for table in PUSHED:
        rows = db.execute(
            f"SELECT o.num, t.data, t.cut, {_ENTRY} FROM outbox AS o CROSS JOIN [{table.name}] AS t ON t.num = o.num"
            f" WHERE o.table_name = :table AND {_ON_HOLD} AND NOT EXISTS (SELECT 1 FROM quarantine AS q"
            " WHERE q.table_name = o.table_name AND q.record_id = t.id AND q.action = 'relay') LIMIT 100",
            {"table": table.name},
        )
        for num, data, cut, *columns in rows.fetchall():
            yield OutboxRecord(table, num, _entry(table.name, columns), codec.stored(table, data, cut))


def with_visit_now(db: Database) -> list[int]:
    """Return the events that are on hold for a visit that the hub has by now."""
    if not _states(db)["held"]:
        return []
    rows = db.execute(
        "SELECT o.num FROM outbox AS o JOIN events AS e ON e.num = o.num JOIN visits AS v ON v.id = e.visit_id"
        f" WHERE o.table_name = 'events' AND {_ON_HOLD} AND json_extract(o.why, '$.code') = ?",
        [Code.VISIT_UNKNOWN.word],
    )
    return [num for (num,) in rows.fetchall()]


def ending(db: Database, table: Table, ids: Iterable[str]) -> list[str]:
    """Return which of these were deleted here, and the cloud has not confirmed it."""
    rows = db.execute(
        f"SELECT t.id FROM [{table.name}] AS t CROSS JOIN outbox AS o ON o.table_name = ? AND o.num = t.num"
        " WHERE t.id IN (SELECT value FROM json_each(?)) AND t.local_server_deleted_at IS NOT NULL ORDER BY t.id",
        [table.name, msgspec.json.encode(sorted(ids)).decode()],
    )
    return [record_id for (record_id,) in rows.fetchall()]


def causes(db: Database) -> Iterator[Cause]:
    """Return why records wait or are on hold, and how many for each reason."""
    rows = db.execute(
        f"SELECT o.table_name, o.reason, o.why, {_ON_HOLD}, count(*) FROM outbox AS o"
        f" WHERE o.reason IS NOT NULL AND NOT ({_SENT}) GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 100"
    )
    for table, sentence, why, is_on_hold, records in rows:
        yield Cause(table, stored_reasons.read(table, why, sentence), bool(is_on_hold), records)
    for name, records in untaken(db).items():
        if records:
            yield Cause(name, Code.TABLE_UNTAKEN.of(table=name), on_hold=False, records=records)


def counts(db: Database, pulls: int) -> dict[str, int]:
    """Count the records that wait, were sent and may still be shown, are missed, or are on hold: each of them once.

    Nothing here grows with the outbox. What the cloud does not take yet waits, though it is in no outbox.
    """
    states = _states(db)
    of_tried = f"SELECT count(*) FROM outbox AS o INDEXED BY outbox_tried WHERE {_MISSED}"
    missed = int(db.execute(of_tried, {"pulls": pulls}).fetchone()[0])
    waiting = states["waiting"] + sum(untaken(db).values())
    return {"waiting": waiting, "sent": states["sent"] - missed, "missed": missed, "held": states["held"]}


def waiting(db: Database) -> int:
    """Count the records that are to be sent to the cloud."""
    return _states(db)["waiting"]


def waiting_since(db: Database) -> int | None:
    """Return the hub time since when the longest waiting record waits; None if none does."""
    row = db.execute(f"SELECT min(queued) FROM outbox AS o WHERE {_WAITING}").fetchone()
    return row[0] if row else None


def ages(db: Database, since: Sequence[int]) -> list[int]:
    """Count what waits by age: what was queued after each of these falling hub times, and the rest."""
    edges = [None, *since]
    found = [
        int(
            db.execute(
                f"SELECT count(*) FROM outbox AS o WHERE {_WAITING} AND queued > ? AND queued <= coalesce(?, queued)",
                [after, before],
            ).fetchone()[0]
        )
        for before, after in pairwise(edges)
    ]
    return [*found, waiting(db) - sum(found)]


def newest_revision(db: Database) -> int:
    """Return the revision of the newest change in the outbox; 0 if it is empty."""
    return int(db.execute("SELECT coalesce(max(revision), 0) FROM outbox").fetchone()[0])


def find(db: Database, table_name: str, record_id: str) -> tuple[int, Entry | None] | None:
    """Return the number and entry of a record; None where the hub has no such record."""
    table = TABLES[table_name]
    row = db.execute(f"SELECT num FROM [{table.name}] WHERE id = ?", [record_id]).fetchone()
    return (row[0], entries(db, table, [row[0]]).get(row[0])) if row else None


def _states(db: Database) -> dict[str, int]:
    return dict(db.execute("SELECT state, records FROM outbox_counts").fetchall())


def _entry(table_name: str, row: Sequence[Any]) -> Entry:
    revision, columns, sent, sent_pull, held, tries, sentence, why, known = row
    return Entry(
        revision=revision,
        columns=_columns(columns) if columns is not None else None,
        sent=sent,
        sent_pull=sent_pull,
        held=held,
        tries=tries,
        reason=None if sentence is None else stored_reasons.read(table_name, why, sentence),
        known=_known(known) if known is not None else None,
    )


def _row(table: Table, num: int, entry: Entry) -> tuple[object, ...]:
    columns = None if entry.columns is None else msgspec.json.encode(sorted(entry.columns)).decode()
    known = None if entry.known is None else msgspec.json.encode(entry.known).decode()
    stood = (entry.sent, entry.sent_pull, entry.held, entry.tries)
    # The sentence is what releases before the codes read.
    why = (str(entry.reason), reasons.to_json(entry.reason)) if entry.reason else (None, None)
    return (table.name, num, entry.revision, entry.revision, columns, *stood, *why, known)
