"""Prescription items, the drugs of a prescription: written, changed, dispensed, listed."""

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from hub.core.errors import Malformed
from hub.core.records import online
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.services.rpc.procedures import dispensing, patient_access, stock
from hub.services.rpc.procedures.dispensing import DISPENSE, Quantity
from hub.services.rpc.procedures.patient_access import Given, Json, Listing, Made, Moment, OfPatient
from hub.services.rpc.procedures.prescriptions import HANDLE
from hub.services.rpc.procedures.registry import SEE, Call, command, query

ItemRow = Annotated[dict[str, Any], msgspec.Meta(title="prescription_items row")]
Count = Annotated[int, msgspec.Meta(ge=0)] | UnsetType

_ITEMS = TABLES["prescription_items"]
_PRESCRIPTIONS = TABLES["prescriptions"]


class OfPrescription(msgspec.Struct, frozen=True):
    """Whose items."""

    prescription_id: str


class Drug(msgspec.Struct, frozen=True, kw_only=True):
    """How much of a drug, and how it is taken."""

    dosage_instructions: Given = UNSET
    quantity_prescribed: Count = UNSET
    quantity_dispensed: Count | None = UNSET
    refills_authorized: Count | None = UNSET
    refills_used: Count | None = UNSET
    item_status: Given = UNSET
    notes: Given = UNSET
    metadata: Json = UNSET


class CreateItem(Drug, frozen=True, kw_only=True):
    """A new item; patient and clinic are the prescription's unless they are said."""

    prescription_id: str
    drug_id: str
    quantity_prescribed: Quantity
    id: str | None = ""
    patient_id: Given = UNSET
    clinic_id: Given = UNSET
    recorded_by_user_id: Given = UNSET
    created_at: Moment | UnsetType = UNSET


class UpdateItem(Drug, frozen=True, kw_only=True):
    """Which item, and what of it is to change."""

    id: str


class DispenseItem(msgspec.Struct, frozen=True):
    """Which item, and how much from which batch; or how much, from those that expire first."""

    id: str
    provider_id: Given = UNSET
    batch_quantities: dict[str, Quantity] = {}
    quantity: Quantity | UnsetType = UNSET


class Dispensed(msgspec.Struct, frozen=True):
    """How much was handed out."""

    ok: bool
    total_dispensed: int


@query("prescription_items.by_prescription", required_permissions=SEE)
def by_prescription(call: Call, params: OfPrescription) -> Listing[ItemRow]:
    """List the items of a prescription."""
    with patient_access.reader(call) as charts:
        charts.record(_PRESCRIPTIONS, params.prescription_id)
        found = charts.where(_ITEMS, {"prescription_id": params.prescription_id})
        return Listing([online.shown(_ITEMS, item) for item in found if charts.sees(_ITEMS, item)])


@query("prescription_items.by_patient", required_permissions=SEE)
def by_patient(call: Call, params: OfPatient) -> Listing[ItemRow]:
    """List a patient's items, the latest first."""
    with patient_access.reader(call) as charts:
        return Listing(charts.of(_ITEMS, params.patient_id))


@command("prescription_items.create", required_permissions=HANDLE)
def create(call: Call, params: CreateItem) -> Made:
    """Add a drug to a prescription."""
    with patient_access.writer(call) as charts:
        prescription = charts.record(_PRESCRIPTIONS, params.prescription_id)
        own = {
            "clinic_id": prescription.text("pickup_clinic_id") or charts.clinic(),
            "item_status": "active",
            "recorded_by_user_id": charts.rights.user_id,
        }
        said = patient_access.sent(params)
        patient_id = prescription.row.patient_id
        if said.get("patient_id") not in {None, "", patient_id}:
            raise Malformed("patient_id is not the prescription's")
        return Made(charts.create(_ITEMS, {**said, "patient_id": patient_id}, own).id)


@command("prescription_items.update", required_permissions=HANDLE)
def update(call: Call, params: UpdateItem) -> ItemRow:
    """Change an item; returns the whole of it."""
    with patient_access.writer(call) as charts:
        item = charts.record(_ITEMS, params.id)
        return online.shown(_ITEMS, charts.change(_ITEMS, item, patient_access.sent(params)))


@command("prescription_items.dispense", required_permissions=DISPENSE)
def dispense(call: Call, params: DispenseItem) -> Dispensed:
    """Dispense an item: takes it from stock, records it and counts it, all or nothing.

    Without quantities it is all that is left of the item. 409 says how much is available.
    """
    with patient_access.writer(call) as charts:
        item = charts.record(_ITEMS, params.id).row
        clinic_id = item.clinic_id or charts.clinic(Permission.DISPENSE) or ""
        if params.batch_quantities:
            taken = stock.choose_each(charts, clinic_id, item.drug_id, params.batch_quantities)
        else:
            left = int(item.quantity_prescribed - item.quantity_dispensed)
            quantity = params.quantity if isinstance(params.quantity, int) else left
            if quantity <= 0:
                raise Malformed("quantity: nothing is left to dispense")
            taken = stock.choose(charts, clinic_id, item.drug_id, quantity)
        values = {
            "clinic_id": clinic_id,
            "drug_id": item.drug_id,
            "patient_id": item.patient_id,
            "prescription_item_id": item.id,
            "dosage_instructions": item.dosage_instructions,
            **({"dispensed_by": params.provider_id} if params.provider_id else {}),
        }
        dispensing.hand_out(charts, values, taken)
        total = sum(part.quantity for part in taken)
        dispensing.complete(charts, charts.record(_ITEMS, params.id))
    return Dispensed(ok=True, total_dispensed=total)
