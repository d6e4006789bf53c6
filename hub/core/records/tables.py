"""Declares every travelling table once: columns, their types and order, what refers to what, what is looked up.

The phone's forms are the canonical ones (schema 9, PROTOCOL.md "Tables"); the cloud's follow from the kind of a column
(CLOUD.md section 6). Reading a record, merging, paging, the columns that migrations make, and the relay read this
page. Who may do what is said in access.py, what the cloud does not keep in hub.core.cloud.tables.
"""

from collections.abc import Mapping
from enum import Enum
from functools import cached_property
from types import MappingProxyType
from typing import Annotated, Any

import msgspec


class ColumnKind(Enum):
    """What a column holds: its form on the phone, and in the cloud."""

    TEXT = "text"  # text                     text, uuid or NUMERIC as text
    LIST = "list"  # text holding JSON        JSON, an array
    OBJECT = "object"  # text holding JSON    JSON, an object
    DATE = "date"  # text YYYY-MM-DD          DATE
    INT = "int"  # number                     integer
    NUMBER = "number"  # number               NUMERIC (comes as text) or float
    MOMENT = "moment"  # number, epoch ms     timestamp
    DAY = "day"  # number, epoch ms           DATE
    FLAG = "flag"  # boolean                  boolean


_PHONE_TYPES = {
    ColumnKind.TEXT: "string",
    ColumnKind.LIST: "string",
    ColumnKind.OBJECT: "string",
    ColumnKind.DATE: "string",
    ColumnKind.INT: "number",
    ColumnKind.NUMBER: "number",
    ColumnKind.MOMENT: "number",
    ColumnKind.DAY: "number",
    ColumnKind.FLAG: "boolean",
}
# A whole number beyond 64 bits is no time and no count: records.build makes a float of it, or refuses it.
_WHOLE = Annotated[int, msgspec.Meta(ge=-(2**63) + 1, le=2**63 - 1)]
_PYTHON_TYPES: dict[str, Any] = {"string": str, "number": _WHOLE | float, "boolean": bool}
_EMPTY: dict[str, str | int | bool] = {"string": "", "number": 0, "boolean": False}


JSON_KINDS = frozenset({ColumnKind.LIST, ColumnKind.OBJECT})


class Column(msgspec.Struct, frozen=True):
    """One column of a table."""

    table: str
    name: str
    kind: ColumnKind
    optional: bool
    refers_to: str | None = None
    """The table whose records it names by their ids."""

    @property
    def phone_type(self) -> str:
        """Return the phone's type: string, number or boolean."""
        return _PHONE_TYPES[self.kind]

    @property
    def is_json(self) -> bool:
        """Return whether its text holds JSON."""
        return self.kind in JSON_KINDS

    @property
    def empty(self) -> str | int | bool | None:
        """Return what the phone itself puts in for nothing: null, '' , 0 or false."""
        return None if self.optional else _EMPTY[self.phone_type]


_KINDS = frozenset(kind.value for kind in ColumnKind)


class Rank(Enum):
    """The order of a pull: what a phone needs first, first."""

    REFERENCE = 0
    PATIENTS = 1
    VISITS = 2
    RECORDS = 3


class PushRule(Enum):
    """What becomes of a row that a phone pushes."""

    RECORD = "record"  # merged, and relayed to the cloud
    LOCAL = "local"  # merged, shared with the other phones, never relayed: the cloud would ignore it (CLOUD.md 4.1)
    REFERENCE = "reference"  # comes from the cloud or the hub's own people; a phone cannot change it


class SeenBy(Enum):
    """Who may see a record, by every way in (hub.core.records.access.sees)."""

    EVERYONE = "everyone"  # whoever is signed in: it is the organisation's
    CARERS = "carers"  # those who may see the patients of the clinic of its patient
    STAFF = "staff"  # those who work in its clinic
    HOLDER = "holder"  # the one whom it is about


class Cascade(Enum):
    """With whose deletion a record goes (CLOUD.md 4.6)."""

    PATIENT = "patient_id"
    VISIT = "visit_id"
    CURRENT_VISIT = "current_visit_id"


SERVER_OWNED = frozenset({"last_modified", "server_created_at"})
"""Columns that a phone only ever fills with 0: the hub keeps its own."""

UNCOUNTED = SERVER_OWNED | {"updated_at"}
"""Columns in which a phone may differ from the hub and still hold the record: it sets updated_at anew after a push."""


class Table(msgspec.Struct, frozen=True, dict=True, eq=False):
    """A travelling table."""

    name: str
    columns: tuple[Column, ...]
    rank: Rank
    push: PushRule
    seen_by: SeenBy
    clinic: str | None = None
    """The column that names a clinic."""
    goes_with: tuple[Cascade, ...] = ()
    lookups: tuple[str, ...] = ()
    """Further columns that the hub looks records up by; the program writes them beside the record."""
    computed: tuple[str, ...] = ()
    """Columns for looking up that the database computes from the record, whoever wrote it: so is every new one made."""

    # Each is derived once: they are asked for on every record.

    @cached_property
    def shape(self) -> type[msgspec.Struct]:
        """Return a Struct with the id and every column in the phone's exact types and order."""
        fields: list[tuple[str, Any, Any]] = [("id", str, msgspec.NODEFAULT)]
        for column in self.columns:
            kind = _PYTHON_TYPES[column.phone_type]
            fields.append((column.name, kind | None if column.optional else kind, column.empty))
        return msgspec.defstruct(f"{self.name}_row", fields, namespace={"TABLE": self.name}, frozen=True, gc=False)

    @cached_property
    def names(self) -> frozenset[str]:
        """Return the names of all columns, id included."""
        return frozenset({"id", *(column.name for column in self.columns)})

    @cached_property
    def by_name(self) -> dict[str, Column]:
        """Return the columns by their names, without id."""
        return {column.name: column for column in self.columns}

    @cached_property
    def references(self) -> Mapping[str, str]:
        """Return the columns that refer to other tables -> the tables."""
        return MappingProxyType({column.name: column.refers_to for column in self.columns if column.refers_to})

    @cached_property
    def patient(self) -> str | None:
        """Return the column that names the patient whose record this is."""
        return "patient_id" if "patient_id" in self.names else None

    @cached_property
    def visits(self) -> tuple[str, ...]:
        """Return the columns that name a visit with whose deletion a record goes."""
        return tuple(cascade.value for cascade in self.goes_with if cascade is not Cascade.PATIENT)

    @cached_property
    def blank(self) -> dict[str, str | int | bool | None]:
        """Return what the phone itself puts in for nothing, by column."""
        return {column.name: column.empty for column in self.columns}

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """Return the columns that the database holds beside the record, each with an index."""
        return tuple(dict.fromkeys((*(cascade.value for cascade in self.goes_with), *self.lookups)))

    @cached_property
    def is_authored(self) -> bool:
        """Return whether the database keeps who entered a row, whose it is while it has no known clinic."""
        return self.seen_by in {SeenBy.CARERS, SeenBy.STAFF}

    @cached_property
    def folded(self) -> Mapping[str, Column]:
        """Return the columns whose text has several forms that mean one: references, dates, JSON."""
        kinds = {ColumnKind.DATE, ColumnKind.LIST, ColumnKind.OBJECT}
        return {column.name: column for column in self.columns if column.refers_to or column.kind in kinds}

    @cached_property
    def days(self) -> Mapping[str, Column]:
        """Return the columns that hold a day as a moment of it."""
        return {column.name: column for column in self.columns if column.kind is ColumnKind.DAY}

    @cached_property
    def deletable(self) -> bool:
        """Return whether a row can say by is_deleted that it is deleted."""
        return "is_deleted" in self.names


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
    ),
)

TABLES = MappingProxyType({table.name: table for table in _TABLES})
"""The tables that phones pull, in the order in which they need them."""

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
"""The tables that a phone may push (schema 9 without event_logs and peers)."""

DELETES_WITH = MappingProxyType(
    {
        "patients": tuple((table, Cascade.PATIENT) for table in _TABLES if Cascade.PATIENT in table.goes_with),
        "visits": tuple(
            (table, cascade)
            for table in _TABLES
            for cascade in table.goes_with
            if cascade in {Cascade.VISIT, Cascade.CURRENT_VISIT}
        ),
    }
)
"""Parent table -> the (table, column) pairs whose rows go with a deleted row of it."""
