-- What the facts ask for every two seconds, without reading the outbox: how many records are in each state, and since
-- when the longest waiting one waits. The states are those of hub.store.cloud.outbox.

CREATE TABLE outbox_counts (state TEXT PRIMARY KEY, records INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO outbox_counts SELECT 'waiting', count(*) FROM outbox
  WHERE held IS NOT revision AND sent IS NOT revision;
INSERT INTO outbox_counts SELECT 'sent', count(*) FROM outbox WHERE held IS NOT revision AND sent IS revision;
INSERT INTO outbox_counts SELECT 'held', count(*) FROM outbox WHERE held IS revision;

CREATE INDEX outbox_waiting ON outbox (queued) WHERE held IS NOT revision AND sent IS NOT revision;
CREATE INDEX outbox_tried ON outbox (sent_pull) WHERE sent IS revision AND tries >= 2;

CREATE TRIGGER outbox_comes AFTER INSERT ON outbox
BEGIN
  UPDATE outbox_counts SET records = records + 1 WHERE state = CASE WHEN NEW.held IS NEW.revision THEN 'held'
    WHEN NEW.sent IS NEW.revision THEN 'sent' ELSE 'waiting' END;
END;
CREATE TRIGGER outbox_goes AFTER DELETE ON outbox
BEGIN
  UPDATE outbox_counts SET records = records - 1 WHERE state = CASE WHEN OLD.held IS OLD.revision THEN 'held'
    WHEN OLD.sent IS OLD.revision THEN 'sent' ELSE 'waiting' END;
END;
CREATE TRIGGER outbox_moves AFTER UPDATE OF revision, sent, held ON outbox
BEGIN
  UPDATE outbox_counts SET records = records - 1 WHERE state = CASE WHEN OLD.held IS OLD.revision THEN 'held'
    WHEN OLD.sent IS OLD.revision THEN 'sent' ELSE 'waiting' END;
  UPDATE outbox_counts SET records = records + 1 WHERE state = CASE WHEN NEW.held IS NEW.revision THEN 'held'
    WHEN NEW.sent IS NEW.revision THEN 'sent' ELSE 'waiting' END;
END;
