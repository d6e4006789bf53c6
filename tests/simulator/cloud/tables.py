"""All tables of the cloud: those it alone writes (CLOUD.md 6), the order of a pull, the order of creation."""

from tests.simulator.cloud import pushed
from tests.simulator.cloud.columns import (
    Default,
    Shape,
    Table,
    boolean,
    cloud_times,
    date,
    ident,
    integer,
    json,
    numeric,
    text,
    times,
    ts,
    uuid,
)

CLINICS = Table(
    "clinics",
    (
        ident(),
        text("name", null=True),
        *times(null=True),
        json("attributes", Shape.ARRAY),
        json("metadata"),
        text("address", null=True),
        boolean("is_archived"),
    ),
    scope="id",
)

USERS = Table(
    "users",
    (
        ident(),
        text("name"),
        text("role"),
        text("email"),
        text("hashed_password"),
        text("instance_url", null=True),
        uuid("clinic_id", null=True),
        *times(null=True),
    ),
    scope="clinic_id",
    hub_only=True,
)

DEVICES = Table(
    "devices",
    (
        ident(),
        text("name"),
        text("device_type"),
        text("hardware_id", null=True),
        text("hardware_id_type", null=True),
        text("os_type", null=True),
        text("app_version", null=True),
        text("api_key_hash"),
        text("status"),
        json("clinic_ids", Shape.ARRAY),
        integer("max_pin_attempts", null=False, default=3),
        integer("failed_pin_attempts", null=False, default=0),
        ts("last_seen_at", null=True),
        json("specifications"),
        uuid("recorded_by_user_id", null=True),
        json("metadata"),
        *times(),
    ),
    pulled_as="undefined",
    scope="clinic_ids",
    hub_only=True,
)

DEVICE_PIN_CODES = Table(
    "device_pin_codes",
    (
        ident(),
        uuid("device_id"),
        text("pin_hash"),
        text("label", null=True),
        uuid("issued_to_user_id", null=True),
        uuid("issued_by_user_id", null=True),
        text("status"),
        ts("expires_at", null=True),
        ts("last_used_at", null=True),
        json("metadata"),
        *times(),
    ),
    hub_only=True,
)

EVENT_FORMS = Table(
    "event_forms",
    (
        ident(),
        text("name", null=True),
        text("description", null=True),
        text("language", default="en"),
        boolean("is_editable", null=True),
        boolean("is_snapshot_form", null=True),
        json("form_fields", Shape.ARRAY),
        json("metadata"),
        *times(null=True),
        json("clinic_ids", Shape.ARRAY, null=True),
        json("translations", Shape.ARRAY, null=True),
    ),
    scope="clinic_ids",
)

REGISTRATION_FORMS = Table(
    "patient_registration_forms",
    (
        ident(),
        uuid("clinic_id", null=True),
        text("name"),
        json("fields", Shape.ARRAY),
        json("metadata"),
        *times(null=True),
    ),
    pulled_as="registration_forms",
    scope="clinic_id",
)

DRUG_CATALOGUE = Table(
    "drug_catalogue",
    (
        ident(),
        text("barcode", null=True),
        text("generic_name"),
        text("brand_name", null=True),
        text("form"),
        text("route"),
        numeric("dosage_quantity", 10, 4, null=False),
        text("dosage_units"),
        text("manufacturer", null=True),
        numeric("sale_price", 10, null=False),
        text("sale_currency", null=True),
        integer("min_stock_level"),
        integer("max_stock_level"),
        boolean("is_controlled", null=True),
        boolean("requires_refrigeration", null=True),
        boolean("is_active", null=True, default=True),
        text("notes", null=True),
        uuid("recorded_by_user_id", null=True),
        json("metadata"),
        *times(),
    ),
)

# Never pulled; stock is deducted from it (CLOUD.md 4.8).
DRUG_BATCHES = Table(
    "drug_batches",
    (
        ident(),
        uuid("drug_id", "drug_catalogue"),
        text("batch_number"),
        date("expiry_date"),
        integer("quantity_remaining", null=False, default=0),
        *times(),
    ),
)

CLINIC_INVENTORY = Table(
    "clinic_inventory",
    (
        ident(),
        uuid("clinic_id"),
        uuid("drug_id"),
        uuid("batch_id"),
        integer("quantity_available", null=False, default=0),
        integer("reserved_quantity", default=0),
        ts("last_counted_at", null=True),
        uuid("recorded_by_user_id", null=True),
        json("metadata"),
        *times(),
        text("batch_number", null=True),
        date("batch_expiry_date"),
    ),
    scope="clinic_id",
)

USER_CLINIC_PERMISSIONS = Table(
    "user_clinic_permissions",
    (
        uuid("user_id"),
        uuid("clinic_id"),
        boolean("can_register_patients", null=True),
        boolean("can_view_history", null=True),
        boolean("can_edit_records", null=True),
        boolean("can_delete_records", null=True),
        boolean("is_clinic_admin", null=True),
        uuid("created_by", null=True),
        uuid("last_modified_by", null=True),
        ts("created_at", null=True, default=Default.NOW),
        ts("updated_at", null=True, default=Default.NOW),
        ident(),
        boolean("can_edit_other_provider_event", null=True),
        boolean("can_download_patient_reports", null=True),
        boolean("can_prescribe_medications", null=True),
        boolean("can_dispense_medications", null=True),
        boolean("can_delete_patient_visits", null=True),
        boolean("can_delete_patient_records", null=True),
    ),
    scope="clinic_id",
)

APP_CONFIG = Table(
    "app_config",
    (
        text("namespace"),
        text("key"),
        text("value", null=True),
        text("data_type", default="string"),
        ts("created_at", null=True, default=Default.NOW),
        ts("updated_at", null=True, default=Default.NOW),
        cloud_times(null=True)[0],
        uuid("last_modified_by", null=True),
        text("display_name", null=True),
        ident(),
    ),
)

PULL_ORDER = (
    pushed.PATIENTS,
    pushed.PATIENT_ADDITIONAL_ATTRIBUTES,
    CLINICS,
    pushed.VISITS,
    pushed.EVENTS,
    EVENT_FORMS,
    REGISTRATION_FORMS,
    pushed.APPOINTMENTS,
    pushed.PRESCRIPTIONS,
    pushed.PATIENT_VITALS,
    pushed.PATIENT_PROBLEMS,
    pushed.CLINIC_DEPARTMENTS,
    DRUG_CATALOGUE,
    CLINIC_INVENTORY,
    pushed.DISPENSING_RECORDS,
    pushed.PRESCRIPTION_ITEMS,
    USERS,
    DEVICES,
    DEVICE_PIN_CODES,
    USER_CLINIC_PERMISSIONS,
    APP_CONFIG,
)

CREATION_ORDER = (
    CLINICS,
    USERS,
    DEVICES,
    DEVICE_PIN_CODES,
    EVENT_FORMS,
    REGISTRATION_FORMS,
    DRUG_CATALOGUE,
    DRUG_BATCHES,
    CLINIC_INVENTORY,
    USER_CLINIC_PERMISSIONS,
    APP_CONFIG,
    pushed.PATIENTS,
    pushed.PATIENT_ADDITIONAL_ATTRIBUTES,
    pushed.VISITS,
    pushed.EVENTS,
    pushed.APPOINTMENTS,
    pushed.PRESCRIPTIONS,
    pushed.PATIENT_VITALS,
    pushed.PATIENT_PROBLEMS,
    pushed.PRESCRIPTION_ITEMS,
    pushed.DISPENSING_RECORDS,
    pushed.CLINIC_DEPARTMENTS,
)

BY_NAME = {table.name: table for table in CREATION_ORDER}
