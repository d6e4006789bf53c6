-- How much of the quarantine each phone holds, so that one that holds much costs no other one its place.

CREATE TABLE quarantine_held (device INTEGER PRIMARY KEY, records INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO quarantine_held
    SELECT device, count(*), sum(length(CAST(raw AS BLOB))) FROM quarantine GROUP BY device;
CREATE TRIGGER quarantine_in AFTER INSERT ON quarantine BEGIN
    INSERT INTO quarantine_held VALUES (new.device, 1, length(CAST(new.raw AS BLOB)))
        ON CONFLICT (device) DO UPDATE SET records = records + 1, bytes = bytes + excluded.bytes;
END;
CREATE TRIGGER quarantine_out AFTER DELETE ON quarantine BEGIN
    UPDATE quarantine_held SET records = records - 1, bytes = bytes - length(CAST(old.raw AS BLOB))
        WHERE device = old.device;
END;
