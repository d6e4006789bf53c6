-- Ids of phones under which it showed that several of them hand out.

CREATE TABLE shared_ids (device INTEGER PRIMARY KEY) WITHOUT ROWID;
