-- The travelling tables, one for each table of the phone's schema.
--
-- num: the record's number, given rising and never twice; ledgers are bitmaps of them.
-- made_ms: created_at, for the order of a pull. It stands before data, so ordering reads no long rows.
-- local_server_last_modified: hub time of the last change, which is the record's revision; one push has one.
-- local_server_deleted_at: hub time of its deletion; null while it is live.
-- origin, device: number of the device that first and last pushed it; 0 is the hub or the cloud.
-- data: the whole record as JSON; data[:cut] + "}" is the phone's part, cut is null if that is all.
-- history: what merging needs; null while it is as it was first pushed.
-- The other columns repeat values of data, to look records up by.

CREATE TABLE [clinics] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [clinics_changed] ON [clinics] (local_server_last_modified, device, origin, local_server_created_at);
CREATE INDEX [clinics_made] ON [clinics] (made_ms);
CREATE INDEX [clinics_deleted] ON [clinics] (local_server_deleted_at) WHERE local_server_deleted_at IS NOT NULL;

CREATE TABLE [user_clinic_permissions] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER, [user_id] TEXT,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [user_clinic_permissions_changed] ON [user_clinic_permissions] (local_server_last_modified, device,
    origin, local_server_created_at);
CREATE INDEX [user_clinic_permissions_made] ON [user_clinic_permissions] (made_ms);
CREATE INDEX [user_clinic_permissions_deleted] ON [user_clinic_permissions] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [user_clinic_permissions_user_id] ON [user_clinic_permissions] ([user_id]);

CREATE TABLE [app_config] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER, [key] TEXT,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [app_config_changed] ON [app_config] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [app_config_made] ON [app_config] (made_ms);
CREATE INDEX [app_config_deleted] ON [app_config] (local_server_deleted_at) WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [app_config_key] ON [app_config] ([key]);

CREATE TABLE [registration_forms] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [registration_forms_changed] ON [registration_forms] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [registration_forms_made] ON [registration_forms] (made_ms);
CREATE INDEX [registration_forms_deleted] ON [registration_forms] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;

CREATE TABLE [event_forms] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [event_forms_changed] ON [event_forms] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [event_forms_made] ON [event_forms] (made_ms);
CREATE INDEX [event_forms_deleted] ON [event_forms] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;

CREATE TABLE [clinic_departments] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [clinic_departments_changed] ON [clinic_departments] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [clinic_departments_made] ON [clinic_departments] (made_ms);
CREATE INDEX [clinic_departments_deleted] ON [clinic_departments] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;

CREATE TABLE [drug_catalogue] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [drug_catalogue_changed] ON [drug_catalogue] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [drug_catalogue_made] ON [drug_catalogue] (made_ms);
CREATE INDEX [drug_catalogue_deleted] ON [drug_catalogue] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;

CREATE TABLE [clinic_inventory] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    data TEXT NOT NULL, history TEXT);
CREATE INDEX [clinic_inventory_changed] ON [clinic_inventory] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [clinic_inventory_made] ON [clinic_inventory] (made_ms);
CREATE INDEX [clinic_inventory_deleted] ON [clinic_inventory] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;

CREATE TABLE [patients] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [primary_clinic_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [patients_changed] ON [patients] (local_server_last_modified, device, origin, local_server_created_at);
CREATE INDEX [patients_made] ON [patients] (made_ms);
CREATE INDEX [patients_deleted] ON [patients] (local_server_deleted_at) WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [patients_primary_clinic_id] ON [patients] ([primary_clinic_id]);

CREATE TABLE [patient_additional_attributes] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    made_ms INTEGER NOT NULL, local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [patient_additional_attributes_changed] ON [patient_additional_attributes] (local_server_last_modified,
    device, origin, local_server_created_at);
CREATE INDEX [patient_additional_attributes_made] ON [patient_additional_attributes] (made_ms);
CREATE INDEX [patient_additional_attributes_deleted] ON [patient_additional_attributes] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [patient_additional_attributes_patient_id] ON [patient_additional_attributes] ([patient_id]);

CREATE TABLE [visits] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [visits_changed] ON [visits] (local_server_last_modified, device, origin, local_server_created_at);
CREATE INDEX [visits_made] ON [visits] (made_ms);
CREATE INDEX [visits_deleted] ON [visits] (local_server_deleted_at) WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [visits_patient_id] ON [visits] ([patient_id]);

CREATE TABLE [events] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, [visit_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [events_changed] ON [events] (local_server_last_modified, device, origin, local_server_created_at);
CREATE INDEX [events_made] ON [events] (made_ms);
CREATE INDEX [events_deleted] ON [events] (local_server_deleted_at) WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [events_patient_id] ON [events] ([patient_id]);
CREATE INDEX [events_visit_id] ON [events] ([visit_id]);

CREATE TABLE [patient_vitals] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [patient_vitals_changed] ON [patient_vitals] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [patient_vitals_made] ON [patient_vitals] (made_ms);
CREATE INDEX [patient_vitals_deleted] ON [patient_vitals] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [patient_vitals_patient_id] ON [patient_vitals] ([patient_id]);

CREATE TABLE [patient_problems] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [patient_problems_changed] ON [patient_problems] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [patient_problems_made] ON [patient_problems] (made_ms);
CREATE INDEX [patient_problems_deleted] ON [patient_problems] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [patient_problems_patient_id] ON [patient_problems] ([patient_id]);

CREATE TABLE [appointments] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, [current_visit_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [appointments_changed] ON [appointments] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [appointments_made] ON [appointments] (made_ms);
CREATE INDEX [appointments_deleted] ON [appointments] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [appointments_patient_id] ON [appointments] ([patient_id]);
CREATE INDEX [appointments_current_visit_id] ON [appointments] ([current_visit_id]);

CREATE TABLE [prescriptions] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, [visit_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [prescriptions_changed] ON [prescriptions] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [prescriptions_made] ON [prescriptions] (made_ms);
CREATE INDEX [prescriptions_deleted] ON [prescriptions] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [prescriptions_patient_id] ON [prescriptions] ([patient_id]);
CREATE INDEX [prescriptions_visit_id] ON [prescriptions] ([visit_id]);

CREATE TABLE [prescription_items] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [prescription_items_changed] ON [prescription_items] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [prescription_items_made] ON [prescription_items] (made_ms);
CREATE INDEX [prescription_items_deleted] ON [prescription_items] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [prescription_items_patient_id] ON [prescription_items] ([patient_id]);

CREATE TABLE [dispensing_records] (num INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, made_ms INTEGER NOT NULL,
    local_server_created_at INTEGER NOT NULL, local_server_last_modified INTEGER NOT NULL,
    local_server_deleted_at INTEGER, origin INTEGER NOT NULL, device INTEGER NOT NULL, cut INTEGER,
    [patient_id] TEXT, data TEXT NOT NULL, history TEXT);
CREATE INDEX [dispensing_records_changed] ON [dispensing_records] (local_server_last_modified, device, origin,
    local_server_created_at);
CREATE INDEX [dispensing_records_made] ON [dispensing_records] (made_ms);
CREATE INDEX [dispensing_records_deleted] ON [dispensing_records] (local_server_deleted_at)
    WHERE local_server_deleted_at IS NOT NULL;
CREATE INDEX [dispensing_records_patient_id] ON [dispensing_records] ([patient_id]);
