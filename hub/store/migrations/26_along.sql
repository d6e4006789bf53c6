-- What is known of deletions that came from the cloud, or may have to be taken back.
--
-- outbox_along: what waited for the cloud of records that went along with a deleted one (see went_along): rows of the
--     outbox as they were. They wait again when such a record comes back.
-- deleted_there: tombstones of records that the cloud deleted, and nobody here.

CREATE TABLE outbox_along (
    table_name TEXT NOT NULL, num INTEGER NOT NULL, queued INTEGER NOT NULL, revision INTEGER NOT NULL, columns TEXT,
    sent INTEGER, sent_pull INTEGER, held INTEGER, tries INTEGER NOT NULL, reason TEXT, why TEXT, known TEXT,
    PRIMARY KEY (table_name, num)
) WITHOUT ROWID;
CREATE TABLE deleted_there (
    table_name TEXT NOT NULL, num INTEGER NOT NULL, PRIMARY KEY (table_name, num)
) WITHOUT ROWID;
