"""Makes a clinic's reference data in the phone's form: forms, departments, drugs and what is in stock.

Ids are uuids, as the cloud wants them, and the same in every run: a show goes on where an earlier one ended.
"""

import json
import random
import uuid

from tests.simulator import rows
from tests.simulator.rows import Row, Values

_MADE_UP = uuid.UUID("0d2c5d1e-5a4f-4d0b-9b5e-6a1f0c3b7e42")


def _id(*name: str) -> str:
    return str(uuid.uuid5(_MADE_UP, "/".join(name)))


CLINIC_ID = _id("clinic")
CLINIC_NAME = "Al-Amal Clinic · عيادة الأمل"
COMPLAINT_FORM = _id("form", "complaint")
FOLLOW_UP_FORM = _id("form", "follow-up")

DAY_MS = 86_400_000

FORM_FIELDS: dict[str, tuple[tuple[str, str, str, str], ...]] = {
    COMPLAINT_FORM: (
        ("fld-complaint", "Main complaint", "text", "free-text"),
        ("fld-since", "Since", "date", "date"),
        ("fld-pain", "Pain (0-10)", "number", "number"),
        ("fld-dx", "Diagnosis", "select", "diagnosis"),
        ("fld-plan", "Plan", "text", "free-text"),
    ),
    FOLLOW_UP_FORM: (
        ("fld-progress", "Progress", "select", "options"),
        ("fld-adherence", "Takes the medicine", "radio", "options"),
        ("fld-notes", "Notes", "text", "free-text"),
    ),
}
"""Form id -> (field id, name, input type, field type)."""

FORM_NAMES = {COMPLAINT_FORM: "Complaint", FOLLOW_UP_FORM: "Follow-up"}

_DEPARTMENTS = (("opd", "Outpatients"), ("mch", "Mother and child"), ("pharmacy", "Pharmacy"))
_DRUGS = (
    ("Amoxicillin", "capsule", "500", "mg"),
    ("Paracetamol", "tablet", "500", "mg"),
    ("Metformin", "tablet", "850", "mg"),
    ("Amlodipine", "tablet", "5", "mg"),
    ("Salbutamol", "inhaler", "100", "mcg"),
    ("Zinc sulfate", "syrup", "20", "mg/5 ml"),
)


def reference(clinic_id: str, clinic_name: str, rng: random.Random, now_ms: int) -> dict[str, list[Row]]:
    """Return the whole reference data of a clinic: table -> rows as a hub would send them."""
    made: Values = {"created_at": now_ms, "updated_at": now_ms, "metadata": "{}"}
    return {
        "clinics": [_row("clinics", clinic_id, {"name": clinic_name, **made})],
        "app_config": [_row("app_config", _id("operation mode"), {**_OFFLINE, **made})],
        "registration_forms": [
            _row("registration_forms", _id("registration"), {"name": "Patient", "fields": _REGISTRATION, **made})
        ],
        "event_forms": [_form(form_id, made) for form_id in FORM_FIELDS],
        "clinic_departments": [_department(clinic_id, code, name, made) for code, name in _DEPARTMENTS],
        "drug_catalogue": [_drug(number, made) for number in range(len(_DRUGS))],
        "clinic_inventory": [_stock(clinic_id, number, rng, now_ms, made) for number in range(len(_DRUGS))],
    }


def drug_ids() -> tuple[str, ...]:
    """Return the ids of the drugs."""
    return tuple(_id("drug", name) for name, *_ in _DRUGS)


def department_id(clinic_id: str, code: str) -> str:
    """Return the id of one of a clinic's departments."""
    return _id(clinic_id, "department", code)


_OFFLINE: Values = {"namespace": "system", "key": "operation_mode", "value": "offline", "data_type": "string"}
_REGISTRATION = json.dumps(
    [
        {"id": f"reg-{column}", "column": column, "baseField": True, "required": column == "given_name"}
        for column in ("given_name", "surname", "date_of_birth", "sex", "phone", "hometown")
    ],
    separators=(",", ":"),
)


def _row(table: str, row_id: str, values: Values) -> Row:
    """Make a complete row without the phone's own columns."""
    row = rows.complete(table, values, row_id=row_id, status="synced")
    return {column: value for column, value in row.items() if column not in {"_status", "_changed"}}


def _form(form_id: str, made: Values) -> Row:
    fields = [
        {"id": field_id, "name": name, "inputType": input_type, "fieldType": field_type, "required": False}
        for field_id, name, input_type, field_type in FORM_FIELDS[form_id]
    ]
    text = json.dumps(fields, separators=(",", ":"))
    values: Values = {"name": FORM_NAMES[form_id], "language": "en", "is_editable": True, "form_fields": text}
    return _row("event_forms", form_id, {**values, "clinic_ids": "[]", "translations": "[]", **made})


def _department(clinic_id: str, code: str, name: str, made: Values) -> Row:
    values: Values = {"clinic_id": clinic_id, "name": name, "code": code, "status": "active"}
    lists: Values = {"can_dispense_medications": code == "pharmacy", "additional_capabilities": "[]"}
    return _row("clinic_departments", department_id(clinic_id, code), {**values, **lists, **made})


def _drug(number: int, made: Values) -> Row:
    name, form, quantity, units = _DRUGS[number]
    values: Values = {"generic_name": name, "form": form, "route": "oral", "dosage_quantity": quantity}
    price: Values = {"dosage_units": units, "sale_price": "1.50", "sale_currency": "USD", "is_active": True}
    return _row("drug_catalogue", drug_ids()[number], {**values, **price, "min_stock_level": 20, **made})


def _stock(clinic_id: str, number: int, rng: random.Random, now_ms: int, made: Values) -> Row:
    values: Values = {"clinic_id": clinic_id, "drug_id": drug_ids()[number], "batch_id": _id("batch", str(number))}
    batch: Values = {"batch_number": f"B{rng.randrange(10_000):04}", "batch_expiry_date": now_ms + 400 * DAY_MS}
    return _row(
        "clinic_inventory", _id(clinic_id, "stock", str(number)), {**values, **batch, "quantity_available": 500, **made}
    )
