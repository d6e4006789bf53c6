"""Clinics and their departments."""

from typing import Annotated, Any

import msgspec

from hub.core.records import online
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.heartbeat import NoParams
from hub.services.rpc.procedures.patient_access import Listing
from hub.services.rpc.procedures.registry import Call, query

ClinicRow = Annotated[dict[str, Any], msgspec.Meta(title="clinics row")]
DepartmentRow = Annotated[dict[str, Any], msgspec.Meta(title="clinic_departments row")]

_CLINICS = TABLES["clinics"]
_DEPARTMENTS = TABLES["clinic_departments"]


class OfClinic(msgspec.Struct, frozen=True):
    """Which clinic."""

    clinic_id: str


@query("clinics.list")
def list_clinics(call: Call, params: NoParams) -> Listing[ClinicRow]:  # noqa: ARG001  none to heed
    """List the clinics of this hub."""
    with patient_access.reader(call) as charts:
        return Listing([online.shown(_CLINICS, clinic) for clinic in charts.every(_CLINICS)])


@query("clinic_departments.list")
def list_departments(call: Call, params: OfClinic) -> Listing[DepartmentRow]:
    """List a clinic's departments, by name."""
    with patient_access.reader(call) as charts:
        found = charts.where(_DEPARTMENTS, {"clinic_id": params.clinic_id})
    rows = [online.shown(_DEPARTMENTS, department) for department in found]
    return Listing(sorted(rows, key=lambda row: str(row["name"])))
