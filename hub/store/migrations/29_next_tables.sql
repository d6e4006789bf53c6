-- The tables of a later app than schema 9, like those of 01_records, and which phones have them.
--
-- phone_tables: the tables that the phone of a ledger sent; no other phone gets them, for one that does not know a table
-- fails its whole sync.

CREATE TABLE [drug_batches] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [drug_batches_changed] ON [drug_batches] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [drug_batches_made] ON [drug_batches] (made_ms);
CREATE INDEX [drug_batches_deleted] ON [drug_batches] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;

CREATE TABLE [resources] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [resources_changed] ON [resources] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [resources_made] ON [resources] (made_ms);
CREATE INDEX [resources_deleted] ON [resources] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;

CREATE TABLE [patient_allergies] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER, [patient_id] TEXT,
    data TEXT NOT NULL, history TEXT, author TEXT);
CREATE INDEX [patient_allergies_changed] ON [patient_allergies] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [patient_allergies_made] ON [patient_allergies] (made_ms);
CREATE INDEX [patient_allergies_deleted] ON [patient_allergies] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [patient_allergies_patient_id] ON [patient_allergies] ([patient_id]);

CREATE TABLE [patient_tobacco_history] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER, [patient_id] TEXT,
    data TEXT NOT NULL, history TEXT, author TEXT);
CREATE INDEX [patient_tobacco_history_changed] ON [patient_tobacco_history] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [patient_tobacco_history_made] ON [patient_tobacco_history] (made_ms);
CREATE INDEX [patient_tobacco_history_deleted] ON [patient_tobacco_history] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [patient_tobacco_history_patient_id] ON [patient_tobacco_history] ([patient_id]);

CREATE TABLE [patient_observations] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER, [patient_id] TEXT,
    data TEXT NOT NULL, history TEXT, author TEXT);
CREATE INDEX [patient_observations_changed] ON [patient_observations] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [patient_observations_made] ON [patient_observations] (made_ms);
CREATE INDEX [patient_observations_deleted] ON [patient_observations] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [patient_observations_patient_id] ON [patient_observations] ([patient_id]);

CREATE TABLE [patient_allergy_reactions] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER, [allergy_id] TEXT,
    data TEXT NOT NULL, history TEXT, author TEXT);
CREATE INDEX [patient_allergy_reactions_changed] ON [patient_allergy_reactions] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [patient_allergy_reactions_made] ON [patient_allergy_reactions] (made_ms);
CREATE INDEX [patient_allergy_reactions_deleted] ON [patient_allergy_reactions] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [patient_allergy_reactions_allergy_id] ON [patient_allergy_reactions] ([allergy_id]);

CREATE TABLE phone_tables (device INTEGER NOT NULL, table_name TEXT NOT NULL, PRIMARY KEY (device, table_name))
    WITHOUT ROWID;
