"""Makes up a clinic: patients, visits, events, vitals and the rest, the same for the same seed.

Every method gives the values that the app would put into a new row, JSON columns as plain JSON text; ids and
times of making are the phone's to add. Sizes are near the real ones: an event is 0.8 to 1.4 kB of JSON.
"""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tests.simulator import habits
from tests.simulator.local_store import LocalStore
from tests.simulator.names import POPULATIONS, Population
from tests.simulator.reference import (
    CLINIC_ID,
    CLINIC_NAME,
    COMPLAINT_FORM,
    DAY_MS,
    FOLLOW_UP_FORM,
    FORM_FIELDS,
    FORM_NAMES,
    department_id,
    drug_ids,
    reference,
)
from tests.simulator.rows import Row, Values

_DIAGNOSES = (
    ("I10", "Essential (primary) hypertension"),
    ("E11.9", "Type 2 diabetes mellitus without complications"),
    ("J06.9", "Acute upper respiratory infection, unspecified"),
    ("A09", "Infectious gastroenteritis and colitis, unspecified"),
    ("M54.5", "Low back pain"),
    ("O80", "Encounter for full-term uncomplicated delivery"),
)
_PLANS = (
    "Rest, fluids, come back in three days if the fever does not go down. Warning signs explained to the family.",
    "Blood pressure twice a day for two weeks, less salt, follow-up with the list of values.",
    "Referred to the district hospital for an X-ray; transport arranged with the outreach team.",
    "Oral rehydration, zinc for ten days; weight to be checked at the next visit.",
)


@dataclass(frozen=True, slots=True)
class Provider:
    """A member of staff."""

    user_id: str
    name: str


class Clinic:
    """A made-up clinic; every draw comes from ``seed``, every moment from the ``now_ms`` of a call."""

    def __init__(self, seed: int, *, clinic_id: str = CLINIC_ID, name: str = CLINIC_NAME) -> None:
        self.clinic_id = clinic_id
        self.name = name
        self._rng = random.Random(seed)

    def reference(self, now_ms: int) -> dict[str, list[Row]]:
        """Return the reference data: table -> complete rows as a hub would send them."""
        return reference(self.clinic_id, self.name, self._rng, now_ms)

    def patient(self, now_ms: int, by: Provider) -> Values:
        """Return a new patient."""
        rng, people = self._rng, self._people()
        sex = rng.choice(("female", "male"))
        return {
            "given_name": people.given(rng, sex),
            "surname": rng.choice(people.surnames),
            "date_of_birth": self._birthday(now_ms),
            "hometown": rng.choice(people.towns),
            "phone": f"+{rng.randrange(10**9, 10**11)}" if rng.random() < 0.7 else "",
            "sex": sex,
            "camp": "",
            "photo_url": "",
            "additional_data": "{}",
            "government_id": f"{rng.randrange(10**9):09}",
            "primary_clinic_id": self.clinic_id,
            "last_modified_by": by.user_id,
        }

    def attributes(self, patient_id: str) -> list[Values]:
        """Return a patient's additional attributes, one for each field of the registration form."""
        rng = self._rng
        answers: tuple[tuple[str, str, Values], ...] = (
            ("f6", "blood_group", {"string_value": rng.choice(("A+", "O+", "B-", "AB+"))}),
            ("f7", "children", {"number_value": rng.randrange(7)}),
            ("f8", "smoker", {"boolean_value": rng.random() < 0.3}),
        )
        return [
            {"patient_id": patient_id, "attribute_id": attribute_id, "attribute": name, **value}
            for attribute_id, name, value in answers
        ]

    def visit(self, patient_id: str, now_ms: int, by: Provider) -> Values:
        """Return a new visit."""
        who: Values = {"provider_id": by.user_id, "provider_name": by.name}
        return {"patient_id": patient_id, "clinic_id": self.clinic_id, "check_in_timestamp": now_ms, **who}

    def event(self, patient_id: str, visit_id: str, now_ms: int, by: Provider) -> Values:
        """Return a filled-in form."""
        form_id = self._rng.choice((COMPLAINT_FORM, COMPLAINT_FORM, FOLLOW_UP_FORM))
        return {
            "patient_id": patient_id,
            "visit_id": visit_id,
            "form_id": form_id,
            "event_type": FORM_NAMES[form_id],
            "form_data": self.form_data(form_id, now_ms),
            "metadata": _text({"providerId": by.user_id, "providerName": by.name}),
            "recorded_by_user_id": by.user_id,
        }

    def form_data(self, form_id: str, now_ms: int) -> str:
        """Fill in a form: JSON text as events carry it."""
        return _text(
            [
                {
                    "inputType": input_type,
                    "fieldType": field_type,
                    "name": name,
                    "value": self._answer(field_id, now_ms),
                    "fieldId": field_id,
                }
                for field_id, name, input_type, field_type in FORM_FIELDS[form_id]
            ]
        )

    def vitals(self, patient_id: str, visit_id: str, now_ms: int, by: Provider) -> Values:
        """Return measured vital signs; some are left out, as in life."""
        rng = self._rng
        height, weight = rng.randrange(145, 195), round(rng.uniform(45, 110), 1)
        return {
            "patient_id": patient_id,
            "visit_id": visit_id,
            "timestamp": now_ms,
            "systolic_bp": rng.randrange(95, 175),
            "diastolic_bp": rng.randrange(55, 105),
            "bp_position": rng.choice(("sitting", "lying", "standing")),
            "height_cm": height,
            "weight_kg": weight,
            "bmi": round(weight / (height / 100) ** 2, 1),
            "heart_rate": rng.randrange(55, 120),
            "oxygen_saturation": rng.randrange(91, 100) if rng.random() < 0.8 else None,
            "respiratory_rate": rng.randrange(12, 24),
            "temperature_celsius": round(rng.uniform(36, 39.8), 1),
            "pain_level": rng.randrange(11),
            "recorded_by_user_id": by.user_id,
        }

    def problem(self, patient_id: str, visit_id: str, now_ms: int, by: Provider) -> Values:
        """Return a diagnosis on the problem list."""
        code, label = self._rng.choice(_DIAGNOSES)
        return {
            "patient_id": patient_id,
            "visit_id": visit_id,
            "problem_code_system": "icd10",
            "problem_code": code,
            "problem_label": label,
            "clinical_status": "active",
            "verification_status": "confirmed",
            "severity_score": self._rng.randrange(1, 4),
            "onset_date": now_ms - now_ms % DAY_MS - DAY_MS * self._rng.randrange(400),
            "recorded_by_user_id": by.user_id,
        }

    def appointment(self, patient_id: str, visit_id: str, now_ms: int, by: Provider) -> Values:
        """Return an appointment in the coming weeks."""
        seen = {"seen_at": None, "seen_by": None, "status": "pending"}
        department = {"id": department_id(self.clinic_id, "opd"), "name": "Outpatients", **seen}
        return {
            "provider_id": by.user_id,
            "clinic_id": self.clinic_id,
            "patient_id": patient_id,
            "user_id": by.user_id,
            "current_visit_id": visit_id,
            "timestamp": now_ms + DAY_MS * self._rng.randrange(1, 30),
            "duration": self._rng.choice((15, 30, 45)),
            "reason": "follow-up",
            "is_walk_in": False,
            "departments": _text([department]),
            "status": "pending",
            "metadata": _text({"colorTag": self._rng.choice(("red", "green", "blue"))}),
        }

    def prescription(self, patient_id: str, visit_id: str, now_ms: int, by: Provider) -> Values:
        """Return a prescription; its items are rows of their own."""
        return {
            "patient_id": patient_id,
            "provider_id": by.user_id,
            "pickup_clinic_id": self.clinic_id,
            "visit_id": visit_id,
            "priority": self._rng.choice(("low", "normal", "high")),
            "expiration_date": now_ms + 30 * DAY_MS,
            "prescribed_at": now_ms,
            "status": "pending",
            "items": "",
            "notes": "",
            "metadata": _text({"providerId": by.user_id, "providerName": by.name}),
        }

    def prescription_item(self, prescription: Row, by: Provider) -> Values:
        """Return one drug of a prescription."""
        return {
            "prescription_id": prescription["id"],
            "patient_id": prescription["patient_id"],
            "drug_id": self._rng.choice(drug_ids()),
            "clinic_id": self.clinic_id,
            "dosage_instructions": self._rng.choice(("1x3", "1x2 after food", "when needed, at most 4 a day")),
            "quantity_prescribed": self._rng.randrange(5, 60),
            "item_status": "active",
            "recorded_by_user_id": by.user_id,
        }

    def patient_edit(self) -> Values:
        """Return a change to a patient: what registrars correct."""
        rng = self._rng
        choices: tuple[Values, ...] = (
            {"phone": f"+{rng.randrange(10**9, 10**11)}"},
            {"hometown": rng.choice(self._people().towns)},
            {"surname": rng.choice(self._people().surnames)},
        )
        return rng.choice(choices)

    def events(self, count: int, now_ms: int) -> Iterator[Row]:
        """Return ``count`` complete events of made-up patients without the phone's own columns, for benches."""
        store = LocalStore(self._rng, lambda: now_ms)
        by = Provider(store.new_id(), "Dr Demo")
        for _ in range(count):
            values = habits.stored("events", self.event(store.new_id(), store.new_id(), now_ms, by))
            row = store.create("events", values)
            store.table("events").clear()
            yield {column: value for column, value in row.items() if column not in {"_status", "_changed"}}

    def _people(self) -> Population:
        return self._rng.choice(POPULATIONS)

    def _birthday(self, now_ms: int) -> str:
        days = self._rng.randrange(90 * 365)
        return f"{datetime.fromtimestamp(now_ms / 1000, UTC) - timedelta(days=days):%Y-%m-%d}"

    def _answer(self, field_id: str, now_ms: int) -> object:
        rng = self._rng
        code, label = rng.choice(_DIAGNOSES)
        answers: dict[str, object] = {
            "fld-complaint": rng.choice(self._people().complaints),
            "fld-since": habits.iso(now_ms - DAY_MS * rng.randrange(14)),
            "fld-pain": rng.randrange(11),
            "fld-dx": [{"code": code, "desc": label}],
            "fld-plan": rng.choice(_PLANS),
            "fld-progress": rng.choice(("better", "same", "worse")),
            "fld-adherence": rng.choice(("yes", "no", "sometimes")),
            "fld-notes": rng.choice(_PLANS),
        }
        return answers[field_id]


def _text(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
