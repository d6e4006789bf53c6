"""Works on a phone as clinic staff do: registers, sees, corrects and, now and then, deletes."""

import random
from collections.abc import Callable

from tests.simulator.clinic import Clinic, Provider
from tests.simulator.comparison import held
from tests.simulator.phone import Phone
from tests.simulator.reference import FORM_FIELDS
from tests.simulator.rows import Row, Value


class Nurse:
    """One member of staff at one phone; what is done is drawn from ``rng``."""

    def __init__(
        self, phone: Phone, clinic: Clinic, by: Provider, rng: random.Random, now_ms: Callable[[], int]
    ) -> None:
        self.phone = phone
        self._clinic = clinic
        self._by = by
        self._rng = rng
        self._now_ms = now_ms

    def act(self) -> str:
        """Do one thing and say what it was."""
        patients = list(held(self.phone.store, "patients").values())
        if not patients:
            return self.register()
        tasks: tuple[tuple[Callable[[Row], str], int], ...] = (
            (lambda _patient: self.register(), 30),
            (self.see, 35),
            (self.correct_patient, 15),
            (self.correct_event, 12),
            (self.drop_event, 5),
            (self.drop_patient, 1),
        )
        task = self._rng.choices([task for task, _ in tasks], [weight for _, weight in tasks])[0]
        return task(self._rng.choice(patients))

    def register(self) -> str:
        """Register a patient and see them at once."""
        patient = self.phone.create("patients", self._clinic.patient(self._now_ms(), self._by))
        for attribute in self._clinic.attributes(str(patient["id"])):
            self.phone.create("patient_additional_attributes", attribute)
        self.see(patient)
        return "registered a patient"

    def see(self, patient: Row) -> str:
        """Hold a visit: an event and vitals, and sometimes more."""
        patient_id, now_ms, by = str(patient["id"]), self._now_ms(), self._by
        visit_id = str(self.phone.create("visits", self._clinic.visit(patient_id, now_ms, by))["id"])
        self.phone.create("events", self._clinic.event(patient_id, visit_id, now_ms, by))
        self.phone.create("patient_vitals", self._clinic.vitals(patient_id, visit_id, now_ms, by))
        more = self._rng.random()
        if more < 0.3:
            self.phone.create("patient_problems", self._clinic.problem(patient_id, visit_id, now_ms, by))
        elif more < 0.5:
            self.phone.create("appointments", self._clinic.appointment(patient_id, visit_id, now_ms, by))
        elif more < 0.7:
            prescription = self.phone.create(
                "prescriptions", self._clinic.prescription(patient_id, visit_id, now_ms, by)
            )
            self.phone.create("prescription_items", self._clinic.prescription_item(prescription, by))
        return "saw a patient"

    def hand_out(self, item: Row, stock: Row, quantity: int) -> str:
        """Hand out a drug, as the app does: a record, and absolute figures on the item and in stock."""
        record: dict[str, Value] = {
            "patient_id": item["patient_id"],
            "prescription_item_id": item["id"],
            "clinic_id": stock["clinic_id"],
            "drug_id": stock["drug_id"],
            "batch_id": stock["batch_id"],
            "quantity_dispensed": quantity,
            "dispensed_by": self._by.user_id,
            "dispensed_at": self._now_ms(),
        }
        self.phone.create("dispensing_records", record)
        self._add("prescription_items", item, "quantity_dispensed", quantity)
        self._add("clinic_inventory", stock, "quantity_available", -quantity)
        return "handed out a drug"

    def _add(self, table: str, row: Row, column: str, step: int) -> None:
        self.phone.edit(table, str(row["id"]), {column: int(str(row[column])) + step})

    def correct_patient(self, patient: Row) -> str:
        """Correct a patient's entry."""
        self.phone.edit("patients", str(patient["id"]), self._clinic.patient_edit())
        return "corrected a patient"

    def correct_event(self, patient: Row) -> str:
        """Fill in one of the patient's forms anew."""
        events = self._events_of(patient)
        if not events:
            return self.see(patient)
        event = self._rng.choice(events)
        form_data = self._clinic.form_data(str(event["form_id"]), self._now_ms())
        self.phone.edit("events", str(event["id"]), {"form_data": form_data})
        return "corrected a form"

    def drop_event(self, patient: Row) -> str:
        """Delete one of the patient's forms, so that the hub hears of it."""
        events = self._events_of(patient)
        if not events:
            return self.see(patient)
        self.phone.soft_delete("events", str(self._rng.choice(events)["id"]))
        return "deleted a form"

    def drop_patient(self, patient: Row) -> str:
        """Delete a patient who was entered twice."""
        self.phone.soft_delete("patients", str(patient["id"]))
        return "deleted a patient"

    def _events_of(self, patient: Row) -> list[Row]:
        """Return a patient's filled-in forms, those whose fields are known here."""
        return [
            event
            for event in held(self.phone.store, "events").values()
            if event["patient_id"] == patient["id"] and event["form_id"] in FORM_FIELDS
        ]
