-- What may have been deleted on a phone (core.phone.doubt): bitmaps of record numbers, beside those of 03_custody.

ALTER TABLE ledger ADD COLUMN unsure BLOB NOT NULL DEFAULT x'';
ALTER TABLE ledger ADD COLUMN failed BLOB NOT NULL DEFAULT x'';
ALTER TABLE ledger_heads ADD COLUMN asked INTEGER NOT NULL DEFAULT 0;
