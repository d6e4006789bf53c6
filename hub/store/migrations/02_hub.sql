-- What the hub knows about itself, its people and its phones.

CREATE TABLE hub (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE users (id TEXT PRIMARY KEY, email TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL, clinic_id TEXT,
    hashed_password TEXT NOT NULL, is_deleted INTEGER NOT NULL, source TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX users_email ON users (email COLLATE NOCASE);
CREATE TABLE devices (num INTEGER PRIMARY KEY, client_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    state TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL, last_sync INTEGER, user_id TEXT);
CREATE TABLE tokens (hash BLOB PRIMARY KEY, device INTEGER NOT NULL, user_id TEXT NOT NULL, issued INTEGER NOT NULL,
    expires INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX tokens_device ON tokens (device);
CREATE INDEX tokens_user ON tokens (user_id);
CREATE TABLE attempts (key BLOB PRIMARY KEY, failures INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE TABLE spent_keys (key INTEGER PRIMARY KEY);
CREATE TABLE audit (num INTEGER PRIMARY KEY, at INTEGER NOT NULL, event TEXT NOT NULL, device INTEGER, user_id TEXT,
    detail TEXT);
