"""CLOUD.md 4.7 and 4.8: fake visits, visits made up, and stock."""

import uuid

import pytest

from tests.simulated.cloud.world import World, new


def test_an_event_of_an_unknown_visit_makes_a_fake_one_in_the_first_users_clinic(world: World) -> None:
    patient, visit = world.known_patient(), str(uuid.uuid4())
    world.put("events", new(patient_id=patient, visit_id=visit))
    row = world.row("visits", visit)
    assert [row[name] for name in ("patient_id", "clinic_id", "provider_id", "metadata")] == [
        patient,
        world.elsewhere,
        world.admin,
        {"artificially_created": True},
    ]


@pytest.mark.parametrize("visit", [None, "", "no uuid"])
def test_an_event_without_a_visit_gets_one_of_a_random_id(world: World, visit: object) -> None:
    event = new(patient_id=world.known_patient(), visit_id=visit)
    world.put("events", event)
    assert [row["id"] for row in world.seed.rows("visits")] == [world.row("events", event["id"])["visit_id"]]


def test_the_real_visit_is_refused_after_its_event_and_stays_in_the_wrong_clinic(world: World) -> None:
    patient = world.known_patient()
    visit = world.visit(patient)
    world.put("events", new(patient_id=patient, visit_id=visit["id"]))
    world.put("visits", visit)
    assert world.row("visits", visit["id"])["clinic_id"] == world.elsewhere
    assert world.ids("visits") == set()


def test_an_event_of_a_visit_that_was_skipped_for_its_clinic_makes_a_fake_visit(world: World) -> None:
    patient = world.known_patient()
    visit = world.visit(patient, clinic_id=world.elsewhere)
    event = new(patient_id=patient, visit_id=visit["id"])
    assert world.push({"visits": {"created": [visit]}, "events": {"created": [event]}}).status_code == 200
    assert world.row("visits", visit["id"])["metadata"] == {"artificially_created": True}


def test_a_fake_visit_stays_when_its_event_fails(world: World) -> None:
    visit = str(uuid.uuid4())
    event = new(patient_id=world.known_patient(), visit_id=visit, form_id=str(uuid.uuid4()))
    assert world.push({"events": {"created": [event]}}).status_code == 500
    assert world.seed.row("visits", visit) is not None


def test_an_appointment_without_a_visit_gets_a_bare_one(world: World) -> None:
    record = world.appointment(world.known_patient(), current_visit_id="x")
    world.put("appointments", record)
    assert world.seed.row("visits", world.row("appointments", record["id"])["current_visit_id"]) is not None


def test_a_bare_visit_is_gone_when_its_appointment_fails(world: World) -> None:
    record = world.appointment(world.known_patient(), duration="x")
    assert world.push({"appointments": {"created": [record]}}).status_code == 500
    bad_user = world.appointment(world.known_patient(), user_id=str(uuid.uuid4()))
    assert world.push({"appointments": {"created": [bad_user]}}).status_code == 500
    assert world.seed.rows("visits") == []


def test_a_prescription_without_a_clinic_takes_its_providers(world: World) -> None:
    record = world.prescription(world.known_patient(), pickup_clinic_id=None)
    world.put("prescriptions", record)
    row = world.row("prescriptions", record["id"])
    assert row["pickup_clinic_id"] == world.here
    assert world.seed.row("visits", row["visit_id"]) is not None


def test_dispensing_takes_from_stock_once_and_the_new_stock_is_pulled(world: World) -> None:
    record = world.dispensing(world.known_patient(), batch_id=world.batch)
    last = world.pull()["timestamp"]
    for _ in range(2):
        world.put("dispensing_records", record)
    lists = world.changes("clinic_inventory", last - 1)
    assert [row["quantity_available"] for row in lists["updated"] + lists["created"]] == [195]
    assert world.row("drug_batches", world.batch)["quantity_remaining"] == 195


def test_a_later_quantity_or_a_delete_does_not_correct_the_stock(world: World) -> None:
    record = world.dispensing(world.known_patient(), batch_id=world.batch)
    world.put("dispensing_records", record)
    world.put("dispensing_records", {**record, "quantity_dispensed": 50, "updated_at": "2026-02-01T00:00:00Z"})
    world.delete("dispensing_records", record["id"])
    assert world.row("dispensing_records", record["id"])["quantity_dispensed"] == 50
    assert world.seed.rows("clinic_inventory")[0]["quantity_available"] == 195


def test_stock_goes_below_zero(world: World) -> None:
    world.put("dispensing_records", world.dispensing(world.known_patient(), quantity_dispensed=500))
    assert world.seed.rows("clinic_inventory")[0]["quantity_available"] == -300


def test_without_a_batch_the_cloud_picks_the_one_of_latest_expiry(world: World) -> None:
    latest = world.seed.stock(world.here, world.drug, 10, batch_number="B2", expires="2030-01-01")
    record = world.dispensing(world.known_patient())
    world.put("dispensing_records", record)
    assert world.row("dispensing_records", record["id"])["batch_id"] == latest


def test_without_any_batch_the_cloud_makes_one_up(world: World) -> None:
    drug = world.seed.drug("Rare")
    record = world.dispensing(world.known_patient(), drug_id=drug)
    world.put("dispensing_records", record)
    batch = world.row("dispensing_records", record["id"])["batch_id"]
    stock = [row for row in world.seed.rows("clinic_inventory") if row["batch_id"] == batch]
    assert [row["quantity_available"] for row in stock] == [-5]


def test_another_hubs_push_is_pulled_by_this_one(world: World) -> None:
    other = world.seed.hub("hub-2", world.here)
    record = world.patient()
    world.seed.push_as(other, {"patients": {"created": [record]}})
    assert world.ids("patients") == {record["id"]}
