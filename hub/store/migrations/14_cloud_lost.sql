-- cloud_lost: records that the cloud had shown and a full pull did not show any more, so that they were sent again. They
--     stay here until the cloud shows them: what it has elsewhere is not sent again every week.

CREATE TABLE cloud_lost (
    table_name TEXT NOT NULL, num INTEGER NOT NULL, PRIMARY KEY (table_name, num)
) WITHOUT ROWID;
