"""Patients: listed, searched, looked up, compared."""

from typing import Annotated, Any

import msgspec

from hub.core.records import online
from hub.core.records.search import SearchedColumns
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.forms import registration_form
from hub.services.rpc.procedures.patient_access import ListPart, ListRange, OfPatient
from hub.services.rpc.procedures.registry import SEE, Call, query

PatientRow = Annotated[dict[str, Any], msgspec.Meta(title="patients row")]

_PATIENTS = TABLES["patients"]
_ATTRIBUTES = TABLES["patient_additional_attributes"]
_VALUES = ("string_value", "number_value", "date_value", "boolean_value")


class SearchPatients(ListRange, frozen=True, kw_only=True):
    """What was typed, by column; the app sends all of it as given_name."""

    filters: dict[str, str | int | None] = msgspec.field(default_factory=dict)


class Field(msgspec.Struct, frozen=True, rename={"base_field": "baseField"}):
    """A field of the registration form; base fields are columns of patients, the others additional attributes."""

    id: str
    column: str
    base_field: bool


class FilledForm(msgspec.Struct, frozen=True):
    """A patient as a filled-in registration form."""

    fields: list[Field]
    values: Annotated[dict[str, Any], msgspec.Meta(title="field id -> value")]


class GovernmentId(msgspec.Struct, frozen=True):
    """A government id."""

    government_id: str


class Exists(msgspec.Struct, frozen=True):
    """Whether it is there."""

    exists: bool


class Alike(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of someone who may be registered already."""

    given_name: str = ""
    surname: str = ""
    date_of_birth: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=patient_access.PAGE_ROWS)] = 10


@query("get_patients", required_permissions=SEE)
def get_patients(call: Call, params: ListRange) -> ListPart[PatientRow]:
    """List patients, the newest first."""
    with patient_access.reader(call) as charts:
        found, total = charts.newest(limit=params.limit, offset=params.offset)
    return ListPart([online.shown(_PATIENTS, record) for record in found], total, params.limit, params.offset)


@query("search_patients", required_permissions=SEE)
def search_patients(call: Call, params: SearchPatients) -> ListPart[PatientRow]:
    """Search by the beginnings of names in any order and script, by fragments of numbers; the newest first."""
    filters = {column: str(typed) for column, typed in params.filters.items() if typed is not None}
    with patient_access.searcher(call) as charts:
        found, total = charts.matching(filters, limit=params.limit, offset=params.offset)
    return ListPart([online.shown(_PATIENTS, record) for record in found], total, params.limit, params.offset)


@query("get_patient", required_permissions=SEE)
def get_patient(call: Call, params: OfPatient) -> FilledForm:
    """Return a patient as a filled-in registration form."""
    with patient_access.reader(call) as charts:
        row = online.shown(_PATIENTS, charts.patient(params.patient_id))
        form = registration_form(charts)
        attributes = [
            online.shown(_ATTRIBUTES, record) for record in charts.where(_ATTRIBUTES, {"patient_id": params.patient_id})
        ]
    fields = [
        *_base_fields(form),
        *(Field(str(each["attribute_id"]), str(each["attribute"]), base_field=False) for each in attributes),
    ]
    values = {field.id: row.get(field.column) for field in fields if field.base_field}
    values |= {str(each["attribute_id"]): _value(each) for each in attributes}
    return FilledForm(fields, values)


@query("check_government_id", required_permissions=SEE)
def check_government_id(call: Call, params: GovernmentId) -> Exists:
    """Return whether a patient has this government id, however it is written."""
    with patient_access.searcher(call) as charts:
        return Exists(bool(charts.of_government_id(params.government_id)))


@query("patients.similar", required_permissions=SEE)
def similar(call: Call, params: Alike) -> patient_access.Listing[PatientRow]:
    """Return patients with like names, the likest first, tolerant of spelling."""
    wanted = SearchedColumns(given_name=params.given_name, surname=params.surname, date_of_birth=params.date_of_birth)
    with patient_access.searcher(call) as charts:
        found = charts.similar(wanted, limit=params.limit)
    return patient_access.Listing([online.shown(_PATIENTS, record) for record in found])


def _base_fields(form: dict[str, Any] | None) -> list[Field]:
    """Return the base fields of the form, then every column that the form does not ask for: the app reads those too."""
    asked: dict[str, str] = {}
    for field in (form or {}).get("fields", ()):
        if isinstance(field, dict) and isinstance(field.get("id"), str) and field.get("column") in _PATIENTS.names:
            asked.setdefault(field["column"], field["id"])
    for column in ("id", *_PATIENTS.by_name):
        asked.setdefault(column, column)
    return [Field(field_id, column, base_field=True) for column, field_id in asked.items()]


def _value(attribute: dict[str, Any]) -> Any:  # noqa: ANN401  text, number, date or yes-no
    return next((attribute[column] for column in _VALUES if attribute[column] is not None), None)
