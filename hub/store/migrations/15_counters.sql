-- By which steps counters went (hub.core.records.counters), which figure each phone said last, what phones entered into the stock that the cloud has never
-- heard of, and of what more was handed out than there was.

CREATE TABLE counter_steps (table_name TEXT, num INTEGER, column_name TEXT, revision INTEGER, device INTEGER,
    step REAL NOT NULL, value REAL NOT NULL, PRIMARY KEY (table_name, num, column_name, revision,
    device)) WITHOUT ROWID;
CREATE TABLE counter_figures (device INTEGER, table_name TEXT, num INTEGER, column_name TEXT, revision INTEGER NOT NULL,
    figure REAL NOT NULL, PRIMARY KEY (device, table_name, num, column_name)) WITHOUT ROWID;
CREATE TABLE counters_entered (num INTEGER, column_name TEXT, entered REAL NOT NULL,
    counted REAL NOT NULL DEFAULT 0, PRIMARY KEY (num, column_name)) WITHOUT ROWID;
CREATE TABLE beyond (table_name TEXT, num INTEGER, PRIMARY KEY (table_name, num)) WITHOUT ROWID;
