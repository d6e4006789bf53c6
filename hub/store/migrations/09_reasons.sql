-- Reasons as data: a code and its parameters, as JSON (hub.core.reasons), beside the sentence that older programs read.

ALTER TABLE quarantine ADD COLUMN why TEXT;
ALTER TABLE outbox ADD COLUMN why TEXT;

-- An older program knows the sentence alone: what it changes must not keep the code of the sentence before.
CREATE TRIGGER outbox_reason AFTER UPDATE OF reason ON outbox
  WHEN NEW.reason IS NOT OLD.reason AND NEW.why IS OLD.why AND NEW.why IS NOT NULL
BEGIN
  UPDATE outbox SET why = NULL WHERE table_name = NEW.table_name AND num = NEW.num;
END;
