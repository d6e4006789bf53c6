"""Gives out what waits for the cloud, and keeps what is known of each record on its way (R1).

A record of the outbox waits; is held back, because the cloud would not take it; or was sent: then it stays in the
outbox until the cloud has shown it, so that what the cloud says success to and does not keep is noticed.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlite_utils import Database

from hub.core import reasons
from hub.core.cloud.merge import Pending
from hub.core.cloud.tables import PUSH_ORDER, REFERENCES, USERS
from hub.core.reasons import Code, Reason
from hub.core.records import codec
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES, Table
from hub.store import quarantine
from hub.store.cloud import connection, outbox
from hub.store.database import Transaction
from hub.store.quarantine import Action

PROOF_PULLS = 2
"""A record that was sent and is in none of so many complete pulls is missed."""
TRIES = 2
"""How often a missed record is sent again before it is only listed."""

_WAITS = "o.sent IS NOT o.revision AND o.held IS NOT o.revision"
_columns = msgspec.json.Decoder(frozenset[str]).decode


class Waiting(msgspec.Struct, frozen=True):
    """A record that waits; ``columns`` None stands for a record that the cloud is not known to have."""

    num: int
    id: str
    revision: int
    columns: frozenset[str] | None
    tries: int
    reason: Reason | None
    edited: bool
    """It changed since it came into the outbox."""
    record: Record


class Cause(msgspec.Struct, frozen=True):
    """Why some records of a table wait, or are on hold."""

    table: str
    reason: Reason
    on_hold: bool
    records: int


class Missed(msgspec.Struct, frozen=True):
    """A record that the cloud said success to and has not shown."""

    table: str
    id: str
    reason: Reason


def page(
    db: Database, table: Table, *, after: int, until: int, deleted: bool, only_new: bool, most: int, most_bytes: int
) -> list[Waiting]:
    """Return the next waiting records behind number ``after``, at least one if there is one.

    until: the hub time up to which changes are looked at; what comes later goes in the next cycle.
    deleted: tombstones, or else live records.
    """
    rows = db.execute(
        "SELECT o.num, t.id, o.revision, o.columns, o.tries, o.reason, o.why, o.known IS NOT NULL, t.data, t.cut"
        f" FROM outbox AS o CROSS JOIN [{table.name}] AS t ON t.num = o.num WHERE o.table_name = ? AND o.num > ?"
        f" AND o.revision <= ? AND {_WAITS} AND (o.columns IS NULL OR NOT ?)"
        f" AND t.local_server_deleted_at IS {'NOT ' if deleted else ''}NULL ORDER BY o.num LIMIT ?",
        [table.name, after, until, only_new, most],
    )
    found: list[Waiting] = []
    size = 0
    for num, record_id, revision, columns, tries, reason, why, edited, data, cut in rows:
        waits = _columns(columns) if columns else None
        record = codec.stored(table, data, cut)
        found.append(Waiting(num, record_id, revision, waits, tries, _reason(why, reason), bool(edited), record))
        size += len(data)
        if size >= most_bytes:
            break
    return found


def unborn(db: Database, rows: Sequence[Waiting]) -> set[tuple[str, str]]:
    """Return which (table, id) that these records name the cloud does not have yet, as far as the hub knows."""
    found = set()
    for table, ids in _named(rows).items():
        named = db.execute(
            f"SELECT t.id FROM [{table.name}] AS t CROSS JOIN outbox AS o ON o.table_name = ? AND o.num = t.num"
            " WHERE t.id IN (SELECT value FROM json_each(?)) AND o.columns IS NULL AND o.sent IS NULL"
            " AND t.local_server_deleted_at IS NULL",
            [table.name, msgspec.json.encode(sorted(ids)).decode()],
        )
        found |= {(table.name, row[0]) for row in named}
    return found


def graves(db: Database, rows: Sequence[Waiting]) -> list[tuple[Table, Waiting]]:
    """Return the deleted records that these name, whether or not the cloud ever had them."""
    found = []
    for table, ids in _named(rows).items():
        named = db.execute(
            f"SELECT num, id, data, cut FROM [{table.name}] WHERE id IN (SELECT value FROM json_each(?))"
            " AND local_server_deleted_at IS NOT NULL",
            [msgspec.json.encode(sorted(ids)).decode()],
        )
        for num, record_id, data, cut in named:
            record = codec.stored(table, data, cut)
            found.append((table, Waiting(num, record_id, 0, None, 0, None, edited=False, record=record)))
    return found


def known_patient(db: Database, clinics: Iterable[str]) -> Waiting | None:
    """Return a patient of these clinics whom the cloud has, as far as the hub knows; None if there is none."""
    row = db.execute(
        "SELECT num, id, data, cut FROM patients WHERE primary_clinic_id IN (SELECT value FROM json_each(?))"
        " AND local_server_deleted_at IS NULL AND num NOT IN (SELECT num FROM outbox WHERE table_name = 'patients')"
        " LIMIT 1",
        [msgspec.json.encode(sorted(clinics)).decode()],
    ).fetchone()
    if row is None:
        return None
    record = codec.stored(TABLES["patients"], row[2], row[3])
    return Waiting(row[0], row[1], 0, None, 0, None, edited=False, record=record)


def strangers(db: Database, table: Table, ids: Iterable[str]) -> set[str]:
    """Return which of these ids the hub has no record of."""
    asked = set(ids)
    rows = db.execute(
        f"SELECT id FROM [{table.name}] WHERE id IN (SELECT value FROM json_each(?))",
        [msgspec.json.encode(sorted(asked)).decode()],
    )
    return asked - {row[0] for row in rows}


def unknown(db: Database, named: Iterable[tuple[str, str]]) -> set[str]:
    """Return the tables in which the hub does not have what a record names."""
    found = set()
    for table_name, record_id in named:
        if table_name in TABLES and strangers(db, TABLES[table_name], [record_id]):
            found.add(table_name)
        elif table_name == USERS and not db.execute("SELECT 1 FROM users WHERE id = ?", [record_id]).fetchone():
            found.add(USERS)
    return found


def until(db: Database) -> int:
    """Return the revision of the newest change in the outbox; 0 if it is empty."""
    return int(db.execute("SELECT coalesce(max(revision), 0) FROM outbox").fetchone()[0])


def confirm(tx: Transaction, table: Table, sent: Sequence[Waiting], *, pulls: int, shown: bool) -> None:
    """Note the cloud's success for just these revisions (R1); not ``shown``: no pull will ever prove it."""
    for row in sent:
        if row.reason:
            quarantine.forget(tx, Action.RELAY, table.name, row.id)
    where = "table_name = ? AND num = ? AND revision = ?"
    keys = [(table.name, row.num, row.revision) for row in sent]
    if not shown:
        tx.db.conn.executemany(f"DELETE FROM outbox WHERE {where}", keys)
    tx.db.conn.executemany(
        f"UPDATE outbox SET sent = revision, sent_pull = ?, held = NULL, reason = NULL, why = NULL WHERE {where}",
        [(pulls, *key) for key in keys],
    )
    # What changed on the way goes again, and knowing that the cloud has it by now.
    tx.db.conn.executemany(
        "UPDATE outbox SET sent = ? WHERE table_name = ? AND num = ? AND revision > ?",
        [(row.revision, table.name, row.num, row.revision) for row in sent],
    )


def hold(tx: Transaction, table: Table, num: int, record: Record, reason: Reason, *, revision: int, most: int) -> None:
    """Hold a record back and show it in quarantine; it goes again when it changes or someone says so."""
    show(tx, table, record, reason, most=most)
    tx.db.execute(
        "UPDATE outbox SET held = revision, sent = NULL, reason = ?, why = ?"
        " WHERE table_name = ? AND num = ? AND revision = ?",
        [str(reason), reasons.to_json(reason), table.name, num, revision],
    )


def show(tx: Transaction, table: Table, record: Record, reason: Reason, *, most: int) -> None:
    """Show in quarantine a record that does not reach the cloud; raises Unavailable when that is full."""
    quarantine.forget(tx, Action.RELAY, table.name, record.id)
    quarantine.add(
        tx,
        table_name=table.name,
        record_id=record.id,
        action=Action.RELAY,
        reason=reason,
        raw=codec.write(record)[0],
        device=0,
        user_id="",
        most=most,
    )


def explain(tx: Transaction, table: Table, found: Mapping[int, Reason | None]) -> None:
    """Note why records wait that are looked at again in every cycle; None: nothing keeps them."""
    tx.db.conn.executemany(
        "UPDATE outbox SET reason = ?, why = ? WHERE table_name = ? AND num = ?",
        [(*_columns_of(reason), table.name, num) for num, reason in found.items()],
    )


def release(tx: Transaction, table_name: str | None = None, record_id: str | None = None) -> int:
    """Let what was held back go again: one record, or all; returns how many."""
    if table_name is None:
        held = [(table.name, each) for table in PUSH_ORDER for each in _held(tx.db, table)]
        return sum(release(tx, *each) for each in held)
    table = TABLES[table_name]
    released = tx.db.execute(
        "UPDATE outbox SET held = NULL, reason = NULL, why = NULL WHERE table_name = ? AND num ="
        f" (SELECT num FROM [{table.name}] WHERE id = ?)",
        [table.name, record_id],
    ).rowcount
    if released:  # else quarantine is the only place that still has it
        quarantine.forget(tx, Action.RELAY, table.name, record_id or "")
    return int(released)


def release_some(tx: Transaction, most: int) -> None:
    """Let the first few that were held back go again: what the cloud refused yesterday it may take today."""
    for table in PUSH_ORDER:
        ids = _held(tx.db, table)[:most]
        for record_id in ids:
            release(tx, table.name, record_id)
        most -= len(ids)


def retry(tx: Transaction, entry: Mapping[str, Any]) -> bool:
    """Let a quarantined record go to the cloud again, or ask the cloud for it again; returns whether there is a way.

    There is none for a record that was deleted in the cloud before it was sent: its entry stays.
    """
    if entry["action"] == Action.PULL:
        quarantine.remove(tx, entry["num"])
        connection.want_everything(tx)
        return True
    return release(tx, entry["table_name"], entry["record_id"]) > 0


def _held(db: Database, table: Table) -> list[str]:
    rows = db.execute(
        f"SELECT t.id FROM outbox AS o CROSS JOIN [{table.name}] AS t ON t.num = o.num"
        " WHERE o.table_name = ? AND o.held IS o.revision",
        [table.name],
    )
    return [row[0] for row in rows]


class Standing(msgspec.Struct, frozen=True):
    """How a record of the outbox stands."""

    pending: Pending
    revision: int
    tries: int
    reached: bool
    """The cloud once said success to some version of it."""


def standing(db: Database, table: Table, nums: Iterable[int]) -> dict[int, Standing]:
    """Return how those of these records stand that the cloud has not shown."""
    rows = db.execute(
        "SELECT num, columns, sent IS revision, known, revision, tries, sent IS NOT NULL FROM outbox"
        " WHERE table_name = ? AND num IN (SELECT value FROM json_each(?))",
        [table.name, msgspec.json.encode(list(nums)).decode()],
    )
    found = {}
    for num, columns, sent, known, revision, tries, reached in rows:
        marks = {name: frozenset(each) for name, each in outbox.known_marks(known).items()}
        waits = Pending(columns=_columns(columns) if columns else None, sent=bool(sent), known=marks)
        found[num] = Standing(waits, revision, tries, bool(reached) or columns is not None)
    return found


def seen(tx: Transaction, table: Table, nums: Iterable[int]) -> int:
    """Note that the cloud shows these records as they are here; returns how many waited for that."""
    before = tx.db.conn.total_changes
    tx.db.conn.executemany("DELETE FROM outbox WHERE table_name = ? AND num = ?", [(table.name, num) for num in nums])
    return tx.db.conn.total_changes - before


def differs(tx: Transaction, table: Table, num: int, columns: Iterable[str], marks: Mapping[str, int]) -> None:
    """Note that the cloud has the record, but not these columns of it: they go, or go again."""
    outbox.add_known(tx, table, num, marks)
    tx.db.execute(
        "UPDATE outbox SET columns = ?, tries = tries + (sent IS revision), sent = NULL"
        " WHERE table_name = ? AND num = ?",
        [msgspec.json.encode(sorted(columns)).decode(), table.name, num],
    )


def overdue(tx: Transaction, pulls: int) -> int:
    """Send again what ought to have been in the last pulls and was not; returns how many.

    Deletes are done: they always win, and the cloud does not announce all of them (CLOUD.md 4.6).
    """
    late = "sent IS revision AND sent_pull <= ?"
    for table in PUSH_ORDER:
        tx.db.execute(
            f"DELETE FROM outbox WHERE table_name = ? AND {late} AND num IN"
            f" (SELECT num FROM [{table.name}] WHERE local_server_deleted_at IS NOT NULL)",
            [table.name, pulls - PROOF_PULLS],
        )
    return int(
        tx.db.execute(
            f"UPDATE outbox SET sent = NULL, tries = tries + 1 WHERE {late} AND tries < ?",
            [pulls - PROOF_PULLS, TRIES],
        ).rowcount
    )


def counts(db: Database, pulls: int) -> dict[str, int]:
    """Count the records that wait, that were sent and not seen yet, that are missed, and that are held back."""
    row = db.execute(
        f"SELECT count(*) FILTER (WHERE {_WAITS}), count(*) FILTER (WHERE sent IS revision),"
        " count(*) FILTER (WHERE sent IS revision AND tries >= ? AND sent_pull <= ?),"
        " count(*) FILTER (WHERE held IS revision) FROM outbox AS o",
        [TRIES, pulls - PROOF_PULLS],
    ).fetchone()
    return dict(zip(("waiting", "sent", "missed", "held"), row, strict=True))


def waiting_reasons(db: Database) -> Iterator[Cause]:
    """Return why records wait or are on hold, and how many for each reason."""
    rows = db.execute(
        "SELECT table_name, reason, why, held IS revision, count(*) FROM outbox"
        " WHERE reason IS NOT NULL AND sent IS NOT revision GROUP BY 1, 2, 3, 4 ORDER BY 5 DESC LIMIT 100"
    )
    for table, sentence, why, on_hold, records in rows:
        yield Cause(table, reasons.from_json(why, sentence), bool(on_hold), records)


def missed(db: Database, pulls: int) -> Iterator[Missed]:
    """List what the cloud said success to and does not show, with the likely reason."""
    for table in PUSH_ORDER:
        rows = db.execute(
            f"SELECT t.id, t.data, t.cut FROM outbox AS o CROSS JOIN [{table.name}] AS t ON t.num = o.num"
            " WHERE o.table_name = ? AND o.sent IS o.revision AND o.tries >= ? AND o.sent_pull <= ? LIMIT 100",
            [table.name, TRIES, pulls - PROOF_PULLS],
        )
        for record_id, data, cut in rows.fetchall():
            yield Missed(table.name, record_id, _likely(table, codec.stored(table, data, cut)))


def where(db: Database, table: Table, record_id: str) -> str:
    """Return where a record is: ``hub``, ``sent`` (the cloud said success) or ``cloud`` (it was seen there)."""
    row = db.execute(
        f"SELECT o.num IS NOT NULL, o.sent IS o.revision FROM [{table.name}] AS t"
        " LEFT JOIN outbox AS o ON o.table_name = ? AND o.num = t.num WHERE t.id = ?",
        [table.name, record_id],
    ).fetchone()
    if row is None or not row[0]:
        return "cloud" if row else "nowhere"
    return "sent" if row[1] else "hub"


def _likely(table: Table, record: Record) -> Reason:
    if table.clinic and not record.text(table.clinic):
        return Code.CLINIC_MISSING.of(table=table.name, column=table.clinic)
    return Code.NOT_SHOWN.of(table=table.name)


def _columns_of(reason: Reason | None) -> tuple[str | None, str | None]:
    """Return both columns of a reason: the sentence, which releases before this one read, and the reason itself."""
    return (str(reason), reasons.to_json(reason)) if reason else (None, None)


def _reason(why: str | None, sentence: str | None) -> Reason | None:
    return reasons.from_json(why, sentence) if sentence is not None else None


def _named(rows: Sequence[Waiting]) -> dict[Table, set[str]]:
    named: dict[Table, set[str]] = {}
    for row in rows:
        for column, target in REFERENCES.items():
            value = row.record.text(column)
            if value and TABLES.get(target) in PUSH_ORDER:
                named.setdefault(TABLES[target], set()).add(value)
    return named
