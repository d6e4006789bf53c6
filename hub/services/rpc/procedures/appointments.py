"""Appointments: made, changed, cancelled, kept, listed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.core.records import ids, online
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import dated_lists, patient_access
from hub.services.rpc.procedures.dated_lists import DAY_MS
from hub.services.rpc.procedures.patient_access import (
    ById,
    Given,
    Json,
    Listing,
    ListPart,
    ListRange,
    Moment,
    OfPatient,
    Whole,
)
from hub.services.rpc.procedures.registry import SEE, Call, command, query

AppointmentRow = Annotated[dict[str, Any], msgspec.Meta(title="appointments row")]
Flag = bool | int | UnsetType

_APPOINTMENTS = TABLES["appointments"]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """What is planned."""

    provider_id: Given = UNSET
    fulfilled_visit_id: Given = UNSET
    duration: Whole = UNSET
    reason: Given = UNSET
    notes: Given = UNSET
    is_walk_in: Flag = UNSET
    departments: Json = UNSET
    status: str | UnsetType = UNSET
    metadata: Json = UNSET


class CreateAppointment(Planned, frozen=True, kw_only=True):
    """A new appointment; clinic and user are the caller's unless they are said."""

    patient_id: str
    timestamp: Moment
    id: str | None = ""
    clinic_id: Given = UNSET
    user_id: Given = UNSET
    current_visit_id: Given = UNSET
    created_at: Moment | UnsetType = UNSET


class UpdateAppointment(Planned, frozen=True, kw_only=True):
    """Which appointment, and what of it is to change."""

    id: str
    timestamp: Moment | UnsetType = UNSET


class CompleteAppointment(msgspec.Struct, frozen=True):
    """Which appointment was kept, and in which visit."""

    id: str
    user_id: Given = UNSET
    visit_id: str | None = None


class ListAppointments(ListRange, frozen=True, kw_only=True):
    """Appointments from one moment to another."""

    start_date: Moment
    end_date: Moment
    clinic_id: str | None = None
    status: str | None = None


class SearchAppointments(ListRange, frozen=True, kw_only=True):
    """Appointments of a clinic in the 24 hours from ``date``, by the patient's name."""

    clinic_id: str
    date: Moment
    search_query: str | None = ""
    department_ids: list[str] | None = None
    status: list[str] | None = None


class AppointmentMade(msgspec.Struct, frozen=True):
    """The new appointment."""

    appointment_id: str


class Cancelled(msgspec.Struct, frozen=True):
    """It was cancelled."""

    cancelled: bool = True


class Completed(msgspec.Struct, frozen=True):
    """It was kept."""

    completed: bool = True


@query("appointments.get", required_permissions=SEE)
def get(call: Call, params: ById) -> AppointmentRow:
    """Return an appointment."""
    with patient_access.reader(call) as charts:
        return online.shown(_APPOINTMENTS, charts.record(_APPOINTMENTS, params.id))


@query("appointments.by_patient", required_permissions=SEE)
def by_patient(call: Call, params: OfPatient) -> Listing[AppointmentRow]:
    """List a patient's appointments, the latest first."""
    with patient_access.reader(call) as charts:
        return Listing(charts.of(_APPOINTMENTS, params.patient_id, latest="timestamp"))


@query("appointments.list", required_permissions=SEE)
def list_appointments(call: Call, params: ListAppointments) -> ListPart[AppointmentRow]:
    """List the appointments of a time, the latest first."""

    def wanted(record: Record) -> bool:
        return _is(record, "clinic_id", params.clinic_id) and _is(record, "status", params.status)

    with patient_access.reader(call) as charts:
        return dated_lists.page(
            charts,
            _APPOINTMENTS,
            "timestamp",
            start=patient_access.moment_ms("start_date", params.start_date),
            end=patient_access.moment_ms("end_date", params.end_date),
            named="",
            wanted=wanted,
            part=params,
        )


@query("appointments.search", required_permissions=SEE)
def search_appointments(call: Call, params: SearchAppointments) -> ListPart[AppointmentRow]:
    """Search a clinic's appointments of one day by the patient's name."""
    departments = set(map(ids.canonical, params.department_ids or ()))

    def wanted(record: Record) -> bool:
        return (
            record.get("clinic_id") == params.clinic_id
            and (not params.status or record.get("status") in params.status)
            and (not departments or not departments.isdisjoint(_departments(record)))
        )

    start = patient_access.moment_ms("date", params.date)
    with patient_access.searcher(call) as charts:
        return dated_lists.page(
            charts,
            _APPOINTMENTS,
            "timestamp",
            start=start,
            end=start + DAY_MS - 1,
            named=params.search_query or "",
            wanted=wanted,
            part=params,
        )


@command("appointments.create", required_permissions=SEE)
def create(call: Call, params: CreateAppointment) -> AppointmentMade:
    """Make an appointment."""
    with patient_access.writer(call) as charts:
        charts.patient(params.patient_id)
        charts.visit(params.patient_id, params.current_visit_id)
        own = {"clinic_id": charts.clinic(), "user_id": charts.rights.user_id, "status": "pending"}
        said = patient_access.sent(params)
        return AppointmentMade(charts.create(_APPOINTMENTS, said, own).id)


@command("appointments.update", required_permissions=SEE)
def update(call: Call, params: UpdateAppointment) -> AppointmentRow:
    """Change an appointment; returns the whole of it."""
    with patient_access.writer(call) as charts:
        appointment = charts.record(_APPOINTMENTS, params.id)
        charts.visit(str(appointment.get("patient_id")), params.fulfilled_visit_id)
        return online.shown(_APPOINTMENTS, charts.change(_APPOINTMENTS, appointment, patient_access.sent(params)))


@command("appointments.cancel", required_permissions=SEE)
def cancel(call: Call, params: ById) -> Cancelled:
    """Cancel an appointment."""
    with patient_access.writer(call) as charts:
        charts.change(_APPOINTMENTS, charts.record(_APPOINTMENTS, params.id), {"status": "cancelled"})
    return Cancelled()


@command("appointments.complete", required_permissions=SEE)
def complete(call: Call, params: CompleteAppointment) -> Completed:
    """Mark an appointment as kept, perhaps in a visit."""
    with patient_access.writer(call) as charts:
        appointment = charts.record(_APPOINTMENTS, params.id)
        visit_id = charts.visit(str(appointment.get("patient_id")), params.visit_id)
        values = {"status": "completed", **({"fulfilled_visit_id": visit_id} if visit_id else {})}
        charts.change(_APPOINTMENTS, appointment, values)
    return Completed()


def _is(record: Record, column: str, value: str | None) -> bool:
    return not value or record.get(column) == value


def _departments(record: Record) -> set[str]:
    found = online.shown(_APPOINTMENTS, record)["departments"]
    return {ids.canonical(str(each.get("id"))) for each in found if isinstance(each, dict)}
