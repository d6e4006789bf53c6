"""Registration: patients entered, corrected and deleted."""

import uuid
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.actions.records.charts import ChartWriter, Row
from hub.core.errors import Malformed
from hub.core.records.access import Permission
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.patient_access import Json, Moment, OfPatient
from hub.services.rpc.procedures.registry import Call, command

_ANSWERS = 5000
"""In one registration; forms have a hundred fields. So many take some seconds, and nobody else enters anything then."""
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
    additional_attributes: Annotated[list[Attribute], msgspec.Meta(max_length=_ANSWERS)] = []


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
        _answer(charts, patient.id, params.additional_attributes)
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


def _answer(charts: ChartWriter, patient_id: str, attributes: list[Attribute]) -> None:
    """Keep the answers: there is one for each patient and form field."""
    given: dict[str, Row] = {}
    for attribute in attributes:
        field = attribute.attribute_id or attribute.id
        if not field:
            raise Malformed("additional_attributes: attribute_id is missing")
        told = {**patient_access.sent(attribute), "attribute_id": field, "patient_id": patient_id}
        given[field] = {**given.get(field, {}), **told}
    kept = charts.where(_ATTRIBUTES, {"patient_id": patient_id}) if given else []
    stored = {record.text("attribute_id"): record for record in reversed(kept)}
    charts.keep(
        _ATTRIBUTES,
        [
            (stored.get(field), {**values, "id": _answer_id(charts, patient_id, field)})
            for field, values in given.items()
        ],
    )


def _answer_id(charts: ChartWriter, patient_id: str, field: str) -> str:
    """Return the id of a new answer: the same one wherever it is entered, unless that was deleted and stays so."""
    usual = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{patient_id}/{field}"))
    return str(uuid.uuid4()) if charts.exists(_ATTRIBUTES, usual) else usual
