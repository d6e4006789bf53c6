"""CLOUD.md 4.6: deletes, cascades, and rows that rise again."""

from typing import Any

import pytest

from tests.simulated.cloud.world import World, new

LATER = "2100-01-01T00:00:00.000Z"


def family(world: World) -> dict[str, str]:
    """Push a patient with one row in every table that hangs on it and return the ids by table."""
    patient = world.known_patient()
    visit = world.known_visit(patient)
    prescription = world.prescription(patient, visit_id=visit)
    rows: dict[str, dict[str, Any]] = {
        "patient_additional_attributes": new(patient_id=patient, attribute_id="a"),
        "events": new(patient_id=patient, visit_id=visit),
        "appointments": world.appointment(patient, current_visit_id=visit),
        "prescriptions": prescription,
        "patient_vitals": new(patient_id=patient, visit_id=visit),
        "patient_problems": world.problem(patient, visit_id=visit),
        "dispensing_records": world.dispensing(patient, batch_id=world.batch),
        "prescription_items": world.item(patient, prescription["id"]),
    }
    for table, record in rows.items():
        world.put(table, record)
    return {"patients": patient, "visits": visit, **{table: record["id"] for table, record in rows.items()}}


def flags(world: World, table: str, record_id: str) -> tuple[object, bool]:
    """Return is_deleted, and whether deleted_at is set."""
    row = world.row(table, record_id)
    return row["is_deleted"], row["deleted_at"] is not None


SOFT = (
    "patients",
    "patient_additional_attributes",
    "visits",
    "events",
    "appointments",
    "prescriptions",
    "patient_vitals",
    "patient_problems",
    "dispensing_records",
)


@pytest.mark.parametrize("table", SOFT)
def test_a_delete_is_soft_and_announced(world: World, table: str) -> None:
    record_id = family(world)[table]
    world.delete(table, record_id)
    assert flags(world, table, record_id) == (True, True)
    assert record_id in world.changes(table, 1)["deleted"]


def test_an_items_delete_is_hard_and_told_to_nobody(world: World) -> None:
    item = family(world)["prescription_items"]
    world.delete("prescription_items", item)
    assert world.seed.row("prescription_items", item) is None
    assert world.changes("prescription_items", 1)["deleted"] == []


def test_an_unknown_id_is_deleted_with_success(world: World) -> None:
    world.delete("patients", new()["id"])


def test_a_delete_needs_no_newer_time(world: World) -> None:
    patient = world.known_patient(updated_at=LATER)
    world.delete("patients", patient)
    assert flags(world, "patients", patient) == (True, True)


def test_a_deleted_patients_children_are_flagged_but_never_announced(world: World) -> None:
    ids = family(world)
    world.delete("patients", ids["patients"])
    for table in set(ids) - {"patients", "dispensing_records"}:
        assert flags(world, table, ids[table]) == (True, False), table
        assert world.changes(table, 1) == {"created": [], "updated": [], "deleted": []}, table
    assert flags(world, "dispensing_records", ids["dispensing_records"]) == (False, False)


def test_a_deleted_visit_flags_prescriptions_events_and_appointments_but_not_vitals(world: World) -> None:
    ids = family(world)
    world.delete("visits", ids["visits"])
    flagged = {table for table in ids if flags(world, table, ids[table])[0]}
    assert flagged == {"visits", "prescriptions", "events", "appointments"}


@pytest.mark.parametrize("table", ["patients", "patient_additional_attributes", "visits", "patient_problems"])
def test_is_deleted_in_an_upsert_hides_a_row_for_ever(world: World, table: str) -> None:
    patient = world.known_patient()
    record = {
        "patients": world.patient(),
        "patient_additional_attributes": new(patient_id=patient, attribute_id="a"),
        "visits": world.visit(patient),
        "patient_problems": world.problem(patient),
    }[table]
    world.put(table, {**record, "is_deleted": True})
    lists = world.changes(table, 1)
    assert record["id"] not in {row["id"] for row in lists["created"]} | set(lists["deleted"])


def test_is_deleted_with_deleted_at_deletes_vitals(world: World) -> None:
    record = new(patient_id=world.known_patient())
    world.put("patient_vitals", record)
    stamps = {"is_deleted": True, "deleted_at": "2026-11-01T00:00:00Z", "updated_at": LATER}
    world.put("patient_vitals", {**record, **stamps})
    assert world.changes("patient_vitals", 1)["deleted"] == [record["id"]]


@pytest.mark.parametrize(
    "table", ["events", "appointments", "prescriptions", "dispensing_records", "prescription_items"]
)
def test_some_tables_ignore_is_deleted(world: World, table: str) -> None:
    record_id = family(world)[table]
    assert world.row(table, record_id)["is_deleted"] is False
    patient = world.known_patient()
    records = {
        "events": new(patient_id=patient),
        "appointments": world.appointment(patient),
        "prescriptions": world.prescription(patient),
        "dispensing_records": world.dispensing(patient),
        "prescription_items": world.item(patient, world.seed.rows("prescriptions")[0]["id"]),  # type: ignore[arg-type]
    }
    world.put(table, {**records[table], "is_deleted": True})
    assert flags(world, table, records[table]["id"]) == (False, False)


def risen(world: World, table: str) -> tuple[object, bool]:
    """Delete a row of ``table``, push it again with a newer time, and return its flags."""
    ids = family(world)
    patient, visit = ids["patients"], ids["visits"]
    records = {
        "patients": world.patient(id=patient),
        "patient_additional_attributes": new(patient_id=patient, attribute_id="a"),
        "visits": world.visit(patient, id=visit),
        "events": new(patient_id=patient, visit_id=visit),
        "appointments": world.appointment(patient, current_visit_id=visit),
        "prescriptions": world.prescription(patient, visit_id=visit),
        "patient_vitals": new(patient_id=patient),
        "patient_problems": world.problem(patient),
        "dispensing_records": world.dispensing(patient, batch_id=world.batch),
    }
    world.delete(table, ids[table])
    world.put(table, {**records[table], "id": ids[table], "updated_at": LATER})
    return flags(world, table, ids[table])


@pytest.mark.parametrize("table", ["appointments", "patient_problems"])
def test_a_deleted_row_comes_back_to_life(world: World, table: str) -> None:
    assert risen(world, table) == (False, False)


@pytest.mark.parametrize("table", ["patients", "patient_additional_attributes", "visits", "events", "patient_vitals"])
def test_a_deleted_row_becomes_a_zombie_in_no_list(world: World, table: str) -> None:
    assert risen(world, table) == (False, True)
    assert world.changes(table, 1)["deleted"] == []


@pytest.mark.parametrize("table", ["prescriptions", "dispensing_records"])
def test_a_deleted_row_stays_deleted(world: World, table: str) -> None:
    assert risen(world, table) == (True, True)


def test_a_deleted_item_is_made_again(world: World) -> None:
    patient = world.known_patient()
    prescription = world.prescription(patient)
    world.put("prescriptions", prescription)
    item = world.item(patient, prescription["id"])
    world.put("prescription_items", item)
    world.delete("prescription_items", item["id"])
    world.put("prescription_items", item)
    assert flags(world, "prescription_items", item["id"]) == (False, False)


def test_deletes_are_done_one_by_one_up_to_the_bad_one(world: World) -> None:
    first, last = world.known_patient(), world.known_patient()
    assert world.push({"patients": {"deleted": [first, "x", last]}}).status_code == 500
    assert (flags(world, "patients", first), flags(world, "patients", last)) == ((True, True), (False, False))
