"""Rows of the quarantine: records that were not accepted, whole, with the reason, for a person to look at (P7)."""

from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core import reasons
from hub.core.reasons import Reason
from hub.core.records import codec
from hub.core.records.quarantine_room import Held
from hub.store import stored_reasons
from hub.store.database import Transaction


class Action(StrEnum):
    """What was wanted."""

    KEEP = "keep"  # by a phone
    DELETE = "delete"  # by a phone
    RELAY = "relay"  # by the hub: to send it to the cloud
    PULL = "pull"  # by the cloud: to have it here


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A record that was not accepted, as it came."""

    table_name: str
    record_id: str | None
    action: Action
    reason: Reason
    raw: str
    device: int
    user_id: str
    parent: str | None = None
    """What it waits for, as table/id, if that was not accepted either."""

    @property
    def fingerprint(self) -> int:
        """What is equal when the same one is refused again."""
        return codec.fingerprint(f"{self.table_name}\0{self.action}\0{self.raw}")


def has(db: Database, refused: Refused) -> bool:
    """Whether it is kept already."""
    sql = "SELECT 1 FROM quarantine WHERE fingerprint = ?"
    return db.execute(sql, [refused.fingerprint]).fetchone() is not None


def add(tx: Transaction, refused: Refused) -> None:
    """Keep a refused record."""
    tx.db.execute(
        "INSERT INTO quarantine"
        " (fingerprint, table_name, record_id, action, reason, why, raw, device, user_id, at, parent) VALUES"
        " (:fingerprint, :table_name, :record_id, :action, :reason, :why, :raw, :device, :user_id, :at, :parent)",
        {
            **msgspec.structs.asdict(refused),
            "fingerprint": refused.fingerprint,
            "reason": str(refused.reason),
            "why": reasons.to_json(refused.reason),
            "at": tx.now_ms,
        },
    )


def held_of(db: Database, device: int) -> tuple[Held, Held]:
    """Return how much a device has in quarantine, and how much there is of all."""
    sql = "SELECT coalesce(sum(records), 0), coalesce(sum(bytes), 0) FROM quarantine_held"
    own = db.execute(f"{sql} WHERE device = ?", [device]).fetchone()
    return Held(*own), Held(*db.execute(sql).fetchone())


def entries(db: Database) -> Iterator[dict[str, Any]]:
    """Return all entries without the records themselves, oldest first."""
    rows = db.query(
        "SELECT num, table_name, record_id, action, reason, why, fingerprint, device, user_id, at, note,"
        " length(raw) AS size FROM quarantine ORDER BY num"
    )
    return map(_read, rows)


def patients(db: Database, nums: Iterable[int]) -> dict[int, int]:
    """Return which of these entries are about a live patient of the hub, each by the patient's number."""
    rows = db.execute(
        "SELECT entry.num, patient.num FROM json_each(?) AS wanted JOIN quarantine AS entry ON entry.num = wanted.value"
        " JOIN patients AS patient ON patient.id = CASE WHEN entry.table_name = 'patients' THEN entry.record_id"
        " WHEN json_valid(entry.raw) THEN json_extract(entry.raw, '$.patient_id') END"
        " WHERE patient.local_server_deleted_at IS NULL",
        [msgspec.json.encode(list(nums)).decode()],
    )
    return dict(rows.fetchall())


def entry(db: Database, num: int) -> dict[str, Any] | None:
    """Return one entry, record included."""
    row = next(iter(db.query("SELECT * FROM quarantine WHERE num = ?", [num])), None)
    return _read(row) if row else None


def held(db: Database, table_name: str, ids: Iterable[str]) -> set[str]:
    """Return which of these records were not accepted from a phone."""
    wanted = msgspec.json.encode(sorted(ids)).decode()
    rows = db.execute(
        "SELECT DISTINCT record_id FROM quarantine WHERE table_name = ? AND action = ?"
        " AND record_id IN (SELECT value FROM json_each(?))",
        [table_name, Action.KEEP, wanted],
    )
    return {row[0] for row in rows}


def waiting_for(db: Database, parents: Iterable[str]) -> list[int]:
    """Return the entries whose records wait for one of these, each as table/id; oldest first."""
    wanted = msgspec.json.encode(list(parents)).decode()
    rows = db.execute(
        "SELECT num FROM quarantine WHERE parent IN (SELECT value FROM json_each(?)) ORDER BY num", [wanted]
    )
    return [row[0] for row in rows]


def holding(db: Database, record: str) -> int | None:
    """Return the first entry that holds a record that was not accepted from a phone, given as table/id."""
    row = db.execute(
        "SELECT min(num) FROM quarantine WHERE table_name = ? AND record_id = ? AND action = ?",
        [*record.split("/", 1), Action.KEEP],
    ).fetchone()
    return None if row[0] is None else int(row[0])


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with the reason that its two columns hold."""
    row["reason"] = stored_reasons.read(row["table_name"], row.pop("why"), row["reason"])
    return row


def remove(tx: Transaction, num: int) -> None:
    """Delete an entry: its record was accepted after all."""
    tx.db.execute("DELETE FROM quarantine WHERE num = ?", [num])


def forget(tx: Transaction, action: Action, table_name: str, record_id: str) -> None:
    """Delete what was kept of a record whose action is done."""
    tx.db.execute(
        "DELETE FROM quarantine WHERE action = ? AND table_name = ? AND record_id = ?", [action, table_name, record_id]
    )


def by_code(db: Database) -> dict[str, int]:
    """Count the entries by the code of their reason, "" for those whose reason is older than codes."""
    return dict(
        db.execute(
            "SELECT coalesce(json_extract(CASE WHEN json_valid(why) THEN why END, '$.code'), '') AS code, count(*)"
            " FROM quarantine GROUP BY code"
        ).fetchall()
    )


def set_aside(tx: Transaction, num: int, note: str | None) -> bool:
    """Set an entry aside with a note, or with None take it back; whether it is there."""
    return bool(tx.db.execute("UPDATE quarantine SET note = ? WHERE num = ?", [note, num]).rowcount)


def to_check(db: Database) -> int:
    """Count the entries that wait for a person: those that nobody has set aside."""
    return int(db.execute("SELECT count(*) FROM quarantine WHERE note IS NULL").fetchone()[0])


def count(db: Database) -> int:
    """Count the entries."""
    return int(db.execute("SELECT count(*) FROM quarantine").fetchone()[0])


def count_of(db: Database, action: Action) -> int:
    """Count the entries of one action."""
    return int(db.execute("SELECT count(*) FROM quarantine WHERE action = ?", [action]).fetchone()[0])
