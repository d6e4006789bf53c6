-- What phones have as blank rows, for their users may not see it any more: bitmaps of record numbers, beside those of
-- 03_custody.

ALTER TABLE ledger ADD COLUMN blanked BLOB NOT NULL DEFAULT x'';
ALTER TABLE deliveries ADD COLUMN blanked BLOB NOT NULL DEFAULT x'';
