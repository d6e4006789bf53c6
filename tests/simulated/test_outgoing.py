"""What the phone sends, against what was captured from the app."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulated.fake_hub import Clock, seeded
from tests.simulator import incoming, outgoing
from tests.simulator.clinic import Clinic, Provider
from tests.simulator.local_store import LocalStore
from tests.simulator.outgoing import ChangeSet
from tests.simulator.phone import Phone

VECTORS = Path(__file__).parents[1] / "vectors" / "phone"
BY = Provider("user-A2", "Dr A2")


def sample(name: str) -> dict[str, Any]:
    data: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text())["data"]
    return data


def worked() -> tuple[Phone, Clock]:
    """Return a phone that did what the captured one had done."""
    clock, clinic = Clock(), Clinic(3)
    phone = Phone(rng=seeded(1), now_ms=clock)
    patient = phone.create("patients", clinic.patient(clock(), BY))
    patient_id = str(patient["id"])
    for attribute in clinic.attributes(patient_id):
        phone.create("patient_additional_attributes", attribute)
    clock.tick()
    visit_id = str(phone.create("visits", clinic.visit(patient_id, clock(), BY))["id"])
    of_visit = patient_id, visit_id, clock(), BY
    phone.create("events", clinic.event(*of_visit))
    phone.create("patient_vitals", clinic.vitals(*of_visit))
    phone.create("patient_problems", clinic.problem(*of_visit))
    clock.tick()
    phone.create("appointments", clinic.appointment(*of_visit))
    prescription = phone.create("prescriptions", clinic.prescription(*of_visit))
    phone.create("prescription_items", clinic.prescription_item(prescription, BY))
    return phone, clock


def json_type(value: object) -> str:
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return type(value).__name__
    return "number"


def assert_shaped_like(changes: ChangeSet, captured: dict[str, Any]) -> None:
    """The same tables in the same order, the same keys in the same order, the same types where both hold one."""
    assert list(changes) == list(captured)
    for table, arrays in captured.items():
        assert list(changes[table]) == list(arrays) == ["created", "updated", "deleted"]
        for name, records in arrays.items():
            assert len(changes[table][name]) == len(records), f"{table}.{name}"
            for ours, theirs in zip(changes[table][name], records, strict=True):
                assert list(ours) == list(theirs), table
                for column, value in theirs.items():
                    if value is not None and ours[column] is not None:
                        assert json_type(ours[column]) == json_type(value), f"{table}.{column}"


def test_new_records_are_pushed_in_the_shape_of_the_captured_push() -> None:
    phone, _ = worked()
    assert_shaped_like(outgoing.local_changes(phone.store), sample("sync_push_created")["changes"])


def test_the_traps_of_the_captured_push_are_there() -> None:
    phone, _ = worked()
    ours: dict[str, Any] = {**outgoing.local_changes(phone.store)}
    for changes in (ours, sample("sync_push_created")["changes"]):
        for table in ("events", "prescriptions", "patient_problems"):
            assert isinstance(json.loads(json.loads(changes[table]["created"][0]["metadata"])), dict)
        assert changes["prescriptions"]["created"][0]["items"] == ""
        patient = changes["patients"]["created"][0]
        assert patient["_changed"] == "updated_at,metadata"
        assert json.loads(patient["metadata"])["lastAppointmentTimestamp"].endswith("Z")
        problem, item = changes["patient_problems"]["created"][0], changes["prescription_items"]["created"][0]
        assert (problem["last_modified"], problem["server_created_at"]) == (0, 0)
        assert (item["last_modified"], item["server_created_at"]) == (0, None)


def test_edits_are_pushed_in_the_shape_of_the_captured_push() -> None:
    phone, clock = worked()
    outgoing.mark_synced(phone.store, outgoing.local_changes(phone.store), clock())
    clock.tick()
    (patient,), (event,) = phone.store.rows("patients"), phone.store.rows("events")
    phone.edit("patients", str(patient["id"]), {"phone": "777"})
    phone.edit("events", str(event["id"]), {"form_data": "[]"})
    changes, captured = outgoing.local_changes(phone.store), sample("sync_push_updated")["changes"]
    assert_shaped_like(changes, captured)
    for table in captured:
        ours, theirs = changes[table]["updated"][0], captured[table]["updated"][0]
        assert (ours["_status"], ours["_changed"]) == (theirs["_status"], theirs["_changed"])


def test_a_forced_upload_has_the_shape_of_the_captured_one_reference_rows_included() -> None:
    phone, clock = worked()
    captured = sample("force_upload")
    incoming.apply(phone.store, {"clinics": {"created": captured["changes"]["clinics"]["created"]}})
    outgoing.mark_synced(phone.store, outgoing.local_changes(phone.store), clock())
    changes = outgoing.changes_since(phone.store, captured["lastPulledAt"])
    assert set(captured["changes"]) <= set(changes)
    # The capture was cut down to some tables; those must be alike.
    assert_shaped_like({table: changes[table] for table in captured["changes"]}, captured["changes"])
    assert changes["clinics"]["created"] == captured["changes"]["clinics"]["created"]


def test_a_forced_upload_carries_soft_deleted_rows_as_the_captured_one_does() -> None:
    captured = sample("force_upload_with_soft_deleted")
    (row,) = captured["changes"]["patients"]["updated"]
    store = LocalStore(seeded(1), Clock())
    incoming.apply(store, {"patients": {"created": [row | {"is_deleted": False, "deleted_at": None}]}})
    store.table("patients")["p1"].update(is_deleted=True, deleted_at=row["deleted_at"], updated_at=row["updated_at"])
    assert outgoing.changes_since(store, captured["lastPulledAt"]) == captured["changes"]


def test_a_forced_upload_sends_an_empty_birthday_as_null() -> None:
    store = LocalStore(seeded(1), Clock())
    store.create("patients", {"id": "p1"})
    assert outgoing.changes_since(store, 0)["patients"]["created"][0]["date_of_birth"] is None


def test_rows_deleted_here_are_never_sent() -> None:
    phone, _ = worked()
    (event,) = phone.store.rows("events")
    phone.delete_locally("events", str(event["id"]))
    assert "events" not in outgoing.local_changes(phone.store)
    assert "events" not in outgoing.changes_since(phone.store, 0)


@pytest.mark.parametrize("table", ["user_clinic_permissions", "app_config"])
def test_permissions_and_settings_are_never_sent(table: str) -> None:
    store = LocalStore(seeded(1), Clock())
    store.create(table, {"id": "x"})
    assert outgoing.local_changes(store) == {}
    assert outgoing.changes_since(store, 0) == {}
