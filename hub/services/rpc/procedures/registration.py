"""Registration: patients entered, corrected and deleted."""

import uuid
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.actions.records.charts import ChartWriter
from hub.core.errors import Malformed
from hub.core.records.access import Permission
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.patient_access import Json, Moment, OfPatient
from hub.services.rpc.procedures.registry import Call, command

_PATIENTS = TABLES["patients"]
_ATTRIBUTES = TABLES["patient_additional_attributes"]


class Attribute(msgspec.Struct, frozen=True):
    """One answer on the registration form.

    The app fills ``id`` with the form field's id, the same for all patients, and patient_id with ''; neither is used.
    """

    id: str = ""
    attribute_id: str = ""
    attribute: str | UnsetType = UNSET
    string_value: str | None = None
    number_value: int | float | None = None
    date_value: Moment = None
    boolean_value: bool | None = None
    metadata: Json = UNSET


class RegisterPatient(msgspec.Struct, frozen=True):
    """A patient with the answers beyond the columns."""

    patient: dict[str, Any]
    additional_attributes: list[Attribute] = []


class Registered(msgspec.Struct, frozen=True):
    """What was entered."""

    patient_id: str
    attributes_count: int


class Deleted(msgspec.Struct, frozen=True):
    """What was deleted."""

    deleted: bool
    patient_id: str


@command("register_patient", required_permissions=((Permission.REGISTER, Permission.EDIT),))
def register_patient(call: Call, params: RegisterPatient) -> Registered:
    """Enter a patient (can_register_patients) or correct one that has this id (can_edit_records).

    A correction leaves alone whatever comes empty: the app sends '' for every field that it was not told. So an
    entry cannot be emptied this way. Who names no clinic registers in their own.
    """
    with patient_access.writer(call) as charts:
        stored = charts.find(_PATIENTS, _id(params.patient))
        patient = _corrected(charts, stored, params.patient) if stored else _entered(charts, params.patient)
        for attribute in params.additional_attributes:
            _answer(charts, patient.id, attribute)
    return Registered(patient.id, len(params.additional_attributes))


@command("delete_patient", required_permissions=((Permission.VIEW,), (Permission.DELETE_PATIENTS,)))
def delete_patient(call: Call, params: OfPatient) -> Deleted:
    """Delete a patient with all that is theirs."""
    with patient_access.writer(call) as charts:
        charts.delete(_PATIENTS, charts.patient(params.patient_id))
    return Deleted(deleted=True, patient_id=params.patient_id)


def _id(patient: dict[str, Any]) -> str:
    found = patient.get("id") or ""
    if not isinstance(found, str):
        raise Malformed("patient.id should be text")
    return found


def _entered(charts: ChartWriter, values: dict[str, Any]) -> Record:
    clinic = values.get("primary_clinic_id") or charts.clinic(Permission.REGISTER)
    own = {"primary_clinic_id": clinic, "last_modified_by": charts.rights.user_id}
    return charts.create(_PATIENTS, values, own)


def _corrected(charts: ChartWriter, stored: Record, values: dict[str, Any]) -> Record:
    told = {name: value for name, value in values.items() if value not in ("", None, {}, [])}
    return charts.change(_PATIENTS, stored, {**told, "last_modified_by": charts.rights.user_id})


def _answer(charts: ChartWriter, patient_id: str, attribute: Attribute) -> None:
    """Keep one answer: there is one for each patient and form field."""
    field = attribute.attribute_id or attribute.id
    if not field:
        raise Malformed("additional_attributes: attribute_id is missing")
    values = {**patient_access.sent(attribute), "attribute_id": field, "patient_id": patient_id}
    del values["id"]
    stored = charts.where(_ATTRIBUTES, {"patient_id": patient_id})
    same = next((record for record in stored if record.get("attribute_id") == field), None)
    if same:
        charts.change(_ATTRIBUTES, same, values)
        return
    values["id"] = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{patient_id}/{field}"))
    if charts.exists(_ATTRIBUTES, values["id"]):
        values["id"] = ""  # it was deleted once, and stays so
    charts.create(_ATTRIBUTES, values)
