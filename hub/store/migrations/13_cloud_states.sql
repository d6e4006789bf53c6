-- What the hub must know of the cloud's side to overwrite and delete nothing there that it has not seen.
--
-- went_along: tombstones of records that nobody deleted by name: they went with a patient or a visit, which the cloud
--     deleted (by_cloud) or somebody here. Where such a record stands elsewhere in the cloud, it comes back.
-- cloud_seen: the cloud's updated_at of a record as it was last seen there, where it is not the hub's own.

CREATE TABLE went_along (
    table_name TEXT NOT NULL, num INTEGER NOT NULL, by_cloud INTEGER NOT NULL, PRIMARY KEY (table_name, num)
) WITHOUT ROWID;
CREATE TABLE cloud_seen (
    table_name TEXT NOT NULL, num INTEGER NOT NULL, updated_ms REAL NOT NULL, PRIMARY KEY (table_name, num)
) WITHOUT ROWID;
