"""Prescriptions: written, changed, picked up, listed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.core.records import online
from hub.core.records.access import Permission
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import dated_lists, patient_access
from hub.services.rpc.procedures.dated_lists import DAY_MS
from hub.services.rpc.procedures.events import OfVisit
from hub.services.rpc.procedures.patient_access import Done, Given, Json, Listing, ListPart, ListRange, Moment
from hub.services.rpc.procedures.registry import SEE, Call, RequiredPermissions, command, query

PrescriptionRow = Annotated[dict[str, Any], msgspec.Meta(title="prescriptions row")]

PRESCRIBE: RequiredPermissions = ((Permission.VIEW,), (Permission.PRESCRIBE,))
HANDLE: RequiredPermissions = ((Permission.VIEW,), (Permission.PRESCRIBE, Permission.DISPENSE))

_PRESCRIPTIONS = TABLES["prescriptions"]
_ALWAYS_MS = 8.64e15
"""The last moment that JavaScript knows."""


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """What is prescribed; the drugs are prescription items."""

    filled_by: Given = UNSET
    pickup_clinic_id: Given = UNSET
    priority: Given = UNSET
    expiration_date: Moment | UnsetType = UNSET
    filled_at: Moment | UnsetType = UNSET
    status: str | UnsetType = UNSET
    items: Json = UNSET
    notes: Given = UNSET
    metadata: Json = UNSET


class CreatePrescription(Written, frozen=True, kw_only=True):
    """A new prescription; provider and clinic are the user's unless they are said."""

    patient_id: str
    id: str | None = ""
    provider_id: Given = UNSET
    visit_id: Given = UNSET
    prescribed_at: Moment | UnsetType = UNSET
    created_at: Moment | UnsetType = UNSET


class UpdatePrescription(Written, frozen=True, kw_only=True):
    """Which prescription, and what of it is to change."""

    id: str


class NewStatus(msgspec.Struct, frozen=True):
    """Which prescription, and where it stands."""

    id: str
    status: str


class PickedUp(msgspec.Struct, frozen=True):
    """Which prescription was picked up, and from whom."""

    id: str
    provider_id: Given = UNSET


class SearchPrescriptions(ListRange, frozen=True, kw_only=True):
    """Prescriptions by the patient's name; ``date`` means the 24 hours from it."""

    search_query: str | None = ""
    clinic_id: str | None = None
    status: list[str] | None = None
    date: Moment = None


class PrescriptionMade(msgspec.Struct, frozen=True):
    """The new prescription."""

    prescription_id: str


@query("prescriptions.by_patient_visit", required_permissions=SEE)
def by_patient_visit(call: Call, params: OfVisit) -> Listing[PrescriptionRow]:
    """List the prescriptions of a visit, the latest first."""
    with patient_access.reader(call) as charts:
        return Listing(charts.of(_PRESCRIPTIONS, params.patient_id, latest="prescribed_at", visit_id=params.visit_id))


@query("prescriptions.search", required_permissions=SEE)
def search_prescriptions(call: Call, params: SearchPrescriptions) -> ListPart[PrescriptionRow]:
    """Search prescriptions by the patient's name, the latest first."""

    def wanted(record: Record) -> bool:
        of_clinic = not params.clinic_id or record.get("pickup_clinic_id") == params.clinic_id
        return of_clinic and (not params.status or record.get("status") in params.status)

    dated = params.date is not None and params.date != ""
    start = patient_access.moment_ms("date", params.date) if dated else -_ALWAYS_MS
    with patient_access.searcher(call) as charts:
        return dated_lists.page(
            charts,
            _PRESCRIPTIONS,
            "prescribed_at",
            start=start,
            end=start + DAY_MS - 1 if dated else _ALWAYS_MS,
            named=params.search_query or "",
            wanted=wanted,
            part=params,
        )


@command("prescriptions.create", required_permissions=PRESCRIBE)
def create(call: Call, params: CreatePrescription) -> PrescriptionMade:
    """Write a prescription."""
    with patient_access.writer(call) as charts:
        charts.patient(params.patient_id)
        charts.visit(params.patient_id, params.visit_id)
        own = {
            "provider_id": charts.rights.user_id,
            "pickup_clinic_id": charts.clinic(Permission.PRESCRIBE),
            "prescribed_at": charts.now_ms,
            "status": "pending",
            "priority": "normal",
        }
        said = patient_access.sent(params)
        return PrescriptionMade(charts.create(_PRESCRIPTIONS, said, own).id)


@command("prescriptions.update", required_permissions=HANDLE)
def update(call: Call, params: UpdatePrescription) -> PrescriptionRow:
    """Change a prescription; returns the whole of it."""
    with patient_access.writer(call) as charts:
        stored = charts.record(_PRESCRIPTIONS, params.id)
        return online.shown(_PRESCRIPTIONS, charts.change(_PRESCRIPTIONS, stored, patient_access.sent(params)))


@command("prescriptions.update_status", required_permissions=HANDLE)
def update_status(call: Call, params: NewStatus) -> Done:
    """Set how far a prescription is."""
    with patient_access.writer(call) as charts:
        charts.change(_PRESCRIPTIONS, charts.record(_PRESCRIPTIONS, params.id), {"status": params.status})
    return Done()


@command("prescriptions.pickup", required_permissions=HANDLE)
def pickup(call: Call, params: PickedUp) -> Done:
    """Mark a prescription as picked up now."""
    with patient_access.writer(call) as charts:
        by = params.provider_id if isinstance(params.provider_id, str) and params.provider_id else charts.rights.user_id
        values = {"status": "picked-up", "filled_by": by, "filled_at": charts.now_ms}
        charts.change(_PRESCRIPTIONS, charts.record(_PRESCRIPTIONS, params.id), values)
    return Done()
