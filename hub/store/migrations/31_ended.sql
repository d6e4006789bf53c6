-- deliveries.ended: the tombstones in an answer of what was not taken for the phone's. What lives again is new to it.

ALTER TABLE deliveries ADD COLUMN ended BLOB NOT NULL DEFAULT x'';
