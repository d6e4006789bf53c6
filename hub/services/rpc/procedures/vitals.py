"""Vital signs: entered, corrected, listed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.patient_access import Given, Json, Made, Moment, Number, OfPatient
from hub.services.rpc.procedures.registry import SEE, Call, command, query

VitalsRow = Annotated[dict[str, Any], msgspec.Meta(title="patient_vitals row")]

_VITALS = TABLES["patient_vitals"]


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What was measured; null clears."""

    timestamp: Moment | UnsetType = UNSET
    systolic_bp: Number = UNSET
    diastolic_bp: Number = UNSET
    bp_position: Given = UNSET
    height_cm: Number = UNSET
    weight_kg: Number = UNSET
    bmi: Number = UNSET
    waist_circumference_cm: Number = UNSET
    heart_rate: Number = UNSET
    pulse_rate: Number = UNSET
    oxygen_saturation: Number = UNSET
    respiratory_rate: Number = UNSET
    temperature_celsius: Number = UNSET
    pain_level: Number = UNSET
    metadata: Json = UNSET


class CreateVitals(Measured, frozen=True, kw_only=True):
    """New vital signs."""

    patient_id: str
    id: str = ""
    visit_id: Given = None
    event_id: Given = UNSET
    recorded_by_user_id: Given = UNSET


class UpdateVitals(Measured, frozen=True, kw_only=True):
    """Which vital signs, and what of them is to change."""

    id: str


class Updated(Made, frozen=True):
    """What was changed."""

    ok: bool = True


@query("vitals.list", required_permissions=SEE)
def list_vitals(call: Call, params: OfPatient) -> list[VitalsRow]:
    """List a patient's vital signs, the latest first."""
    with patient_access.reader(call) as charts:
        return charts.of(_VITALS, params.patient_id, latest="timestamp")


@command("vitals.create", required_permissions=SEE)
def create(call: Call, params: CreateVitals) -> Made:
    """Enter vital signs, as measured now unless it is said when."""
    with patient_access.writer(call) as charts:
        charts.patient(params.patient_id)
        charts.visit(params.patient_id, params.visit_id)
        own = {"timestamp": charts.now_ms, "recorded_by_user_id": charts.rights.user_id}
        said = patient_access.sent(params)
        return Made(charts.create(_VITALS, said, own).id)


@command("vitals.update", required_permissions=SEE)
def update(call: Call, params: UpdateVitals) -> Updated:
    """Correct vital signs."""
    with patient_access.writer(call) as charts:
        stored = charts.record(_VITALS, params.id)
        charts.change(_VITALS, stored, patient_access.sent(params))
    return Updated(params.id)
