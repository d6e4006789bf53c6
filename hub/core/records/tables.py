"""Declares every travelling table once: columns, their types and order, what refers to what, what is looked up.

The phone's forms are the canonical ones (schema 9, PROTOCOL.md "Tables"); the cloud's follow from the kind of a column
(CLOUD.md section 6). Reading a record, merging, paging, the columns that migrations make, and the relay read this
page. Who may do what is said in access.py, what the cloud does not keep in hub.core.cloud.tables.
"""

from types import MappingProxyType

import msgspec

from hub.core.records.table import Cascade, Column, ColumnKind, PushRule, Rank, SeenBy, Table

_KINDS = frozenset(kind.value for kind in ColumnKind)


def _table(
    name: str,
    columns: str,
    rank: Rank,
    push: PushRule,
    seen_by: SeenBy,
    *,
    clinic: str | None = None,
    goes_with: tuple[Cascade, ...] = (),
    lookups: tuple[str, ...] = (),
    computed: tuple[str, ...] = (),
) -> Table:
    """Make a table of ``name:kind`` words.

    A word that is no kind is the table that the column refers to; a question mark says that the column may be null.
    """
    read = []
    for word in columns.split():
        column, _, said = word.partition(":")
        kind = said.rstrip("?")
        refers_to = None if kind in _KINDS else kind
        holds = ColumnKind.TEXT if refers_to else ColumnKind(kind)
        read.append(Column(name, column, holds, optional=said[-1] == "?", refers_to=refers_to))
    return Table(name, tuple(read), rank, push, seen_by, clinic, goes_with, lookups, computed)


_PATIENT = (Cascade.PATIENT,)
_PATIENT_AND_VISIT = (Cascade.PATIENT, Cascade.VISIT)
_NEXT = "is_deleted:flag deleted_at:moment? created_at:moment updated_at:moment"
"""What is certain of the tables of a later app than schema 9; their other columns travel as they come."""


def _next_table(
    name: str,
    refers_to: str,
    rank: Rank,
    seen_by: SeenBy,
    *,
    goes_with: tuple[Cascade, ...] = (),
    lookups: tuple[str, ...] = (),
) -> Table:
    """Make a table of a later app than schema 9."""
    columns = f"{refers_to} {_NEXT}"
    table = _table(name, columns, rank, PushRule.RECORD, seen_by, goes_with=goes_with, lookups=lookups)
    return msgspec.structs.replace(table, is_next=True)


_TABLES = (
    _table(
        "clinics",
        "name:text updated_at:moment created_at:moment is_deleted:flag deleted_at:moment? is_archived:flag",
        Rank.REFERENCE,
        PushRule.REFERENCE,
        SeenBy.EVERYONE,
    ),
    _table(
        "user_clinic_permissions",
        "user_id:users clinic_id:clinics can_register_patients:flag can_view_history:flag can_edit_records:flag "
        "can_delete_records:flag is_clinic_admin:flag created_by:text? last_modified_by:users? created_at:moment "
        "updated_at:moment can_edit_other_provider_event:flag can_download_patient_reports:flag "
        "can_prescribe_medications:flag can_dispense_medications:flag can_delete_patient_visits:flag "
        "can_delete_patient_records:flag",
        Rank.REFERENCE,
        PushRule.REFERENCE,
        SeenBy.HOLDER,
        clinic="clinic_id",
        lookups=("user_id",),
    ),
    _table(
        "app_config",
        "namespace:text key:text value:text data_type:text created_at:moment updated_at:moment "
        "last_modified:moment last_modified_by:users? display_name:text?",
        Rank.REFERENCE,
        PushRule.REFERENCE,
        SeenBy.EVERYONE,
        lookups=("key",),
    ),
    _table(
        "registration_forms",
        "name:text fields:list metadata:object is_deleted:flag deleted_at:moment? created_at:moment updated_at:moment",
        Rank.REFERENCE,
        PushRule.REFERENCE,
        SeenBy.EVERYONE,
    ),
    _table(
        "event_forms",
        "name:text description:text language:text is_editable:flag is_snapshot_form:flag form_fields:list "
        "metadata:object is_deleted:flag deleted_at:moment? created_at:moment updated_at:moment clinic_ids:list "
        "translations:list?",
        Rank.REFERENCE,
        PushRule.REFERENCE,
        SeenBy.EVERYONE,
    ),
    _table(
        "clinic_departments",
        "clinic_id:clinics name:text code:text? description:text? status:text can_dispense_medications:flag "
        "can_perform_labs:flag can_perform_imaging:flag additional_capabilities:list metadata:object "
        "is_deleted:flag created_at:moment updated_at:moment last_modified:moment server_created_at:moment "
        "deleted_at:moment?",
        Rank.REFERENCE,
        PushRule.LOCAL,
        SeenBy.EVERYONE,
        clinic="clinic_id",
        computed=("clinic_id",),
    ),
    _table(
        "drug_catalogue",
        "barcode:text? generic_name:text brand_name:text? form:text route:text dosage_quantity:text "
        "dosage_units:text manufacturer:text? sale_price:text sale_currency:text? min_stock_level:int "
        "max_stock_level:int? is_controlled:flag requires_refrigeration:flag is_active:flag notes:text? "
        "recorded_by_user_id:users? metadata:object is_deleted:flag deleted_at:moment? last_modified:moment "
        "server_created_at:moment? created_at:moment updated_at:moment",
        Rank.REFERENCE,
        PushRule.LOCAL,
        SeenBy.EVERYONE,
        computed=("barcode",),
    ),
    _table(
        "clinic_inventory",
        "clinic_id:clinics drug_id:drug_catalogue batch_id:drug_batches quantity_available:int "
        "reserved_quantity:int last_counted_at:moment? recorded_by_user_id:users? metadata:object is_deleted:flag "
        "deleted_at:moment? last_modified:moment server_created_at:moment? created_at:moment updated_at:moment "
        "batch_number:text batch_expiry_date:day",
        Rank.REFERENCE,
        PushRule.LOCAL,
        SeenBy.STAFF,
        clinic="clinic_id",
        computed=("clinic_id", "drug_id"),
    ),
    _next_table("drug_batches", "drug_id:drug_catalogue", Rank.REFERENCE, SeenBy.EVERYONE),
    _next_table("resources", "", Rank.REFERENCE, SeenBy.EVERYONE),
    _table(
        "patients",
        "given_name:text surname:text date_of_birth:date citizenship:text hometown:text phone:text sex:text "
        "camp:text? additional_data:object metadata:object photo_url:text? is_deleted:flag deleted_at:moment? "
        "created_at:moment updated_at:moment government_id:text external_patient_id:text "
        "primary_clinic_id:clinics? last_modified_by:users?",
        Rank.PATIENTS,
        PushRule.RECORD,
        SeenBy.CARERS,
        clinic="primary_clinic_id",
        lookups=("primary_clinic_id",),
    ),
    _table(
        "patient_additional_attributes",
        "patient_id:patients attribute_id:text attribute:text number_value:number? string_value:text? "
        "date_value:moment? boolean_value:flag? metadata:object is_deleted:flag created_at:moment "
        "updated_at:moment last_modified:moment server_created_at:moment deleted_at:moment?",
        Rank.PATIENTS,
        PushRule.RECORD,
        SeenBy.CARERS,
        goes_with=_PATIENT,
    ),
    _table(
        "visits",
        "patient_id:patients clinic_id:clinics provider_id:users provider_name:text check_in_timestamp:moment "
        "metadata:object is_deleted:flag deleted_at:moment? created_at:moment updated_at:moment",
        Rank.VISITS,
        PushRule.RECORD,
        SeenBy.CARERS,
        clinic="clinic_id",
        goes_with=_PATIENT,
    ),
    _table(
        "events",
        "patient_id:patients form_id:event_forms visit_id:visits event_type:text form_data:list metadata:object "
        "is_deleted:flag deleted_at:moment? created_at:moment updated_at:moment recorded_by_user_id:users",
        Rank.RECORDS,
        PushRule.RECORD,
        SeenBy.CARERS,
        goes_with=_PATIENT_AND_VISIT,
    ),
    _table(
        "patient_vitals",
        "patient_id:patients visit_id:visits? timestamp:moment systolic_bp:int? diastolic_bp:int? "
        "bp_position:text? height_cm:number? weight_kg:number? bmi:number? waist_circumference_cm:number? "
        "heart_rate:int? pulse_rate:int? oxygen_saturation:number? respiratory_rate:int? "
        "temperature_celsius:number? pain_level:int? recorded_by_user_id:users? metadata:object is_deleted:flag "
        "created_at:moment updated_at:moment deleted_at:moment? event_id:events?",
        Rank.RECORDS,
        PushRule.RECORD,
        SeenBy.CARERS,
        goes_with=_PATIENT,
    ),
    _table(
        "patient_problems",
        "patient_id:patients visit_id:visits? problem_code_system:text problem_code:text problem_label:text "
        "clinical_status:text verification_status:text severity_score:int? onset_date:day? end_date:day? "
        "recorded_by_user_id:users? metadata:object is_deleted:flag created_at:moment updated_at:moment "
        "last_modified:moment server_created_at:moment deleted_at:moment?",
        Rank.RECORDS,
        PushRule.RECORD,
        SeenBy.CARERS,
        goes_with=_PATIENT,
    ),
    _table(
        "appointments",
        "provider_id:users? clinic_id:clinics patient_id:patients user_id:users current_visit_id:visits "
        "fulfilled_visit_id:visits? timestamp:moment duration:int? reason:text notes:text is_walk_in:flag "
        "departments:list status:text metadata:object is_deleted:flag created_at:moment updated_at:moment "
        "deleted_at:moment?",
        Rank.RECORDS,
        PushRule.RECORD,
        SeenBy.CARERS,
        clinic="clinic_id",
        goes_with=(Cascade.PATIENT, Cascade.CURRENT_VISIT),
        computed=("timestamp",),
    ),
    _table(
        "prescriptions",
        "patient_id:patients provider_id:users filled_by:users? pickup_clinic_id:clinics? visit_id:visits? "
        "priority:text expiration_date:moment prescribed_at:moment filled_at:moment? status:text items:list "
        "notes:text metadata:object is_deleted:flag created_at:moment updated_at:moment deleted_at:moment?",
        Rank.RECORDS,
        PushRule.RECORD,
        SeenBy.CARERS,
        clinic="pickup_clinic_id",
        goes_with=_PATIENT_AND_VISIT,
        computed=("prescribed_at",),
    ),
    _table(
        "prescription_items",
        "prescription_id:prescriptions patient_id:patients drug_id:drug_catalogue clinic_id:clinics "
        "dosage_instructions:text quantity_prescribed:int quantity_dispensed:int refills_authorized:int "
        "refills_used:int item_status:text notes:text? created_at:moment updated_at:moment "
        "recorded_by_user_id:users? metadata:object is_deleted:flag deleted_at:moment? last_modified:moment "
        "server_created_at:moment?",
        Rank.RECORDS,
        PushRule.RECORD,
        SeenBy.CARERS,
        clinic="clinic_id",
        goes_with=_PATIENT,
        computed=("prescription_id",),
    ),
    _table(
        "dispensing_records",
        "clinic_id:clinics drug_id:drug_catalogue batch_id:drug_batches? prescription_item_id:prescription_items? "
        "patient_id:patients quantity_dispensed:int dosage_instructions:text? days_supply:int? dispensed_by:users "
        "dispensed_at:moment recorded_by_user_id:users? metadata:object is_deleted:flag deleted_at:moment? "
        "last_modified:moment server_created_at:moment? created_at:moment updated_at:moment",
        Rank.RECORDS,
        PushRule.RECORD,
        SeenBy.CARERS,
        clinic="clinic_id",
        lookups=("patient_id",),
        computed=("prescription_item_id",),
    ),
    *(
        _next_table(name, "patient_id:patients", Rank.RECORDS, SeenBy.CARERS, goes_with=_PATIENT)
        for name in ("patient_allergies", "patient_tobacco_history", "patient_observations")
    ),
    _next_table(
        "patient_allergy_reactions",
        "allergy_id:patient_allergies",
        Rank.RECORDS,
        SeenBy.CARERS,
        goes_with=(Cascade.ALLERGY,),
    ),
)

TABLES = MappingProxyType({table.name: table for table in _TABLES})
"""The tables that phones pull, in the order in which they need them."""

NEXT_TABLES = tuple(table for table in _TABLES if table.is_next)
"""Those that only a later app than schema 9 has."""

NEXT_NAMES = frozenset(table.name for table in NEXT_TABLES)

PHONE_USERS = _table(
    "users",
    "clinic_id:clinics name:text role:text email:text created_at:moment updated_at:moment is_deleted:flag "
    "deleted_at:moment?",
    Rank.REFERENCE,
    PushRule.REFERENCE,
    SeenBy.HOLDER,
)
"""The phone has a table for users and may force-upload it; the hub never sends it and never takes it."""

PHONE_TABLES = MappingProxyType({**TABLES, "users": PHONE_USERS})
"""The tables that a phone may push (schema 9 without event_logs and peers, and the next ones)."""

DELETES_WITH = MappingProxyType(
    {
        parent: tuple(
            (table, cascade)
            for table in _TABLES
            for cascade in table.goes_with
            if table.references[cascade.value] == parent
        )
        for parent in ("patients", "visits", "patient_allergies")
    }
)
"""Parent table -> the (table, column) pairs whose rows go with a deleted row of it."""
