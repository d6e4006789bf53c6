"""When two phones hold the same, and when a phone and the cloud do."""

from typing import Any

import pytest

from tests.simulated.fake_hub import Clock, seeded
from tests.simulator.comparison import differences, unlike_cloud
from tests.simulator.local_store import LocalStore
from tests.simulator.rows import Values


def store_with(values: Values | None, table: str = "events") -> LocalStore:
    store = LocalStore(seeded(1), Clock())
    if values is not None:
        store.create(table, {"id": "e1", **values})
    return store


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {}),
        ({"updated_at": 1}, {"updated_at": 2}),
        ({"metadata": '{"a":1}'}, {"metadata": '"{\\"a\\":1}"'}),
        ({"is_deleted": True}, None),
        (None, None),
    ],
)
def test_phones_that_hold_the_same_to_their_users_are_alike(one: Values | None, other: Values | None) -> None:
    assert differences(store_with(one), store_with(other)) == []


@pytest.mark.parametrize(
    ("one", "other", "found"),
    [
        ({}, None, "events e1: only one of them holds it"),
        ({}, {"is_deleted": True}, "events e1: only one of them holds it"),
        ({"event_type": "A"}, {"event_type": "B"}, "events e1: event_type"),
        ({"form_data": "[]"}, {"form_data": "[1]"}, "events e1: form_data"),
        ({"created_at": 1, "deleted_at": 2}, {"created_at": 2}, "events e1: deleted_at, created_at"),
    ],
)
def test_every_difference_is_named_without_its_value(one: Values, other: Values | None, found: str) -> None:
    assert differences(store_with(one), store_with(other)) == [found]


def test_a_row_deleted_by_the_hub_counts_as_not_held() -> None:
    store = store_with({})
    store.delete("events", "e1")
    assert differences(store, store_with(None)) == []


CLINIC, PATIENT, VITALS = "clinic", "patient", "vitals"


def cloud_like(phone: LocalStore, **vitals: object) -> dict[str, list[dict[str, Any]]]:
    """Return what a cloud would hold of a phone's patient and vitals, with something different in the vitals."""
    lists = ("patients", "patient_vitals")
    rows: dict[str, list[dict[str, Any]]] = {table: [dict(row) for row in phone.rows(table)] for table in lists}
    moment = "2026-11-20T12:00:00.000Z"
    [patient], [measured] = rows["patients"], rows["patient_vitals"]
    patient.update(created_at=moment, updated_at=moment, additional_data={}, metadata={}, date_of_birth=None)
    measured.update(created_at=moment, updated_at=moment, timestamp="1970-01-01T00:00:00.005Z", metadata={})
    measured.update(weight_kg="70.26", **vitals)
    return rows


@pytest.fixture
def phone() -> LocalStore:
    """Return a phone with a patient and their vitals."""
    store = LocalStore(seeded(1), Clock())
    store.create("patients", {"id": PATIENT, "primary_clinic_id": CLINIC, "additional_data": "{}", "metadata": "{}"})
    measured: Values = {"timestamp": 5, "weight_kg": 70.255, "event_id": "never there", "metadata": "{}"}
    store.create("patient_vitals", {"id": VITALS, "patient_id": PATIENT, **measured})
    return store


def found(phone: LocalStore, cloud: dict[str, list[dict[str, Any]]]) -> list[str]:
    return unlike_cloud(phone, lambda table: cloud.get(table, []), CLINIC)


def test_what_the_cloud_cannot_hold_is_no_difference(phone: LocalStore) -> None:
    """It rounds, keeps JSON as JSON, has times of its own, and drops a column."""
    assert found(phone, cloud_like(phone, event_id=None)) == []


def test_what_the_cloud_holds_otherwise_is_named_without_its_value(phone: LocalStore) -> None:
    assert found(phone, cloud_like(phone, heart_rate=70)) == [
        "patient_vitals vitals: the cloud holds another heart_rate"
    ]


def test_what_only_one_of_them_holds_is_named(phone: LocalStore) -> None:
    assert found(phone, cloud_like(phone, is_deleted=True)) == ["patient_vitals vitals: not in the cloud"]
    assert found(phone, cloud_like(phone, id="other")) == [
        "patient_vitals vitals: not in the cloud",
        "patient_vitals other: in the cloud alone",
    ]


def test_other_clinics_patients_are_none_of_the_phones_business(phone: LocalStore) -> None:
    cloud = cloud_like(phone)
    cloud["patients"].append({**cloud["patients"][0], "id": "theirs", "primary_clinic_id": "elsewhere"})
    cloud["patient_vitals"].append({**cloud["patient_vitals"][0], "id": "theirs too", "patient_id": "theirs"})
    assert found(phone, cloud) == []
