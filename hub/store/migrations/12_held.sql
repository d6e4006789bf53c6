-- What a record in quarantine waits for, as table/id, if that was not accepted either.

ALTER TABLE quarantine ADD COLUMN parent TEXT;
CREATE INDEX quarantine_parent ON quarantine (parent) WHERE parent IS NOT NULL;
CREATE INDEX quarantine_record ON quarantine (table_name, record_id);
