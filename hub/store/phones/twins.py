"""Keeps the further ledgers of one phone id, and the answers by which they are told apart (core.phone.past)."""

from collections.abc import Mapping

from pyroaring import FrozenBitMap
from sqlite_utils import Database

from hub.core.phone.sheets import Fork, PastAnswer, PastPart, Sheet
from hub.store.database import Transaction
from hub.store.phones import devices
from hub.store.phones.ledger import pack, unpack

PAST_ANSWERS = 400
"""How many answers of a ledger are remembered: some weeks of them."""
LEDGERS = 4
"""How many ledgers one phone id has at most; the one that was not used for longest gives way."""
SHOWN_MS = 30 * 86_400_000
"""A phone that was not here for so long is in use no more."""

_LEDGERS = "(SELECT :device AS num UNION ALL SELECT num FROM twins WHERE device = :device)"
_WHOSE = f"""
SELECT ledger.num,
    head.settled = :cursor OR EXISTS (SELECT 1 FROM deliveries WHERE device = ledger.num AND timestamp = :cursor)
        AS is_next,
    EXISTS (SELECT 1 FROM past_answers WHERE device = ledger.num AND timestamp = :cursor) AS is_past
FROM {_LEDGERS} AS ledger LEFT JOIN ledger_heads AS head ON head.device = ledger.num
ORDER BY :cursor <> 0 AND is_next DESC, :cursor <> 0 AND is_past DESC, head.seen DESC LIMIT 1
"""
_IN_USE = f"""
SELECT count(*) FROM ledger_heads WHERE device IN (SELECT num FROM {_LEDGERS}) AND seen > :now - :shown
    AND seen >= (SELECT max(began) FROM twins WHERE device = :device)
"""


def whose(db: Database, device: int, cursor: float) -> int:
    """Return the ledger that expects this cursor or once gave it, else the one that was used last."""
    return int(db.execute(_WHOSE, {"device": device, "cursor": cursor}).fetchone()[0])


def pusher(tx: Transaction, device: int, cursor: float) -> int:
    """Return under which number a push is kept that follows on the answer ``cursor``.

    A phone whose answer another one under its id made a thing of the past has no ledger yet.
    """
    num, is_next, is_past = tx.db.execute(_WHOSE, {"device": device, "cursor": cursor}).fetchone()
    return devices.next_num(tx) if cursor and is_past and not is_next else int(num)


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


def past(db: Database, num: int) -> dict[float, PastAnswer]:
    """Return the answers that a ledger gave, by their timestamp."""
    found: dict[float, PastAnswer] = {}
    for timestamp, after, revision, name, nums, fresh in db.execute(
        "SELECT timestamp, after, revision, table_name, nums, fresh FROM past_answers WHERE device = ?", [num]
    ):
        answer = found.setdefault(timestamp, PastAnswer(timestamp, after, revision, {}))
        if name:
            part = PastPart(unpack(nums), unpack(fresh))
            found[timestamp] = answer._replace(tables={**answer.tables, name: part})
    return found


def note_past(tx: Transaction, num: int, answers: tuple[PastAnswer, ...]) -> None:
    """Remember answers that a ledger expects no more; only the newest are."""
    empty = {"": PastPart(FrozenBitMap(), FrozenBitMap())}
    tx.db.conn.executemany(
        "INSERT OR REPLACE INTO past_answers (device, timestamp, after, revision, table_name, nums, fresh)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (num, each.timestamp, each.after, each.revision, name, pack(part.nums), pack(part.fresh))
            for each in answers
            for name, part in (each.tables or empty).items()
        ],
    )
    tx.db.execute(
        "DELETE FROM past_answers WHERE device = :num AND timestamp < (SELECT min(timestamp) FROM (SELECT DISTINCT"
        " timestamp FROM past_answers WHERE device = :num ORDER BY timestamp DESC LIMIT :most))",
        {"num": num, "most": PAST_ANSWERS},
    )


def begin(tx: Transaction, device: int, fork: Fork) -> int:
    """Begin a further ledger of a device with what another one knows; returns its number."""
    num = devices.next_num(tx)
    _drop_oldest(tx, device, fork.parent)
    tx.db.execute("INSERT INTO twins (num, device, began) VALUES (?, ?, ?)", [num, device, tx.now_ms])
    if fork.cursor:
        key = {"num": num, "parent": fork.parent, "cursor": fork.cursor}
        tx.db.execute(
            "INSERT INTO past_answers SELECT :num, timestamp, table_name, after, revision, nums, fresh"
            " FROM past_answers WHERE device = :parent AND timestamp <= :cursor",
            key,
        )
        tx.db.execute(
            "INSERT INTO doubts SELECT :num, table_name, num, due, wait FROM doubts WHERE device = :parent", key
        )
    return num


def share(tx: Transaction, num: int, sheets: Mapping[str, Sheet]) -> None:
    """Keep what a ledger lost to another one that begins."""
    tx.db.conn.executemany(
        "UPDATE ledger SET held = ?, owed = ?, hidden = ?, unsure = ? WHERE device = ? AND table_name = ?",
        [
            (*map(pack, (sheet.has, sheet.due, sheet.withheld, sheet.unsure)), num, name)
            for name, sheet in sheets.items()
        ],
    )


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
