-- The answers of a ledger stay when one of them was confirmed: by them the phones of one id are told apart
-- (hub.core.phone.past). Table past_answers of 24_twins was never in use.
--
-- deliveries.after: the cursor with which the phone had come; NULL where an older program wrote it.
-- deliveries.gained: the records that the ledger came to take for the phone's when the answer was chosen.

ALTER TABLE deliveries ADD COLUMN after;
ALTER TABLE deliveries ADD COLUMN gained BLOB NOT NULL DEFAULT x'';
