-- What the relay needs: the link to the cloud, where each record of the outbox stands, ids that differ there.
--
-- outbox.sent: the revision that the cloud confirmed; it stays until the cloud has shown it.
-- outbox.sent_pull: how many pulls were complete when it was sent.
-- outbox.held: the revision that is on hold, because the cloud would not take it (see quarantine).
-- outbox.reason: why it is on hold or waits.
-- outbox.known: column -> marks of the values that its change was made knowing.

CREATE TABLE cloud (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE cloud_names (id TEXT PRIMARY KEY, table_name TEXT NOT NULL, cloud_id TEXT NOT NULL) WITHOUT ROWID;
ALTER TABLE outbox ADD COLUMN sent INTEGER;
ALTER TABLE outbox ADD COLUMN sent_pull INTEGER;
ALTER TABLE outbox ADD COLUMN tries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN held INTEGER;
ALTER TABLE outbox ADD COLUMN reason TEXT;
ALTER TABLE outbox ADD COLUMN known TEXT;
CREATE INDEX outbox_revision ON outbox (revision);
