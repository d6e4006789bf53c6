-- Who entered a record, and which patients moved: for what no known clinic owns, and for whom it was shown to before.
--
-- author: the user who brought the record to this hub; null where the cloud or an older program did.
-- moves: the patients who came, or came to another clinic, with the hub time: others may see their records since.

ALTER TABLE [clinic_inventory] ADD COLUMN [author] TEXT;
ALTER TABLE [patients] ADD COLUMN [author] TEXT;
ALTER TABLE [patient_additional_attributes] ADD COLUMN [author] TEXT;
ALTER TABLE [visits] ADD COLUMN [author] TEXT;
ALTER TABLE [events] ADD COLUMN [author] TEXT;
ALTER TABLE [patient_vitals] ADD COLUMN [author] TEXT;
ALTER TABLE [patient_problems] ADD COLUMN [author] TEXT;
ALTER TABLE [appointments] ADD COLUMN [author] TEXT;
ALTER TABLE [prescriptions] ADD COLUMN [author] TEXT;
ALTER TABLE [prescription_items] ADD COLUMN [author] TEXT;
ALTER TABLE [dispensing_records] ADD COLUMN [author] TEXT;
CREATE INDEX patients_own ON patients (author, primary_clinic_id, made_ms, num, local_server_deleted_at)
    WHERE local_server_deleted_at IS NULL;
CREATE TABLE moves (patient_id TEXT PRIMARY KEY, revision INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX moves_revision ON moves (revision);

UPDATE patients SET author = (SELECT user_id FROM devices WHERE devices.num = patients.origin)
    WHERE primary_clinic_id IS NULL OR primary_clinic_id NOT IN (SELECT id FROM clinics);
