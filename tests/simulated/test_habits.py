"""What the app's models do to values before they are stored."""

import pytest

from tests.simulator import habits


@pytest.mark.parametrize("table", ["events", "prescriptions", "patient_problems"])
def test_metadata_of_some_tables_is_encoded_twice(table: str) -> None:
    assert habits.stored(table, {"metadata": '{"a":1}'}) == {"metadata": '"{\\"a\\":1}"'}


@pytest.mark.parametrize("table", ["patients", "visits", "appointments", "patient_vitals"])
def test_metadata_of_the_others_is_encoded_once(table: str) -> None:
    assert habits.stored(table, {"metadata": '{"a":1}'}) == {"metadata": '{"a":1}'}


def test_the_items_of_a_prescription_are_stored_as_nothing() -> None:
    assert habits.stored("prescriptions", {"items": '[{"drug":1}]'}) == {"items": ""}


def test_an_appointment_keeps_what_else_a_patients_metadata_holds() -> None:
    metadata = habits.patient_metadata({"metadata": '{"a":"ب"}'}, 1795155628135)
    assert metadata == '{"a":"ب","lastAppointmentTimestamp":"2026-11-20T06:20:28.135Z"}'


@pytest.mark.parametrize("metadata", ["", "[]", "no json"])
def test_an_appointment_replaces_metadata_that_is_no_object(metadata: str) -> None:
    assert (
        habits.patient_metadata({"metadata": metadata}, 0) == '{"lastAppointmentTimestamp":"1970-01-01T00:00:00.000Z"}'
    )
