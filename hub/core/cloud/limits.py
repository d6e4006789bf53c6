"""Declares what the columns of the cloud cannot hold, and finds it before it is sent (CLOUD.md 6, 7).

One such value fails the whole request, and the cloud does not say which it was.
"""

import math
from collections.abc import Mapping
from types import MappingProxyType

from hub.core.errors import BadRecord
from hub.core.reasons import Code
from hub.core.records.table import Column, ColumnKind, Table

_CHARACTERS: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("patients", "sex"): 24,
        ("patients", "camp"): 50,
        ("patients", "government_id"): 100,
        ("patients", "external_patient_id"): 100,
        ("patient_vitals", "bp_position"): 50,
        ("patient_problems", "problem_code_system"): 50,
        ("patient_problems", "problem_code"): 100,
        ("patient_problems", "problem_label"): 255,
        ("patient_problems", "clinical_status"): 50,
        ("patient_problems", "verification_status"): 50,
        ("prescription_items", "item_status"): 50,
    }
)
_BELOW: Mapping[tuple[str, str], int] = MappingProxyType(
    {
        ("appointments", "duration"): 2**15,
        **{("patient_vitals", name): 1000 for name in ("height_cm", "weight_kg", "waist_circumference_cm")},
        ("patient_vitals", "oxygen_saturation"): 1000,
        **{("patient_vitals", name): 100 for name in ("bmi", "temperature_celsius")},
    }
)
_WHOLE_BELOW = 2**31
REQUIRED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "patient_additional_attributes": frozenset({"patient_id"}),
        "appointments": frozenset({"clinic_id", "patient_id", "user_id"}),
        "prescriptions": frozenset({"patient_id", "provider_id"}),
        "patient_vitals": frozenset({"patient_id"}),
        "patient_problems": frozenset({"patient_id"}),
        "prescription_items": frozenset({"prescription_id", "patient_id", "drug_id", "clinic_id"}),
        "dispensing_records": frozenset({"clinic_id", "drug_id", "patient_id", "dispensed_by"}),
    }
)
"""Columns without which the cloud takes no record: what they name cannot be nothing."""


def check(column: Column, stored: object) -> None:
    """Raise BadRecord, with table, column and limit, where the cloud could not hold a value as it would store it."""
    where = {"table": column.table, "column": column.name}
    match stored:
        case None if column.name in REQUIRED.get(column.table, ()):
            raise BadRecord(Code.NOTHING_THERE.of(**where))
        case str() if len(stored) > (longest := _CHARACTERS.get((column.table, column.name), len(stored))):
            raise BadRecord(Code.TOO_LONG.of(**where, limit=longest))
        case int() | float() if _below(column) <= abs(stored) < math.inf:
            raise BadRecord(Code.OUT_OF_RANGE.of(**where, limit=int(_below(column))))
        case _:
            pass


def check_nul(table: Table, values: Mapping[str, object]) -> None:
    """Raise BadRecord where text holds the character of number 0, at any depth of JSON: PostgreSQL keeps none."""
    for column in table.columns:
        if _has_nul(values.get(column.name)):
            raise BadRecord(Code.NUL.of(table=table.name, column=column.name))


def _has_nul(value: object) -> bool:
    match value:
        case str():
            return "\0" in value
        case dict():
            return any(_has_nul(name) or _has_nul(inner) for name, inner in value.items())
        case list():
            return any(_has_nul(inner) for inner in value)
        case _:
            return False


def _below(column: Column) -> float:
    """Return what a number must lie below."""
    default = _WHOLE_BELOW if column.kind is ColumnKind.INT else math.inf
    return _BELOW.get((column.table, column.name), default)
