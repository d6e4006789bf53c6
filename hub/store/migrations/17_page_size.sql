-- What a phone showed of its memory (hub.core.phone.page_size), and what each answer that it did not confirm says of it.

ALTER TABLE ledger_heads ADD COLUMN confirmed_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger_heads ADD COLUMN refused_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE ledger_heads ADD COLUMN refused_times INTEGER NOT NULL DEFAULT 0;
ALTER TABLE deliveries ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
