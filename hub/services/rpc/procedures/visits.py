"""Visits: begun, corrected, listed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.actions.records.charts import ChartWriter, Row
from hub.core.records import online
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access
from hub.services.rpc.procedures.patient_access import Given, Json, Listing, Made, Moment, OfPatient
from hub.services.rpc.procedures.registry import SEE, Call, command, query

VisitRow = Annotated[dict[str, Any], msgspec.Meta(title="visits row")]

_VISITS = TABLES["visits"]


class CreateVisit(msgspec.Struct, frozen=True):
    """A new visit; what is left out is the user's own and now."""

    patient_id: str
    id: str = ""
    clinic_id: Given = UNSET
    provider_id: Given = UNSET
    provider_name: Given = UNSET
    check_in_timestamp: Moment | UnsetType = UNSET
    metadata: Json = UNSET


class UpdateVisit(msgspec.Struct, frozen=True):
    """What of a visit is to change."""

    id: str
    clinic_id: Given = UNSET
    provider_id: Given = UNSET
    provider_name: Given = UNSET
    check_in_timestamp: Moment | UnsetType = UNSET
    metadata: Json = UNSET


@query("get_visits", required_permissions=SEE)
def get_visits(call: Call, params: OfPatient) -> Listing[VisitRow]:
    """List a patient's visits, the latest first."""
    with patient_access.reader(call) as charts:
        return Listing(charts.of(_VISITS, params.patient_id, latest="check_in_timestamp"))


@command("visits.create", required_permissions=SEE)
def create(call: Call, params: CreateVisit) -> Made:
    """Begin a visit."""
    with patient_access.writer(call) as charts:
        charts.patient(params.patient_id)
        return Made(begin(charts, patient_access.sent(params)).id)


@command("visits.update", required_permissions=SEE)
def update(call: Call, params: UpdateVisit) -> VisitRow:
    """Correct a visit; returns the whole of it."""
    with patient_access.writer(call) as charts:
        visit = charts.record(_VISITS, params.id)
        return online.shown(_VISITS, charts.change(_VISITS, visit, patient_access.sent(params)))


def begin(charts: ChartWriter, values: Row) -> Record:
    """Make a visit of ``values``; clinic, provider and time are the user's and now unless they are said."""
    user = charts.user
    own = {
        "clinic_id": charts.clinic(),
        "provider_id": user.id,
        "provider_name": user.name,
        "check_in_timestamp": charts.now_ms,
    }
    return charts.create(_VISITS, values, own)
