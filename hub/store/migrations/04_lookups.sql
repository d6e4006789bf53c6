-- Looked-up columns that SQLite computes from data, each with an index.
--
-- Only the phone's part is read: unknown columns may nest deeper than SQLite's JSON reader goes, and it would refuse
-- the record.

ALTER TABLE [appointments] ADD COLUMN [timestamp]
    GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
    '$.timestamp')) VIRTUAL;
CREATE INDEX [appointments_timestamp] ON [appointments] ([timestamp]);
ALTER TABLE [prescriptions] ADD COLUMN [prescribed_at]
    GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
    '$.prescribed_at')) VIRTUAL;
CREATE INDEX [prescriptions_prescribed_at] ON [prescriptions] ([prescribed_at]);
ALTER TABLE [prescription_items] ADD COLUMN [prescription_id]
    GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
    '$.prescription_id')) VIRTUAL;
CREATE INDEX [prescription_items_prescription_id] ON [prescription_items] ([prescription_id]);
ALTER TABLE [drug_catalogue] ADD COLUMN [barcode]
    GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
    '$.barcode')) VIRTUAL;
CREATE INDEX [drug_catalogue_barcode] ON [drug_catalogue] ([barcode]);
ALTER TABLE [clinic_inventory] ADD COLUMN [clinic_id]
    GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
    '$.clinic_id')) VIRTUAL;
CREATE INDEX [clinic_inventory_clinic_id] ON [clinic_inventory] ([clinic_id]);
ALTER TABLE [clinic_inventory] ADD COLUMN [drug_id]
    GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
    '$.drug_id')) VIRTUAL;
CREATE INDEX [clinic_inventory_drug_id] ON [clinic_inventory] ([drug_id]);
ALTER TABLE [clinic_departments] ADD COLUMN [clinic_id]
    GENERATED ALWAYS AS (json_extract(CASE WHEN cut IS NULL THEN data ELSE substr(data, 1, cut) || '}' END,
    '$.clinic_id')) VIRTUAL;
CREATE INDEX [clinic_departments_clinic_id] ON [clinic_departments] ([clinic_id]);
