"""Events, which are filled-in forms: entered, corrected, deleted, listed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.core.records import online
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access, visits
from hub.services.rpc.procedures.patient_access import ById, Done, Given, Json, Listing
from hub.services.rpc.procedures.registry import SEE, Call, command, query

EventRow = Annotated[dict[str, Any], msgspec.Meta(title="events row")]

_EVENTS = TABLES["events"]


class OfVisit(msgspec.Struct, frozen=True):
    """Which visit of whom."""

    patient_id: str
    visit_id: str


class OfForm(msgspec.Struct, frozen=True):
    """Which form about whom."""

    form_id: str
    patient_id: str


class CreateEvent(msgspec.Struct, frozen=True):
    """A filled-in form; without a visit the hub begins one."""

    patient_id: str
    id: str = ""
    visit_id: Given = None
    event_type: Given = UNSET
    form_id: Given = UNSET
    form_data: Json = UNSET
    metadata: Json = UNSET
    recorded_by_user_id: Given = UNSET
    created_at: patient_access.Moment | UnsetType = UNSET


class UpdateEvent(msgspec.Struct, frozen=True):
    """What of a filled-in form is to change."""

    id: str
    form_data: Json = UNSET
    metadata: Json = UNSET


class Entered(msgspec.Struct, frozen=True):
    """The new event and its visit."""

    id: str
    visit_id: str


class EventMade(msgspec.Struct, frozen=True):
    """The new event."""

    event_id: str


@query("get_visit_events", required_permissions=SEE)
def get_visit_events(call: Call, params: OfVisit) -> Listing[EventRow]:
    """List the events of a visit, the latest first."""
    with patient_access.reader(call) as charts:
        return Listing(charts.of(_EVENTS, params.patient_id, visit_id=params.visit_id))


@query("events.by_form", required_permissions=SEE)
def by_form(call: Call, params: OfForm) -> list[EventRow]:
    """List a patient's events of one form, the latest first."""
    with patient_access.reader(call) as charts:
        return charts.of(_EVENTS, params.patient_id, form_id=params.form_id)


@command("events.create", required_permissions=SEE)
def create(call: Call, params: CreateEvent) -> Entered:
    """Enter a filled-in form; without a visit the hub begins one, of the user's clinic and now."""
    with patient_access.writer(call) as charts:
        charts.patient(params.patient_id)
        visit_id = charts.visit(params.patient_id, params.visit_id)
        visit_id = visit_id or visits.begin(charts, {"patient_id": params.patient_id}).id
        own = {"recorded_by_user_id": charts.rights.user_id}
        said = patient_access.sent(params)
        event = charts.create(_EVENTS, {**said, "visit_id": visit_id}, own)
    return Entered(event.id, visit_id)


@command("create_event", required_permissions=SEE)
def create_event(call: Call, params: CreateEvent) -> EventMade:
    """Enter a filled-in form, or correct the one that has this id."""
    return EventMade(create(call, params).id)


@command("events.update", required_permissions=SEE)
def update(call: Call, params: UpdateEvent) -> EventRow:
    """Correct a filled-in form; another's needs can_edit_other_provider_event. Returns the whole of it."""
    with patient_access.writer(call) as charts:
        event = charts.record(_EVENTS, params.id)
        return online.shown(_EVENTS, charts.change(_EVENTS, event, patient_access.sent(params)))


@command("events.delete", required_permissions=((Permission.VIEW,), (Permission.DELETE,)))
def delete(call: Call, params: ById) -> Done:
    """Delete a filled-in form."""
    with patient_access.writer(call) as charts:
        charts.delete(_EVENTS, charts.record(_EVENTS, params.id))
    return Done()
