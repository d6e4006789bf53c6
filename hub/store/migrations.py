"""The schema of the database, and every step that led to it."""

from sqlite_utils import Database, Migrations

from hub.core.records.tables import TABLES, Table

migrations = Migrations("hub")


def _record_table(db: Database, table: Table) -> None:
    """Make the table and indexes of one travelling table.

    num: the record number, given rising and never twice; ledgers are bitmaps of them.
    data: the whole record as JSON; ``data[:cut] + "}"`` is the phone's part, cut null if that is all.
    made_ms: its created_at, for the order of a pull. It stands before data so that ordering reads no long rows.
    local_server_last_modified: hub time of its last change, which is its revision; one push has one.
    origin, device: number of the device that first and last pushed it; 0 is the hub or the cloud.
    history: what merging needs (core.merge.History); null while it is as it was first pushed.
    """
    keys = "".join(f", [{key}] TEXT" for key in table.keys)
    db.execute(
        f"CREATE TABLE [{table.name}] ("
        "num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,"
        " local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,"
        " local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL,"
        f" cut INTEGER{keys}, data TEXT NOT NULL, history TEXT)"
    )
    db.execute(
        f"CREATE INDEX [{table.name}_changed] ON [{table.name}]"
        " (local_server_last_modified, device, origin, local_server_created_at)"
    )
    db.execute(f"CREATE INDEX [{table.name}_made] ON [{table.name}] (made_ms)")
    db.execute(
        f"CREATE INDEX [{table.name}_deleted] ON [{table.name}] (local_server_deleted_at)"
        " WHERE local_server_deleted_at IS NOT NULL"
    )
    for key in table.keys:
        db.execute(f"CREATE INDEX [{table.name}_{key}] ON [{table.name}] ([{key}])")


@migrations()
def records(db: Database) -> None:
    """Make the travelling tables."""
    for table in TABLES.values():
        _record_table(db, table)


@migrations()
def hub(db: Database) -> None:
    """Make what the hub knows of itself, its people and its phones."""
    db.execute("CREATE TABLE hub (key TEXT PRIMARY KEY, value) WITHOUT ROWID")
    db.execute(
        "CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,"
        " clinic_id TEXT, hashed_password TEXT NOT NULL, is_deleted INTEGER NOT NULL, source TEXT NOT NULL,"
        " data TEXT NOT NULL)"
    )
    db.execute("CREATE INDEX users_email ON users (email COLLATE NOCASE)")
    db.execute(
        "CREATE TABLE devices (num INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,"
        " state TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, last_sync INTEGER,"
        " user_id TEXT)"
    )
    db.execute(
        "CREATE TABLE tokens (hash BLOB PRIMARY KEY, device INTEGER NOT NULL, user_id TEXT NOT NULL,"
        " issued INTEGER NOT NULL, expires INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute("CREATE INDEX tokens_device ON tokens (device)")
    db.execute("CREATE INDEX tokens_user ON tokens (user_id)")
    db.execute("CREATE TABLE attempts (key BLOB PRIMARY KEY, failures INTEGER NOT NULL, last INTEGER NOT NULL)")
    db.execute("CREATE TABLE spent_keys (key INTEGER PRIMARY KEY)")
    db.execute(
        "CREATE TABLE audit (num INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, device INTEGER,"
        " user_id TEXT, detail TEXT)"
    )


@migrations()
def custody(db: Database) -> None:
    """Make the ledger, the outbox and the quarantine."""
    db.execute(
        "CREATE TABLE ledger_heads (device INTEGER PRIMARY KEY, revision INTEGER NOT NULL, since INTEGER NOT NULL,"
        " settled INTEGER NOT NULL, attempts INTEGER NOT NULL, scope TEXT)"
    )
    db.execute(
        "CREATE TABLE ledger (device INTEGER, table_name TEXT, held BLOB NOT NULL, owed BLOB NOT NULL,"
        " hidden BLOB NOT NULL, frontier INTEGER, PRIMARY KEY (device, table_name)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE deliveries (device INTEGER, timestamp INTEGER, table_name TEXT, revision INTEGER NOT NULL,"
        " nums BLOB NOT NULL, frontier INTEGER, retry INTEGER NOT NULL, PRIMARY KEY (device, timestamp, table_name))"
        " WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE doubts (device INTEGER, table_name TEXT, num INTEGER, due INTEGER NOT NULL,"
        " wait INTEGER NOT NULL, PRIMARY KEY (device, table_name, num)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE stale (device INTEGER, table_name TEXT, revision INTEGER, nums BLOB NOT NULL,"
        " PRIMARY KEY (device, table_name, revision)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE debts (device INTEGER, revision INTEGER, table_name TEXT, num INTEGER,"
        " PRIMARY KEY (device, revision, table_name, num)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE outbox (table_name TEXT, num INTEGER, columns TEXT, revision INTEGER NOT NULL,"
        " queued INTEGER NOT NULL, PRIMARY KEY (table_name, num)) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE quarantine (num INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL UNIQUE,"
        " table_name TEXT NOT NULL, record_id TEXT, action TEXT NOT NULL, reason TEXT NOT NULL, raw TEXT NOT NULL,"
        " device INTEGER NOT NULL, user_id TEXT NOT NULL, at INTEGER NOT NULL)"
    )


_LOOKED_UP = {
    "appointments": ("timestamp",),
    "prescriptions": ("prescribed_at",),
    "prescription_items": ("prescription_id",),
    "drug_catalogue": ("barcode",),
    "clinic_inventory": ("clinic_id", "drug_id"),
    "clinic_departments": ("clinic_id",),
}
"""Columns inside ``data`` that online mode looks records up by."""

_PHONE_PART = "CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END"
"""The unknown columns may nest deeper than SQLite's JSON goes, which would refuse the record."""


@migrations()
def lookups(db: Database) -> None:
    """Make columns of the database of what is looked up inside records, computed, with an index."""
    for table, columns in _LOOKED_UP.items():
        for column in columns:
            db.execute(
                f"ALTER TABLE [{table}] ADD COLUMN [{column}]"
                f" GENERATED ALWAYS AS (json_extract({_PHONE_PART}, '$.{column}')) VIRTUAL"
            )
            db.execute(f"CREATE INDEX [{table}_{column}] ON [{table}] ([{column}])")


@migrations()
def patient_search(db: Database) -> None:
    """Make what patients are listed, counted and found by (hub.store.records.search), and the triggers that keep it.

    The words come folded and parted by blanks, so the plain tokenizer does: it takes every letter beyond ASCII for
    part of a word. Their first letter is their kind, so one to three letters that are typed have an index of their
    own. Numbers are found by any three characters in a row.
    """
    # The condition's own column stands in them, or SQLite would look into the record to test it again.
    live = "local_server_deleted_at) WHERE local_server_deleted_at IS NULL"
    db.execute(f"CREATE INDEX patients_listed ON patients (primary_clinic_id, made_ms, num, {live}")
    db.execute(f"CREATE INDEX patients_newest ON patients (made_ms, num, {live}")
    db.execute("CREATE TABLE patient_counts (clinic TEXT PRIMARY KEY, live INTEGER NOT NULL) WITHOUT ROWID")
    db.execute(
        "CREATE VIRTUAL TABLE patient_words USING fts5(words, name UNINDEXED,"
        " tokenize = 'ascii', prefix = '2 3 4', detail = none, columnsize = 0)"
    )
    db.execute("CREATE VIRTUAL TABLE patient_numbers USING fts5(numbers, tokenize = 'trigram', columnsize = 0)")
    new = "WHERE NEW.local_server_deleted_at IS NULL"
    arrives, leaves = " ".join(_arrives("NEW", new)), " ".join(_leaves())
    db.execute(f"CREATE TRIGGER patients_arrive AFTER INSERT ON patients BEGIN {arrives} END")
    db.execute(f"CREATE TRIGGER patients_leave AFTER DELETE ON patients BEGIN {leaves} END")
    db.execute(
        "CREATE TRIGGER patients_change AFTER UPDATE OF data, local_server_deleted_at, primary_clinic_id ON patients"
        " WHEN OLD.local_server_deleted_at IS NOT NEW.local_server_deleted_at"
        " OR search_words(OLD.data, OLD.cut) <> search_words(NEW.data, NEW.cut)"
        " OR search_numbers(OLD.data, OLD.cut) <> search_numbers(NEW.data, NEW.cut)"
        f" BEGIN {leaves} {arrives} END"
    )
    for statement in _arrives("patients", "FROM patients WHERE local_server_deleted_at IS NULL"):
        db.execute(statement)


def _arrives(row: str, which: str) -> tuple[str, ...]:
    """Write the statements that enter patients: of ``row``, those ``which`` are live."""
    words, name, numbers = (f"search_{column}({row}.data, {row}.cut)" for column in ("words", "name", "numbers"))
    counted = f"SELECT coalesce({row}.primary_clinic_id, ''), 1 {which}"
    return (
        f"INSERT INTO patient_words (rowid, words, name) SELECT {row}.num, {words}, {name} {which};",
        f"INSERT INTO patient_numbers (rowid, numbers) SELECT {row}.num, {numbers} {which};",
        f"INSERT INTO patient_counts (clinic, live) {counted} ON CONFLICT (clinic) DO UPDATE SET live = live + 1;",
    )


def _leaves() -> tuple[str, ...]:
    """Write the statements that take a patient out, if it was live."""
    live = "OLD.local_server_deleted_at IS NULL"
    return (
        f"DELETE FROM patient_words WHERE rowid = OLD.num AND {live};",
        f"DELETE FROM patient_numbers WHERE rowid = OLD.num AND {live};",
        f"UPDATE patient_counts SET live = live - 1 WHERE clinic = coalesce(OLD.primary_clinic_id, '') AND {live};",
    )


@migrations()
def page(db: Database) -> None:
    """Make what the page for people needs: administrators, their sign-ins, and counts over time for its charts."""
    db.execute(
        "CREATE TABLE administrators (name TEXT PRIMARY KEY COLLATE NOCASE, hashed_password TEXT NOT NULL,"
        " made INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE page_sessions (hash BLOB PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL,"
        " issued INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID"
    )
    db.execute(
        "CREATE TABLE counters (at INTEGER PRIMARY KEY, wall INTEGER, entered INTEGER NOT NULL,"
        " relayed INTEGER NOT NULL, waiting INTEGER NOT NULL)"
    )
    db.execute("ALTER TABLE audit ADD COLUMN actor TEXT")


@migrations()
def relay(db: Database) -> None:
    """Make what the relay needs: the link to the cloud, where each record of the outbox stands, other names.

    outbox.sent: the revision that the cloud said success to; it stays until the cloud has shown it.
    outbox.sent_pull: how many pulls were complete when it was sent.
    outbox.held: the revision that is not sent again, because the cloud would not take it (see quarantine).
    outbox.reason: why it is held or waits; known: column -> marks of values that its change was made knowing.
    """
    db.execute("CREATE TABLE cloud (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
    db.execute(
        "CREATE TABLE cloud_names (id TEXT PRIMARY KEY, table_name TEXT NOT NULL, cloud_id TEXT NOT NULL) WITHOUT ROWID"
    )
    for column in ("sent INTEGER", "sent_pull INTEGER", "tries INTEGER NOT NULL DEFAULT 0", "held INTEGER"):
        db.execute(f"ALTER TABLE outbox ADD COLUMN {column}")
    for column in ("reason", "known"):
        db.execute(f"ALTER TABLE outbox ADD COLUMN {column} TEXT")
    db.execute("CREATE INDEX outbox_revision ON outbox (revision)")


@migrations()
def reached(db: Database) -> None:
    """Make where phones last reached the hub."""
    db.execute("CREATE TABLE reached (device INTEGER PRIMARY KEY, host TEXT NOT NULL)")
