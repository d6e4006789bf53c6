"""Keeps the further ledgers of one phone id, and finds the one of the phone that comes (core.phone.past)."""

from math import inf

from sqlite_utils import Database

from hub.core.phone.ledger import StoredLedger
from hub.core.phone.sheets import Fork, Shared
from hub.store.database import Transaction
from hub.store.phones import devices, ledger
from hub.store.phones.ledger import pack

LEDGERS = 6
"""How many ledgers one phone id has at most; the one that was not used for longest gives way."""
SHOWN_MS = 30 * 86_400_000
"""A phone that was not here for so long is in use no more."""

_LEDGERS = "(SELECT :device AS num UNION ALL SELECT num FROM twins WHERE device = :device)"
_IN_USE = f"""
SELECT count(*) FROM ledger_heads WHERE device IN (SELECT num FROM {_LEDGERS}) AND seen > :now - :shown
    AND seen >= (SELECT max(began) FROM twins WHERE device = :device)
"""


def every(db: Database, device: int) -> list[StoredLedger]:
    """Read the ledgers of one id; nearly always there is one."""
    nums = [device, *(num for (num,) in db.execute("SELECT num FROM twins WHERE device = ?", [device]))]
    return [ledger.read(db, num, is_shared=len(nums) > 1) for num in nums]


def whose(db: Database, device: int, cursor: float) -> StoredLedger:
    """Return the ledger that expects this cursor or once gave it, else the one that was used last."""
    found = every(db, device)
    return found[0] if len(found) == 1 else max(found, key=lambda each: _fit(db, each, cursor))


def newest(db: Database, device: int) -> StoredLedger:
    """Return the ledger that was used last."""
    found = every(db, device)
    return found[0] if len(found) == 1 else max(found, key=lambda each: last_seen(db, each.device))


def pusher(tx: Transaction, device: int, cursor: float) -> int:
    """Return under which number a push is kept that follows on the answer ``cursor``.

    Where several phones share the id, and nobody knows which of them it is, it is that of none.
    """
    if tx.db.execute("SELECT 1 FROM twins WHERE device = ?", [device]).fetchone() is None:
        return device
    found = whose(tx.db, device, cursor)
    is_expected, is_known, _ = _fit(tx.db, found, cursor)
    return found.device if is_expected or is_known else devices.next_num(tx)


def made_since(db: Database, device: int) -> float:
    """Return the newest answer that a phone is known to have; infinite where none is known.

    What it pushes now was made after that one: after each answer it pushes all that it has.
    """
    sql = f"SELECT max(after) FROM deliveries WHERE device IN (SELECT num FROM {_LEDGERS})"
    [after] = db.execute(sql, {"device": device}).fetchone()
    return inf if after is None else float(after)


def seen(tx: Transaction, num: int) -> None:
    """Note that the phone of a ledger was here just now."""
    tx.db.execute("UPDATE ledger_heads SET seen = ? WHERE device = ?", [tx.now_ms, num])


def last_seen(db: Database, num: int) -> int:
    """Return when the phone of a ledger was last here; 0 where that is not known."""
    row = db.execute("SELECT seen FROM ledger_heads WHERE device = ?", [num]).fetchone()
    return int(row[0]) if row else 0


def in_use(db: Database, device: int, now_ms: int) -> int:
    """Count the phones that take turns under one id; 0 or 1 where only one of them came since they were told apart."""
    where = {"device": device, "now": now_ms, "shown": SHOWN_MS}
    return int(db.execute(_IN_USE, where).fetchone()[0])


def is_shared(db: Database, device: int) -> bool:
    """Whether it was noted that several phones hand out under an id, or that its phone was put back from a backup."""
    return db.execute("SELECT 1 FROM shared_ids WHERE device = ?", [device]).fetchone() is not None


def note_shared(tx: Transaction, device: int) -> None:
    """Note that several phones hand out under an id, or that its phone was put back from a backup."""
    tx.db.execute("INSERT OR IGNORE INTO shared_ids (device) VALUES (?)", [device])


def begin(tx: Transaction, device: int, fork: Fork) -> int:
    """Begin a further ledger of a device with what another one knows; returns its number."""
    for shared in fork.shared:
        _share(tx, shared)
    num = devices.next_num(tx)
    _drop_oldest(tx, device, fork.parent)
    tx.db.execute("INSERT INTO twins (num, device, began) VALUES (?, ?, ?)", [num, device, tx.now_ms])
    if fork.is_rewound:
        note_shared(tx, device)
        ledger.add_answers(tx, num, fork.answers)
        tx.db.execute(
            "INSERT INTO doubts SELECT ?, table_name, num, due, wait FROM doubts WHERE device = ?", [num, fork.parent]
        )
    return num


def _share(tx: Transaction, shared: Shared) -> None:
    """Keep what a ledger lost to another one that begins."""
    tx.db.execute("UPDATE ledger_heads SET since = ? WHERE device = ?", [tx.now_ms, shared.device])
    tx.db.conn.executemany(
        "UPDATE ledger SET held = ?, owed = ?, hidden = ?, frontier = NULL, unsure = ?, failed = ?, blanked = ?"
        " WHERE device = ? AND table_name = ?",
        [
            (
                *map(pack, (sheet.has, sheet.due, sheet.withheld, sheet.unsure, sheet.failed, sheet.blanked)),
                *(shared.device, name),
            )
            for name, sheet in shared.sheets.items()
        ],
    )
    tx.db.conn.executemany(
        "UPDATE deliveries SET nums = ? WHERE device = ? AND timestamp = ? AND table_name = ?",
        [
            (pack(part.nums), shared.device, each.timestamp, name)
            for each in shared.expected
            for name, part in each.tables.items()
        ],
    )


def _fit(db: Database, stored: StoredLedger, cursor: float) -> tuple[bool, bool, int]:
    """Say how well a ledger fits a phone with this cursor: it expects it, it once gave it, when it was used last."""
    sql = "SELECT 1 FROM deliveries WHERE device = ? AND ? IN (timestamp, after) LIMIT 1"
    is_known = bool(cursor) and db.execute(sql, [stored.device, cursor]).fetchone() is not None
    return stored.expects(cursor), is_known, last_seen(db, stored.device)


def _drop_oldest(tx: Transaction, device: int, parent: int) -> None:
    rows = tx.db.execute(
        f"SELECT ledger.num FROM {_LEDGERS} AS ledger LEFT JOIN ledger_heads AS head ON head.device = ledger.num"
        " WHERE ledger.num <> :parent ORDER BY head.seen DESC LIMIT -1 OFFSET :most",
        {"device": device, "parent": parent, "most": LEDGERS - 2},
    ).fetchall()
    for (num,) in rows:
        tx.db.execute("DELETE FROM twins WHERE num = ?", [num])
        for table in devices.OF_A_LEDGER:
            tx.db.execute(f"DELETE FROM [{table}] WHERE device = ?", [num])
