-- What the web page needs: administrators, their sign-ins, and counts over time for its charts.

CREATE TABLE administrators (name TEXT PRIMARY KEY COLLATE NOCASE, hashed_password TEXT NOT NULL,
    made INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE page_sessions (hash BLOB PRIMARY KEY, kind TEXT NOT NULL, account TEXT NOT NULL,
    issued INTEGER NOT NULL, used INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE counters (at INTEGER PRIMARY KEY, wall INTEGER, entered INTEGER NOT NULL, relayed INTEGER NOT NULL,
    waiting INTEGER NOT NULL);
ALTER TABLE audit ADD COLUMN actor TEXT;
