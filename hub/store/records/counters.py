"""Rows of counters: their steps, the records that they sum up, and of what more was handed out than there was."""

from collections import defaultdict

from sqlite_utils import Database

from hub.core.records import codec, counters
from hub.core.records.codec import Record
from hub.core.records.counters import ITEMS, RECORDS, STEPS, STOCK, Batch, Figure, Step
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store.database import Transaction
from hub.store.records import record_rows
from hub.store.records.record_rows import Kept

_UNSENT = (
    "SELECT t.data, t.cut FROM outbox AS o CROSS JOIN dispensing_records AS t ON t.num = o.num"
    f" WHERE o.table_name = '{RECORDS}' AND o.columns IS NULL AND o.sent IS NULL AND t.local_server_deleted_at IS NULL"
)


def steps(db: Database, table: Table, num: int, column: str) -> list[Step]:
    """Return the newest steps of a counter, in their order."""
    rows = db.execute(
        "SELECT revision, device, step, value FROM counter_steps WHERE table_name = ? AND num = ? AND column_name = ?"
        " ORDER BY revision, value",
        [table.name, num, column],
    )
    return [Step(*row) for row in rows][-STEPS:]


def note(tx: Transaction, table: Table, num: int, column: str, *, device: int, step: float, value: float) -> None:
    """Note a step; those of one device in one transaction are one."""
    key = {"table": table.name, "num": num, "column": column}
    tx.db.execute(
        "INSERT INTO counter_steps (table_name, num, column_name, revision, device, step, value)"
        " VALUES (:table, :num, :column, :revision, :device, :step, :value) ON CONFLICT DO UPDATE SET"
        " step = step + excluded.step, value = excluded.value",
        key | {"revision": tx.now_ms, "device": device, "step": step, "value": value},
    )
    tx.db.execute(
        "DELETE FROM counter_steps WHERE table_name = :table AND num = :num AND column_name = :column AND revision <"
        " (SELECT revision FROM counter_steps WHERE table_name = :table AND num = :num AND column_name = :column"
        " ORDER BY revision DESC LIMIT 1 OFFSET :most)",
        key | {"most": STEPS},
    )


def last_figure(db: Database, table: Table, num: int, column: str, device: int) -> Figure | None:
    """Return the figure that a device said last."""
    row = db.execute(
        "SELECT revision, figure FROM counter_figures"
        " WHERE device = ? AND table_name = ? AND num = ? AND column_name = ?",
        [device, table.name, num, column],
    ).fetchone()
    return Figure(*row) if row else None


def say(tx: Transaction, table: Table, num: int, column: str, device: int, figure: float) -> None:
    """Note the figure that a device says."""
    tx.db.execute(
        "INSERT OR REPLACE INTO counter_figures (device, table_name, num, column_name, revision, figure)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        [device, table.name, num, column, tx.now_ms, figure],
    )


def entered(db: Database, num: int, column: str) -> float:
    """Return what phones entered into a batch's figure that the cloud has never heard of."""
    row = db.execute("SELECT entered FROM counters_entered WHERE num = ? AND column_name = ?", [num, column]).fetchone()
    return float(row[0]) if row else 0


def enter(tx: Transaction, num: int, column: str, step: float) -> None:
    """Add to what phones entered."""
    tx.db.execute(
        "INSERT INTO counters_entered (num, column_name, entered) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET"
        " entered = entered + excluded.entered",
        [num, column, step],
    )


def counted(db: Database, num: int) -> float:
    """Return when a batch was counted in the cloud for the last time, as far as the hub heard; 0 for never."""
    row = db.execute("SELECT max(counted) FROM counters_entered WHERE num = ?", [num]).fetchone()
    return float(row[0] or 0)


def count_in_cloud(tx: Transaction, num: int, at: float) -> None:
    """Forget what phones entered into a batch: it was counted in the cloud since."""
    tx.db.execute("UPDATE counters_entered SET entered = 0, counted = ? WHERE num = ?", [at, num])
    tx.db.execute(
        "INSERT OR IGNORE INTO counters_entered (num, column_name, entered, counted) VALUES (?, '', 0, ?)", [num, at]
    )


def of_item(db: Database, item: Record, *, device: int | None = None) -> list[Record]:
    """Return the live records of what was handed out of an item, those of one device where it is named."""
    table = TABLES[RECORDS]
    rows = db.execute(
        "SELECT data, cut, origin FROM dispensing_records"
        " WHERE prescription_item_id = ? AND local_server_deleted_at IS NULL",
        [item.id],
    )
    return [codec.stored(table, data, cut) for data, cut, origin in rows if device in {None, origin}]


def brought_since(tx: Transaction, device: int, since: float) -> set[str]:
    """Return the ids of the dispensing records that a device was first to bring between a revision and this one."""
    rows = tx.db.execute(
        "SELECT id FROM dispensing_records INDEXED BY dispensing_records_changed"
        " WHERE local_server_last_modified > :since AND origin = :device"
        " AND local_server_created_at > :since AND local_server_created_at < :now",
        {"since": since, "device": device, "now": tx.now_ms},
    )
    return {row[0] for row in rows}


def item(db: Database, record: Record) -> Kept | None:
    """Return the live item of which a record hands something out."""
    item_id = record.text("prescription_item_id")
    return _live(record_rows.find(db, TABLES[ITEMS], [item_id]).get(item_id)) if item_id else None


def stock(db: Database, record: Record) -> Kept | None:
    """Return the live row of the batch from which a record hands something out."""
    wanted = counters.batch(record)
    if wanted is None:
        return None
    rows = db.execute(
        "SELECT id, data, cut FROM clinic_inventory WHERE drug_id = ? AND clinic_id = ?"
        " AND local_server_deleted_at IS NULL ORDER BY num",
        [wanted.drug, wanted.clinic],
    ).fetchall()
    table = TABLES[STOCK]
    for record_id, data, cut in rows:
        if counters.batch(codec.stored(table, data, cut)) == wanted:
            return record_rows.find(db, table, [record_id])[record_id]
    return None


def unsent(db: Database) -> dict[Batch, float]:
    """Return how much was handed out of each batch that the cloud has not heard of yet, as far as the hub knows."""
    found: defaultdict[Batch, float] = defaultdict(float)
    for data, cut in db.execute(_UNSENT):
        record = codec.stored(TABLES[RECORDS], data, cut)
        taken_from = counters.batch(record)
        if taken_from:
            found[taken_from] += counters.quantity(record)
    return found


def mark_beyond(tx: Transaction, table: Table, num: int, *, is_beyond: bool) -> None:
    """Note whether more was handed out than there was."""
    sql = "INSERT OR IGNORE INTO beyond (table_name, num) VALUES (?, ?)"
    tx.db.execute(sql if is_beyond else "DELETE FROM beyond WHERE table_name = ? AND num = ?", [table.name, num])


def beyond(db: Database, table: Table) -> int:
    """Count the live records of which more was handed out than was prescribed, or was in stock."""
    row = db.execute(
        f"SELECT count(*) FROM beyond AS b JOIN [{table.name}] AS t ON t.num = b.num"
        " WHERE b.table_name = ? AND t.local_server_deleted_at IS NULL",
        [table.name],
    ).fetchone()
    return int(row[0])


def _live(row: Kept | None) -> Kept | None:
    return row if row and row.deleted is None else None
