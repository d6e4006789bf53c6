-- Phones of which it showed that copies of them hand out under the same id.

CREATE TABLE copied (device INTEGER PRIMARY KEY) WITHOUT ROWID;
