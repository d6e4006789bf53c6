-- copy_log: which rows each transaction changed, until the copy beside the hub has them (hub.core.copy.entry). Kept only
--     while there is a copy.
--
-- at: hub time after the transaction.
-- changed: by table the primary keys of the rows; null: nobody knows which, and a whole backup has to be made.

CREATE TABLE copy_log (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, changed BLOB);
