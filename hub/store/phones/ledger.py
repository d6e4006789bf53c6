"""Keeps the phones' ledgers (core.phone.ledger): reads one in a view, and saves what became of it.

The columns bear older names: ``held``, ``owed`` and ``hidden`` are a sheet's ``has``, ``due`` and ``withheld``; table
``stale`` keeps what is outdated, ``debts`` what is forced, ``doubts`` the suspects.
"""

from collections.abc import Iterable, Iterator
from itertools import groupby, islice, takewhile
from typing import NamedTuple

from pyroaring import FrozenBitMap
from sqlite_utils import Database

from hub.core.phone.ledger import StoredLedger
from hub.core.phone.open_ledger import OpenLedger
from hub.core.phone.page_size import Capacity
from hub.core.phone.pull_page import PullPage
from hub.core.phone.sheets import DELIVERIES, NO_RECORDS, ChangedRow, Delivered, Delivery, Head, Sheet, SuspectRecord
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store.database import Transaction

_HEAD = """
SELECT (SELECT value FROM hub WHERE key = 'time'), (SELECT value FROM hub WHERE key = 'moved'),
    head.revision, head.since, head.settled, head.attempts, head.scope, head.confirmed_bytes, head.refused_bytes,
    head.refused_times, head.asked, head.ahead
FROM (SELECT 1) LEFT JOIN ledger_heads AS head ON head.device = ?
"""
_CHANGED = " UNION ALL ".join(
    f"SELECT '{name}', num, local_server_last_modified, device, origin, local_server_created_at"
    f" FROM [{name}] INDEXED BY [{name}_changed] WHERE local_server_last_modified > :since"
    for name in TABLES
)
_ALL = " UNION ALL ".join(
    f"SELECT '{name}', (SELECT min(num) FROM [{name}]), (SELECT max(num) FROM [{name}])" for name in TABLES
)

ANSWERS = 400
"""How many answers of a ledger are remembered: some weeks of them."""
TRIM_EVERY = 256
"""One answer in so many throws away what is older: a few more do no harm."""

_SHEET = "held, owed, hidden, frontier, unsure, failed, blanked"
_SUSPECT_WAIT_MS = 86_400_000
"""How long a suspect waits for its first retry; each further wait is twice as long."""


def read(db: Database, device: int, *, is_shared: bool = False) -> StoredLedger:
    """Read a phone's ledger; is_shared: its id has had several (store.phones.twins)."""
    revision, moved, *head = db.execute(_HEAD, [device]).fetchone()
    head[5:] = [Capacity(*head[5:8]), *head[8:]]
    stored = db.execute(f"SELECT table_name, {_SHEET} FROM ledger WHERE device = ?", [device])
    outdated = db.execute("SELECT table_name, revision, nums FROM stale WHERE device = ?", [device])
    kept = None if head[0] is None else Head(*head)
    return StoredLedger(
        device=device,
        revision=revision,
        moved=int(moved or 0),
        head=kept,
        sheets=dict.fromkeys(TABLES, Sheet()) | {row[0]: sheet(*row[1:]) for row in stored},
        outdated={(name, revision): unpack(nums) for name, revision, nums in outdated},
        newest=_newest(db, device, kept.settled) if kept else (),
        is_shared=is_shared,
    )


def answers(db: Database, device: int) -> list[Delivery]:
    """Return the answers that a ledger gave, the oldest first."""
    row = db.execute("SELECT settled FROM ledger_heads WHERE device = ?", [device]).fetchone()
    return list(_newest_first(db, device, row[0] if row else 0))[::-1]


def next_answer(db: Database, device: int, cursor: float) -> int | None:
    """Return when a ledger gave its next answer after the one that a phone comes with; None where that is not known.

    What the phone pushed before then it has been told of, or it would not have stored this cursor.
    """
    row = db.execute(
        "SELECT min(timestamp) FROM deliveries WHERE device = :device AND timestamp > :cursor AND EXISTS"
        " (SELECT 1 FROM deliveries WHERE device = :device AND :cursor IN (timestamp, after))",
        {"device": device, "cursor": cursor},
    ).fetchone()
    return None if row[0] is None else int(row[0])


class Changes(NamedTuple):
    """What may be due to a phone since it was here, as core.phone.opening.Resumed absorbs it."""

    rows: dict[str, list[ChangedRow]]
    """Of every table what changed."""
    forced: list[tuple[str, int]]
    """Records (table, number) that became due to the phone though they did not change."""
    moved: dict[str, FrozenBitMap]
    """The records of the patients who came, or came to another clinic."""


def changes(db: Database, device: int, since: int, *, rows_since: int) -> Changes:
    """Return what there is after the revision ``since``, and of the rows after ``rows_since``."""
    rows: dict[str, list[ChangedRow]] = {}
    for name, *row in db.execute(_CHANGED, {"since": rows_since}):
        rows.setdefault(name, []).append(ChangedRow(*row))
    where = [device, since]
    forced = db.execute("SELECT table_name, num FROM debts WHERE device = ? AND revision > ?", where).fetchall()
    return Changes(rows, forced, _moved(db, since))


def _moved(db: Database, since: int) -> dict[str, FrozenBitMap]:
    if db.execute("SELECT 1 FROM moves WHERE revision > ? LIMIT 1", [since]).fetchone() is None:
        return {}
    return {
        table.name: FrozenBitMap(
            num
            for (num,) in db.execute(f"SELECT t.num FROM moves {_of_moved(table)} WHERE moves.revision > ?", [since])
        )
        for table in TABLES.values()
        if table.patient or table.owned_by or table.name == "patients"
    }


def _of_moved(table: Table) -> str:
    """Write what joins the patients who moved to their records ``t``."""
    if table.owned_by:
        column, parent = table.owned_by
        return (
            f"CROSS JOIN [{parent}] AS parent ON parent.patient_id = moves.patient_id"
            f" CROSS JOIN [{table.name}] AS t ON t.[{column}] = parent.id"
        )
    return f"CROSS JOIN [{table.name}] AS t ON t.[{table.patient or 'id'}] = moves.patient_id"


def force(tx: Transaction, device: int, table: Table, num: int) -> None:
    """Make a record due that did not change: a phone's push of it ended otherwise than the phone believes."""
    tx.db.execute(
        "INSERT OR IGNORE INTO debts (device, revision, table_name, num) VALUES (?, ?, ?, ?)",
        [device, tx.now_ms, table.name, num],
    )


def takes(db: Database, device: int) -> frozenset[str]:
    """Return the tables of a later app that a phone has: those that it sent (core.records.tables.NEXT_TABLES)."""
    return frozenset(row[0] for row in db.execute("SELECT table_name FROM phone_tables WHERE device = ?", [device]))


def note_takes(tx: Transaction, device: int, names: Iterable[str]) -> None:
    """Note which tables of a later app a phone sent, if it is known whose ledger it has."""
    tx.db.conn.executemany(
        "INSERT OR IGNORE INTO phone_tables (device, table_name)"
        " SELECT :device, :name WHERE EXISTS (SELECT 1 FROM ledger_heads WHERE device = :device)",
        [{"device": device, "name": name} for name in sorted(names)],
    )


def everything(db: Database) -> dict[str, FrozenBitMap]:
    """Return the numbers of all records; numbers are given without gaps and a reader drops what is not there."""
    rows = db.execute(_ALL)
    return {name: FrozenBitMap(range(first, last + 1)) if last else NO_RECORDS for name, first, last in rows}


def tombstones(db: Database) -> dict[str, FrozenBitMap]:
    """Return the numbers of deleted records."""
    return {
        name: FrozenBitMap(
            [row[0] for row in db.execute(f"SELECT num FROM [{name}] WHERE local_server_deleted_at IS NOT NULL")]
        )
        for name in TABLES
    }


def suspects(db: Database, device: int) -> dict[SuspectRecord, int]:
    """Return the suspects, the one whose retry is due first before the others, and when it is (hub time)."""
    rows = db.execute("SELECT table_name, num, due FROM doubts WHERE device = ? ORDER BY due", [device])
    return {SuspectRecord(name, num): due for name, num, due in rows}


def made_between(db: Database, after_ms: int, until_ms: int) -> dict[str, FrozenBitMap]:
    """Return the numbers of the records that were made (created_at) in a time."""
    sql, time = "SELECT num FROM [{}] WHERE made_ms > ? AND made_ms <= ?", [after_ms, until_ms]
    return {name: FrozenBitMap([num for (num,) in db.execute(sql.format(name), time)]) for name in TABLES}


def save(tx: Transaction, ledger: OpenLedger, page: PullPage | None = None) -> None:
    """Keep a ledger as it is now, and the answer that the phone gets, if that is to be remembered."""
    device, head = ledger.device, ledger.head
    if ledger.starts_over:
        for table in ("doubts", "ledger", "phone_tables", *(("deliveries",) if ledger.is_doubtful else ())):
            tx.db.execute(f"DELETE FROM [{table}] WHERE device = ?", [device])
    if ledger.settled_until is not None:
        tx.db.execute("DELETE FROM debts WHERE device = ? AND revision <= ?", [device, ledger.settled_until])
    tx.db.conn.executemany(
        "DELETE FROM doubts WHERE device = ? AND table_name = ? AND num = ?",
        [(device, *suspect) for suspect in ledger.proven],
    )
    tx.db.execute(
        "INSERT OR REPLACE INTO ledger_heads (device, revision, since, settled, attempts, scope, confirmed_bytes,"
        " refused_bytes, refused_times, asked, ahead, seen) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            *(device, head.revision, head.since, head.settled, head.attempts, head.scope, *head.capacity),
            *(head.asked, head.ahead, tx.now_ms),
        ],
    )
    for suspect in ledger.suspected:
        _note_suspect(tx, device, suspect)
    _save_sheets(tx, ledger)
    if page is not None:
        _add_delivery(tx, ledger, page)


def _add_delivery(tx: Transaction, ledger: OpenLedger, page: PullPage) -> None:
    """Keep what an answer carried, by the time of this transaction; only the newest answers are remembered."""
    parts, revision = ledger.delivered, ledger.head.revision
    add_answers(tx, ledger.device, [Delivery(tx.now_ms, revision, page.is_retry, parts, page.weight, ledger.cursor)])
    if tx.now_ms % TRIM_EVERY == 0:
        tx.db.execute(
            "DELETE FROM deliveries WHERE device = :device AND timestamp < (SELECT min(timestamp) FROM (SELECT DISTINCT"
            " timestamp FROM deliveries WHERE device = :device ORDER BY timestamp DESC LIMIT :most))",
            {"device": ledger.device, "most": ANSWERS},
        )
    if page.suspect:
        _note_suspect(tx, ledger.device, page.suspect)


def add_answers(tx: Transaction, device: int, answers: Iterable[Delivery]) -> None:
    """Keep answers that a ledger gave, or another one from which it comes."""
    nothing = {"": Delivered(NO_RECORDS, None)}
    tx.db.conn.executemany(
        "INSERT INTO deliveries (device, timestamp, table_name, revision, nums, frontier, retry, bytes, blanked,"
        " after, gained, ended) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(device, each.timestamp, name, each.revision, pack(part.nums) if name else b"", part.frontier),
                *(each.is_retry, each.weight, _pack_few(part.blanked), each.after),
                *(_pack_few(part.gained), _pack_few(part.ended)),
            )
            for each in answers
            for name, part in (each.tables or nothing).items()
        ],
    )


def sheet(has: bytes, due: bytes, withheld: bytes, frontier: int | None, *rest: bytes) -> Sheet:
    """Read a stored sheet; rest: what is unsure, failed and blanked."""
    return Sheet(unpack(has), unpack(due), unpack(withheld), frontier, *map(unpack, rest))


def unpack(blob: bytes) -> FrozenBitMap:
    """Read a stored bitmap."""
    return FrozenBitMap.deserialize(blob) if blob else NO_RECORDS


def pack(nums: FrozenBitMap) -> bytes:
    """Write a bitmap for storing."""
    nums.run_optimize()
    return nums.serialize()


def _pack_few(nums: FrozenBitMap) -> bytes:
    """Write a bitmap that is nearly always empty, which the first release's program does not read."""
    return pack(nums) if nums else b""


def _newest(db: Database, device: int, settled: float) -> list[Delivery]:
    """Read the last answers that were given after the same cursor, the oldest first."""
    found = _newest_first(db, device, settled)
    first = next(found, None)
    same = takewhile(lambda each: first and each.after == first.after, found)
    return [*islice(same, DELIVERIES - 1)][::-1] + ([first] if first else [])


def _newest_first(db: Database, device: int, settled: float) -> Iterator[Delivery]:
    """Read the answers that a ledger gave, as they are taken; an older program kept those after ``settled`` alone."""
    rows = db.execute(
        "SELECT timestamp, revision, retry, bytes, ifnull(after, ?), table_name, nums, frontier, blanked, gained, ended"
        " FROM deliveries WHERE device = ? ORDER BY timestamp DESC, table_name DESC",
        [settled, device],
    )
    for (timestamp, revision, retry, weight, after), parts in groupby(rows, lambda row: row[:5]):
        tables = {
            name: Delivered(unpack(nums), frontier, *map(unpack, (blanked, gained, ended)))
            for *_, name, nums, frontier, blanked, gained, ended in parts
            if name
        }
        yield Delivery(timestamp, revision, bool(retry), tables, weight, after)


def _save_sheets(tx: Transaction, ledger: OpenLedger) -> None:
    tx.db.conn.executemany(
        f"INSERT OR REPLACE INTO ledger (device, table_name, {_SHEET}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                *(ledger.device, name, pack(sheet.has), pack(sheet.due), pack(sheet.withheld)),
                *(sheet.frontier, *map(_pack_few, (sheet.unsure, sheet.failed, sheet.blanked))),
            )
            for name, sheet in ledger.changed_sheets().items()
        ],
    )
    tx.db.execute("DELETE FROM stale WHERE device = ?", [ledger.device])
    tx.db.conn.executemany(
        "INSERT INTO stale (device, table_name, revision, nums) VALUES (?, ?, ?, ?)",
        [(ledger.device, *key, pack(nums)) for key, nums in ledger.outdated.items() if nums],
    )


def _note_suspect(tx: Transaction, device: int, suspect: SuspectRecord) -> None:
    """Keep a suspect; one that is known already was tried again just now, and waits twice as long if that fails."""
    tx.db.execute(
        "INSERT INTO doubts (device, table_name, num, due, wait) VALUES (:device, :table, :num, :now + :wait, :wait)"
        " ON CONFLICT DO UPDATE SET wait = 2 * wait, due = :now + 2 * wait",
        {"device": device, "table": suspect.table_name, "num": suspect.num, "now": tx.now_ms}
        | {"wait": _SUSPECT_WAIT_MS},
    )
