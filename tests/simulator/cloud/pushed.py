"""The tables that a push can write, column by column (CLOUD.md 6), in the order in which it works (CLOUD.md 4.1)."""

from tests.simulator.cloud.columns import (
    Column,
    Default,
    Garbage,
    Odd,
    Put,
    Shape,
    Table,
    boolean,
    cloud_times,
    date,
    dropped,
    floating,
    ident,
    inserted,
    integer,
    json,
    numeric,
    put,
    text,
    ts,
    uuid,
)


def _created(*, null: bool = False) -> Column:
    return inserted(ts("created_at", null=null, default=Default.NOW))


def _updated(update: Put, *, null: bool = False) -> Column:
    return put(ts("updated_at", null=null, default=Default.NOW), Put.GIVEN, update)


_DELETED_AT = dropped(ts("deleted_at", null=True))
_PATIENT = uuid("patient_id", "patients")

PATIENTS = Table(
    "patients",
    (
        ident(),
        text("given_name", null=True),
        text("surname", null=True),
        date("date_of_birth", void=("", 0)),
        text("citizenship", null=True),
        text("hometown", null=True),
        text("phone", null=True),
        text("sex", 24, null=True),
        text("camp", 50, null=True),
        json("additional_data"),
        ts("image_timestamp", null=True, garbage=Garbage.REFUSED),
        json("metadata"),
        text("photo_url", null=True, void=("", 0, False)),
        boolean("is_deleted", null=True),
        _created(null=True),
        _updated(Put.GIVEN, null=True),
        *cloud_times(null=True),
        _DELETED_AT,
        text("government_id", 100, null=True),
        text("external_patient_id", 100, null=True),
        uuid("primary_clinic_id", "clinics", null=True),
        uuid("last_modified_by", "users", null=True),
    ),
    scope="primary_clinic_id",
)

PATIENT_ADDITIONAL_ATTRIBUTES = Table(
    "patient_additional_attributes",
    (
        ident(invented=False),
        text("attribute_id"),
        text("attribute", default=""),
        floating("number_value", void=(0, "")),
        text("string_value", null=True, void=("", 0, False)),
        ts("date_value", null=True),
        boolean("boolean_value", null=True, default=None, void=(False, "")),
        json("metadata"),
        boolean("is_deleted"),
        _created(),
        _updated(Put.NOW),
        *cloud_times(),
        _DELETED_AT,
        uuid("patient_id"),  # no foreign key: CLOUD.md 7
    ),
    key=("patient_id", "attribute_id"),
)

VISITS = Table(
    "visits",
    (
        ident(invented=False),
        uuid("patient_id", "patients", null=True),
        uuid("clinic_id", "clinics", null=True),
        uuid("provider_id", "users", null=True),
        text("provider_name", null=True),
        ts("check_in_timestamp", null=True),
        boolean("is_deleted", null=True),
        json("metadata", odd=frozenset({Odd.NULL_TEXT})),
        _created(null=True),
        _updated(Put.NOW, null=True),
        *cloud_times(null=True),
        _DELETED_AT,
    ),
    scope="clinic_id",
)

EVENTS = Table(
    "events",
    (
        ident(),
        uuid("patient_id", "patients", null=True),
        uuid("visit_id", "visits", null=True, garbage=Garbage.DEFAULT),
        uuid("form_id", "event_forms", null=True),
        text("event_type", null=True),
        json("form_data", Shape.EITHER),
        json("metadata"),
        put(boolean("is_deleted", null=True), Put.DEFAULT, Put.DEFAULT),
        _created(null=True),
        _updated(Put.NOW, null=True),
        *cloud_times(null=True),
        _DELETED_AT,
        uuid("recorded_by_user_id", "users", null=True),
    ),
)

APPOINTMENTS = Table(
    "appointments",
    (
        ident(),
        uuid("provider_id", "users", null=True, garbage=Garbage.DEFAULT),
        uuid("clinic_id", "clinics"),
        _PATIENT,
        uuid("user_id", "users"),
        uuid("current_visit_id", "visits", garbage=Garbage.DEFAULT, lax=True),
        uuid("fulfilled_visit_id", "visits", null=True, garbage=Garbage.DEFAULT),
        ts("timestamp", default=Default.NOW),
        integer("duration", null=False, bits=16, default=60, lax=True),
        text("reason", default=""),
        text("notes", default=""),
        text("status", default="pending"),
        json("metadata"),
        put(boolean("is_deleted"), Put.DEFAULT, Put.DEFAULT),
        ts("created_at", default=Default.NOW),
        _updated(Put.GIVEN),
        *cloud_times(),
        put(ts("deleted_at", null=True), Put.DEFAULT, Put.DEFAULT),
        json("departments", Shape.EITHER),
        boolean("is_walk_in"),
    ),
    scope="clinic_id",
)

PRESCRIPTIONS = Table(
    "prescriptions",
    (
        ident(),
        _PATIENT,
        uuid("provider_id", "users"),
        uuid("filled_by", "users", null=True, void=("",)),
        uuid("pickup_clinic_id", "clinics", lax=True),
        uuid("visit_id", "visits", null=True, garbage=Garbage.DEFAULT),
        text("priority", null=True, default="normal"),
        ts("expiration_date", null=True),
        inserted(ts("prescribed_at", default=Default.NOW)),
        inserted(ts("filled_at", null=True)),
        text("status", default="pending"),
        dropped(json("items", Shape.ARRAY)),
        text("notes", default="", lax=True),
        dropped(json("metadata")),
        dropped(boolean("is_deleted")),
        _created(),
        _updated(Put.GIVEN),
        _DELETED_AT,
        *cloud_times(),
    ),
    scope="pickup_clinic_id",
)

PATIENT_VITALS = Table(
    "patient_vitals",
    (
        ident(),
        _PATIENT,
        uuid("visit_id", "visits", null=True),
        ts("timestamp", default=Default.NOW),
        integer("systolic_bp"),
        integer("diastolic_bp"),
        text("bp_position", 50, null=True),
        numeric("height_cm", 5),
        numeric("weight_kg", 5),
        numeric("bmi", 4),
        numeric("waist_circumference_cm", 5),
        integer("heart_rate"),
        integer("pulse_rate"),
        numeric("oxygen_saturation", 5),
        integer("respiratory_rate"),
        numeric("temperature_celsius", 4),
        integer("pain_level"),
        uuid("recorded_by_user_id", "users", null=True),
        json("metadata"),
        boolean("is_deleted"),
        put(ts("created_at", default=Default.NOW), Put.GIVEN, Put.NOW),
        _updated(Put.NOW),
        *cloud_times(created=Put.NOW),
        put(ts("deleted_at", null=True, void=(), garbage=Garbage.REFUSED), Put.GIVEN, Put.GIVEN_IF_ANY),
        dropped(uuid("event_id", null=True)),
    ),
)

PATIENT_PROBLEMS = Table(
    "patient_problems",
    (
        ident(invented=False),
        _PATIENT,
        uuid("visit_id", "visits", null=True),
        text("problem_code_system", 50),
        text("problem_code", 100),
        text("problem_label", 255),
        text("clinical_status", 50),
        text("verification_status", 50),
        integer("severity_score"),
        date("onset_date", void=(0,)),
        date("end_date", void=(0,)),
        uuid("recorded_by_user_id", "users", null=True),
        json("metadata", Shape.EITHER, odd=frozenset({Odd.ARRAY, Odd.BROKEN_TEXT})),
        boolean("is_deleted"),
        put(ts("created_at", default=Default.NOW), Put.NOW, Put.NOW),
        put(ts("updated_at", default=Default.NOW), Put.NOW, Put.NOW),
        *cloud_times(),
        ts("deleted_at", null=True, void=(), garbage=Garbage.REFUSED),
    ),
    guarded=False,
)

DISPENSING_RECORDS = Table(
    "dispensing_records",
    (
        ident(),
        inserted(uuid("clinic_id", "clinics")),
        uuid("drug_id", "drug_catalogue"),
        put(uuid("batch_id", "drug_batches", null=True), Put.GIVEN, Put.GIVEN_IF_ANY),
        uuid("prescription_item_id", "prescription_items", null=True),
        inserted(_PATIENT),
        integer("quantity_dispensed", null=False),
        text("dosage_instructions", null=True),
        integer("days_supply"),
        uuid("dispensed_by", "users"),
        ts("dispensed_at", default=Default.NOW),
        uuid("recorded_by_user_id", "users", null=True),
        json("metadata", odd=frozenset({Odd.NULL, Odd.ARRAY, Odd.ARRAY_TEXT, Odd.BROKEN_TEXT})),
        dropped(boolean("is_deleted")),
        _created(),
        _updated(Put.NOW),
        *cloud_times(),
        _DELETED_AT,
    ),
    scope="clinic_id",
)

PRESCRIPTION_ITEMS = Table(
    "prescription_items",
    (
        ident(),
        uuid("prescription_id", "prescriptions"),
        _PATIENT,
        uuid("drug_id", "drug_catalogue"),
        uuid("clinic_id", "clinics"),
        text("dosage_instructions", default="", lax=True),
        integer("quantity_prescribed", null=False, default=0, lax=True),
        integer("quantity_dispensed", default=0, lax=True),
        integer("refills_authorized"),
        integer("refills_used"),
        text("item_status", 50, null=True),
        text("notes", null=True),
        dropped(uuid("recorded_by_user_id", null=True)),
        dropped(json("metadata")),
        dropped(boolean("is_deleted")),
        _created(),
        _updated(Put.KEEP),
        *cloud_times(modified=Put.KEEP),
        _DELETED_AT,
    ),
    scope="clinic_id",
)

CLINIC_DEPARTMENTS = Table(
    "clinic_departments",
    (
        put(ident(), Put.DEFAULT, Put.KEEP),
        uuid("clinic_id", "clinics"),
        text("name"),
        text("code", null=True),
        text("description", null=True),
        text("status", null=True),
        boolean("can_dispense_medications"),
        boolean("can_perform_labs"),
        boolean("can_perform_imaging"),
        json("additional_capabilities", Shape.EITHER, null=True),
        json("metadata"),
        boolean("is_deleted", null=True),
        ts("created_at", null=True, default=Default.NOW),
        ts("updated_at", null=True, default=Default.NOW),
        *cloud_times(null=True),
        _DELETED_AT,
    ),
    scope="clinic_id",
)

# A hub's push goes on with CLINIC_DEPARTMENTS and two tables that it only pretends to take (CLOUD.md 4.1).
IN_ORDER = (
    PATIENTS,
    PATIENT_ADDITIONAL_ATTRIBUTES,
    VISITS,
    EVENTS,
    APPOINTMENTS,
    PRESCRIPTIONS,
    PATIENT_VITALS,
    PATIENT_PROBLEMS,
    DISPENSING_RECORDS,
    PRESCRIPTION_ITEMS,
)
