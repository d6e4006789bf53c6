-- What a person noted who set an entry of the quarantine aside; NULL while it waits for somebody.

ALTER TABLE quarantine ADD COLUMN note TEXT;
