"""Dispensing: what was handed out to whom, and from which batch."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.actions.records.charts import ChartWriter, Row
from hub.core.errors import Malformed, NotFound
from hub.core.records.access import Permission
from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import patient_access, stock
from hub.services.rpc.procedures.patient_access import Given, Json, Listing, Made, Moment, OfPatient, Whole
from hub.services.rpc.procedures.registry import SEE, Call, RequiredPermissions, command, query
from hub.services.rpc.procedures.stock import Chosen

DispensingRow = Annotated[dict[str, Any], msgspec.Meta(title="dispensing_records row")]
Quantity = Annotated[int, msgspec.Meta(gt=0, le=1_000_000)]

DISPENSE: RequiredPermissions = ((Permission.VIEW,), (Permission.DISPENSE,))

_DISPENSED = TABLES["dispensing_records"]
_ITEMS = TABLES["prescription_items"]
_DRUGS = TABLES["drug_catalogue"]


class CreateDispensing(msgspec.Struct, frozen=True):
    """What was handed out; without a batch the hub takes those that expire first."""

    patient_id: str
    drug_id: str
    quantity_dispensed: Quantity
    id: str | None = ""
    clinic_id: Given = UNSET
    batch_id: str | None = None
    prescription_item_id: str | None = None
    dosage_instructions: Given = UNSET
    days_supply: Whole = UNSET
    dispensed_by: Given = UNSET
    dispensed_at: Moment | UnsetType = UNSET
    recorded_by_user_id: Given = UNSET
    metadata: Json = UNSET


@query("dispensing.by_patient", required_permissions=SEE)
def by_patient(call: Call, params: OfPatient) -> Listing[DispensingRow]:
    """List what was dispensed to a patient, the latest first."""
    with patient_access.reader(call) as charts:
        return Listing(charts.of(_DISPENSED, params.patient_id, latest="dispensed_at"))


@command("dispensing.create", required_permissions=DISPENSE)
def create(call: Call, params: CreateDispensing) -> Made:
    """Dispense: takes the quantity from stock and counts it on the prescription item, all or nothing.

    409 says how much is available. A quantity from several batches becomes a record for each; the first one's id is
    given. The same id again changes nothing.
    """
    with patient_access.writer(call) as charts:
        charts.patient(params.patient_id)
        if params.id and charts.exists(_DISPENSED, params.id):
            return Made(charts.record(_DISPENSED, params.id).id)
        _check_drug(charts, params.drug_id)
        item = _item(charts, params)
        clinic_id = params.clinic_id or charts.clinic(Permission.DISPENSE) or ""
        taken = stock.choose(charts, str(clinic_id), params.drug_id, params.quantity_dispensed, params.batch_id)
        said = patient_access.sent(params)
        records = hand_out(charts, {**said, "clinic_id": clinic_id}, taken)
        if item:
            complete(charts, item)
        return Made(records[0].id)


def hand_out(charts: ChartWriter, values: Row, taken: list[Chosen]) -> list[Record]:
    """Record what was taken: one record for each batch, the first with the id of ``values``."""
    own = {
        "dispensed_by": charts.rights.user_id,
        "recorded_by_user_id": charts.rights.user_id,
        "dispensed_at": charts.now_ms,
    }
    return [
        charts.create(
            _DISPENSED,
            {
                **values,
                "id": values.get("id") if number == 0 else None,
                "batch_id": part.batch_id,
                "quantity_dispensed": part.quantity,
            },
            own,
        )
        for number, part in enumerate(taken)
    ]


def complete(charts: ChartWriter, item: Record) -> None:
    """Complete an item of which all is dispensed."""
    now = charts.record(_ITEMS, item.id)
    if now.row.quantity_dispensed >= now.row.quantity_prescribed:
        charts.change(_ITEMS, now, {"item_status": "completed"})


def _item(charts: ChartWriter, params: CreateDispensing) -> Record | None:
    if not params.prescription_item_id:
        return None
    item = charts.record(_ITEMS, params.prescription_item_id)
    if item.row.patient_id != params.patient_id or item.row.drug_id != params.drug_id:
        raise Malformed("prescription_item_id is of another patient or drug")
    return item


def _check_drug(charts: ChartWriter, drug_id: str) -> None:
    if charts.find(_DRUGS, drug_id) is None:
        raise NotFound("no such drug")
