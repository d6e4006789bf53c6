-- Reasons as data: a code and its parameters, as JSON (hub.core.reasons), beside the sentence that older programs read.

ALTER TABLE quarantine ADD COLUMN why TEXT;
ALTER TABLE outbox ADD COLUMN why TEXT;
