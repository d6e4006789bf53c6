-- Two phones under one id, or one that was put back from a backup (hub.core.phone.past).
--
-- twins: further ledgers of a device: num stands for the device's number in ledgers and records; began is hub time.
-- seen: hub time at which the phone of a ledger was last here.
-- ahead: hub time at which its phone showed that it had synced with a hub that died, after this one's backup was made.
-- past_answers: the last answers that each ledger gave and expects no more; after: the cursor that the phone came with;
--     fresh: what of nums the phone lacked until then. An answer without records has one row, of no table.

CREATE TABLE twins (num INTEGER PRIMARY KEY, device INTEGER NOT NULL, began INTEGER NOT NULL);
CREATE INDEX twins_device ON twins (device);
CREATE TABLE past_answers (device INTEGER, timestamp, table_name TEXT, after NOT NULL, revision INTEGER NOT NULL,
    nums BLOB NOT NULL, fresh BLOB NOT NULL, PRIMARY KEY (device, timestamp, table_name)) WITHOUT ROWID;
ALTER TABLE ledger_heads ADD COLUMN seen INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger_heads ADD COLUMN ahead INTEGER NOT NULL DEFAULT 0;
