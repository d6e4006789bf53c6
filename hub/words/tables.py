"""What people call each kind of record: a nurse knows a visit, not a row of ``visits``."""

from typing import Final

from hub.words import Words

TABLES: Final = {
    "app_config": "App setting",
    "appointments": "Appointment",
    "clinic_departments": "Department",
    "clinic_inventory": "Stock of a medicine",
    "clinics": "Clinic",
    "dispensing_records": "Dispensed medicine",
    "drug_batches": "Batch of a medicine",
    "drug_catalogue": "Medicine",
    "event_forms": "Form",
    "events": "Completed form",
    "patient_additional_attributes": "Patient detail",
    "patient_allergies": "Allergy",
    "patient_allergy_reactions": "Allergic reaction",
    "patient_observations": "Observation",
    "patient_problems": "Health problem",
    "patient_tobacco_history": "Tobacco use",
    "patient_vitals": "Vital signs",
    "patients": "Patient",
    "prescription_items": "Prescribed medicine",
    "prescriptions": "Prescription",
    "registration_forms": "Registration form",
    "resources": "Teaching material",
    "user_clinic_permissions": "Permissions",
    "users": "User",
    "visits": "Visit",
}


def named(words: Words, table: str) -> str:
    """Say what kind of record a table holds; the name itself of a table that the hub does not know."""
    return words.say(TABLES[table]) if table in TABLES else table
