"""Keeps the phones' ledgers (core.phone.ledger): reads one in a view of the database, and saves what became of it.

The columns bear older names: ``held``, ``owed`` and ``hidden`` are a sheet's ``has``, ``due`` and ``withheld``; table
``stale`` keeps what is outdated, ``debts`` what is forced, ``doubts`` the suspects.
"""

from pyroaring import FrozenBitMap
from sqlite_utils import Database

from hub.core.phone.ledger import (
    DELIVERIES,
    NO_RECORDS,
    ChangedRow,
    Delivered,
    Delivery,
    Head,
    OpenLedger,
    Sheet,
    StoredLedger,
    SuspectRecord,
)
from hub.core.phone.pull_page import PullPage
from hub.core.records.tables import TABLES, Table
from hub.store.database import Transaction, hub_time
from hub.store.records import moves

_SUSPECT_WAIT_MS = 3_600_000
"""How long a suspect waits for its first retry; each further wait is twice as long."""


def read(db: Database, device: int) -> StoredLedger:
    """Read a phone's ledger."""
    head = db.execute(
        "SELECT revision, since, settled, attempts, scope FROM ledger_heads WHERE device = ?", [device]
    ).fetchone()
    moved = db.execute("SELECT value FROM hub WHERE key = 'moved'").fetchone()
    stored = db.execute("SELECT table_name, held, owed, hidden, frontier FROM ledger WHERE device = ?", [device])
    outdated = db.execute("SELECT table_name, revision, nums FROM stale WHERE device = ?", [device])
    return StoredLedger(
        device=device,
        revision=hub_time(db),
        moved=int(moved[0]) if moved else 0,
        head=Head(*head) if head else None,
        sheets=dict.fromkeys(TABLES, Sheet()) | {row[0]: sheet(*row[1:]) for row in stored},
        outdated={(name, revision): unpack(nums) for name, revision, nums in outdated},
        deliveries=_deliveries(db, device),
    )


def changes(db: Database, since: int) -> dict[str, list[ChangedRow]]:
    """Return what changed of every table after a revision."""
    found = {}
    for name in TABLES:
        rows = db.execute(
            "SELECT num, local_server_last_modified, device, origin, local_server_created_at"
            f" FROM [{name}] INDEXED BY [{name}_changed] WHERE local_server_last_modified > ?",
            [since],
        ).fetchall()
        if rows:
            found[name] = [ChangedRow(*row) for row in rows]
    return found


def forced(db: Database, device: int, since: int) -> list[tuple[str, int]]:
    """Return the records (table, number) that became due to a phone though they did not change."""
    where = [device, since]
    return db.execute("SELECT table_name, num FROM debts WHERE device = ? AND revision > ?", where).fetchall()


def moved(db: Database, since: int) -> dict[str, FrozenBitMap]:
    """Return the records of the patients who came, or came to another clinic, after a revision."""
    return {name: FrozenBitMap(nums) for name, nums in moves.since(db, since).items()}


def force(tx: Transaction, device: int, table: Table, num: int) -> None:
    """Make a record due that did not change: a phone's push of it ended otherwise than the phone believes."""
    tx.db.execute(
        "INSERT OR IGNORE INTO debts (device, revision, table_name, num) VALUES (?, ?, ?, ?)",
        [device, tx.now_ms, table.name, num],
    )


def everything(db: Database) -> dict[str, FrozenBitMap]:
    """Return the numbers of all records; numbers are given without gaps and a reader drops what is not there."""
    found = {}
    for name in TABLES:
        first, last = db.execute(f"SELECT min(num), max(num) FROM [{name}]").fetchone()
        found[name] = FrozenBitMap(range(first, last + 1)) if last else FrozenBitMap()
    return found


def tombstones(db: Database) -> dict[str, FrozenBitMap]:
    """Return the numbers of deleted records."""
    return {
        name: FrozenBitMap(
            [row[0] for row in db.execute(f"SELECT num FROM [{name}] WHERE local_server_deleted_at IS NOT NULL")]
        )
        for name in TABLES
    }


def suspect_due(db: Database, device: int, now_ms: int) -> SuspectRecord | None:
    """Return the suspect whose retry is due for the longest time."""
    row = db.execute(
        "SELECT table_name, num FROM doubts WHERE device = ? AND due <= ? ORDER BY due LIMIT 1", [device, now_ms]
    ).fetchone()
    return SuspectRecord(*row) if row else None


def save(tx: Transaction, ledger: OpenLedger) -> None:
    """Keep a ledger as it is now."""
    device, head = ledger.device, ledger.head
    if ledger.starts_over:
        for table in ("deliveries", "doubts", "ledger"):
            tx.db.execute(f"DELETE FROM [{table}] WHERE device = ?", [device])
    if ledger.settled_until is not None:
        tx.db.execute("DELETE FROM deliveries WHERE device = ?", [device])
        tx.db.execute("DELETE FROM debts WHERE device = ? AND revision <= ?", [device, ledger.settled_until])
    tx.db.conn.executemany(
        "DELETE FROM doubts WHERE device = ? AND table_name = ? AND num = ?",
        [(device, *suspect) for suspect in ledger.proven],
    )
    tx.db.execute(
        "INSERT OR REPLACE INTO ledger_heads (device, revision, since, settled, attempts, scope)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [device, head.revision, head.since, head.settled, head.attempts, head.scope],
    )
    _save_sheets(tx, ledger)


def add_delivery(tx: Transaction, ledger: OpenLedger, page: PullPage) -> None:
    """Keep what an answer carried, by the time of this transaction; only the newest answers are remembered."""
    parts = page.delivered or {"": Delivered(FrozenBitMap(), None)}
    tx.db.conn.executemany(
        "INSERT INTO deliveries (device, timestamp, table_name, revision, nums, frontier, retry)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (ledger.device, tx.now_ms, name, ledger.head.revision, _pack(part.nums), part.frontier, page.is_retry)
            for name, part in parts.items()
        ],
    )
    tx.db.execute(
        "DELETE FROM deliveries WHERE device = :device AND timestamp NOT IN (SELECT DISTINCT timestamp FROM"
        " deliveries WHERE device = :device ORDER BY timestamp DESC LIMIT :most)",
        {"device": ledger.device, "most": DELIVERIES},
    )
    if page.suspect:
        _note_suspect(tx, ledger.device, page.suspect, is_retry=page.is_retry)


def sheet(has: bytes, due: bytes, withheld: bytes, frontier: int | None) -> Sheet:
    """Read a stored sheet."""
    return Sheet(unpack(has), unpack(due), unpack(withheld), frontier)


def unpack(blob: bytes) -> FrozenBitMap:
    """Read a stored bitmap."""
    return FrozenBitMap.deserialize(blob) if blob else NO_RECORDS


def _deliveries(db: Database, device: int) -> list[Delivery]:
    rows = db.execute(
        "SELECT timestamp, revision, retry, table_name, nums, frontier FROM deliveries WHERE device = ?"
        " ORDER BY timestamp",
        [device],
    )
    found: dict[int, Delivery] = {}
    for timestamp, revision, is_retry, name, nums, frontier in rows:
        delivery = found.setdefault(timestamp, Delivery(timestamp, revision, bool(is_retry), {}))
        if name:
            found[timestamp] = delivery._replace(tables={**delivery.tables, name: Delivered(unpack(nums), frontier)})
    return list(found.values())


def _save_sheets(tx: Transaction, ledger: OpenLedger) -> None:
    tx.db.conn.executemany(
        "INSERT OR REPLACE INTO ledger (device, table_name, held, owed, hidden, frontier) VALUES (?, ?, ?, ?, ?, ?)",
        [
            (ledger.device, name, _pack(sheet.has), _pack(sheet.due), _pack(sheet.withheld), sheet.frontier)
            for name, sheet in ledger.changed_sheets().items()
        ],
    )
    tx.db.execute("DELETE FROM stale WHERE device = ?", [ledger.device])
    tx.db.conn.executemany(
        "INSERT INTO stale (device, table_name, revision, nums) VALUES (?, ?, ?, ?)",
        [(ledger.device, *key, _pack(nums)) for key, nums in ledger.outdated.items() if nums],
    )


def _note_suspect(tx: Transaction, device: int, suspect: SuspectRecord, *, is_retry: bool) -> None:
    tx.db.execute(
        "INSERT INTO doubts (device, table_name, num, due, wait) VALUES (:device, :table, :num, :now + :wait, :wait)"
        " ON CONFLICT DO UPDATE SET wait = :longer * wait, due = :now + :longer * wait",
        {"device": device, "table": suspect.table_name, "num": suspect.num, "now": tx.now_ms}
        | {"wait": _SUSPECT_WAIT_MS, "longer": 2 if is_retry else 1},  # only a retry that failed says something
    )


def _pack(nums: FrozenBitMap) -> bytes:
    nums.run_optimize()
    return nums.serialize()
