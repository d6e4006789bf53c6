"""The schema of the database, and every step that led to it."""

from sqlite_utils import Database, Migrations

from hub.core.tables import TABLES, Table

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
        " nums BLOB NOT NULL, frontier INTEGER, PRIMARY KEY (device, timestamp, table_name)) WITHOUT ROWID"
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
