-- The ledger, the outbox and the quarantine.
--
-- ledger: held, owed and hidden are bitmaps of record numbers: what the phone has, what is due to it, and what it may
-- not see.

CREATE TABLE ledger_heads (device INTEGER PRIMARY KEY, revision INTEGER NOT NULL, since INTEGER NOT NULL,
    settled INTEGER NOT NULL, attempts INTEGER NOT NULL, scope TEXT);
CREATE TABLE ledger (device INTEGER, table_name TEXT, held BLOB NOT NULL, owed BLOB NOT NULL, hidden BLOB NOT NULL,
    frontier INTEGER, PRIMARY KEY (device, table_name)) WITHOUT ROWID;
CREATE TABLE deliveries (device INTEGER, timestamp INTEGER, table_name TEXT, revision INTEGER NOT NULL,
    nums BLOB NOT NULL, frontier INTEGER, retry INTEGER NOT NULL, PRIMARY KEY (device, timestamp,
    table_name)) WITHOUT ROWID;
CREATE TABLE doubts (device INTEGER, table_name TEXT, num INTEGER, due INTEGER NOT NULL, wait INTEGER NOT NULL,
    PRIMARY KEY (device, table_name, num)) WITHOUT ROWID;
CREATE TABLE stale (device INTEGER, table_name TEXT, revision INTEGER, nums BLOB NOT NULL, PRIMARY KEY (device,
    table_name, revision)) WITHOUT ROWID;
CREATE TABLE debts (device INTEGER, revision INTEGER, table_name TEXT, num INTEGER, PRIMARY KEY (device, revision,
    table_name, num)) WITHOUT ROWID;
CREATE TABLE outbox (table_name TEXT, num INTEGER, columns TEXT, revision INTEGER NOT NULL, queued INTEGER NOT NULL,
    PRIMARY KEY (table_name, num)) WITHOUT ROWID;
CREATE TABLE quarantine (num INTEGER PRIMARY KEY, fingerprint INTEGER NOT NULL UNIQUE, table_name TEXT NOT NULL,
    record_id TEXT, action TEXT NOT NULL, reason TEXT NOT NULL, raw TEXT NOT NULL, device INTEGER NOT NULL,
    user_id TEXT NOT NULL, at INTEGER NOT NULL);
