-- What the hub remembers of its own health, for whoever looks after many hubs from afar; no records, no people, no phones.
--
-- samples.at: hub time. run: hub time at which that run of the machine began. said, clock: what was known of the true time
--     then, and how well (hub.core.fleet.sample_time). time: the true time that it was given before it was first sent.
-- totals: what is counted over the hub's whole life (hub.core.fleet.totals).

CREATE TABLE samples (
    num INTEGER PRIMARY KEY, at INTEGER NOT NULL, run INTEGER NOT NULL, said INTEGER, clock TEXT NOT NULL, time INTEGER,
    data TEXT NOT NULL
);
CREATE TABLE totals (name TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
