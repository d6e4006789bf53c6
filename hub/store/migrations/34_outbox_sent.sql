-- What was sent and is not proven is found without reading what waits.

CREATE INDEX outbox_sent ON outbox (sent_pull) WHERE sent IS revision;
