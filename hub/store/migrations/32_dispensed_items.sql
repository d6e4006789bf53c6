-- What was handed out of an item is found by the item: the cloud may move that to another patient by itself.

ALTER TABLE [dispensing_records] ADD COLUMN [prescription_item_id]
    GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
    '$.prescription_item_id')) VIRTUAL;
CREATE INDEX [dispensing_records_prescription_item_id] ON [dispensing_records] ([prescription_item_id]);
