"""CLOUD.md 4.5: which update wins, and what it leaves behind."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tests.simulated.cloud.world import World, new

if TYPE_CHECKING:
    from collections.abc import Callable

OLD, SAME, NEW = "2025-12-31T00:00:00.000Z", "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"
FAR = "2100-01-01T00:00:00.000Z"


def made(world: World, table: str) -> tuple[dict[str, Any], str]:
    """Return a record of ``table`` that was pushed, and a text column of it to edit."""
    patient = world.known_patient()
    records: dict[str, Callable[[], tuple[dict[str, Any], str]]] = {
        "patients": lambda: (world.patient(), "surname"),
        "patient_additional_attributes": lambda: (new(patient_id=patient, attribute_id="a"), "string_value"),
        "visits": lambda: (world.visit(patient), "provider_name"),
        "events": lambda: (new(patient_id=patient, visit_id=world.known_visit(patient)), "event_type"),
        "appointments": lambda: (world.appointment(patient, current_visit_id=world.known_visit(patient)), "reason"),
        "prescriptions": lambda: (world.prescription(patient, visit_id=world.known_visit(patient)), "priority"),
        "patient_vitals": lambda: (new(patient_id=patient), "bp_position"),
        "patient_problems": lambda: (world.problem(patient), "problem_label"),
        "dispensing_records": lambda: (world.dispensing(patient, batch_id=world.batch), "dosage_instructions"),
        "prescription_items": lambda: (world.item(patient, prescription(world, patient)), "notes"),
    }
    record, column = records[table]()
    world.put(table, record)
    return record, column


def prescription(world: World, patient: str) -> str:
    record = world.prescription(patient)
    world.put("prescriptions", record)
    return str(record["id"])


def edited(world: World, table: str, record: dict[str, Any], column: str, updated_at: str) -> bool:
    """Push an edit of ``column`` stamped ``updated_at`` and tell whether it was applied."""
    world.put(table, {**record, column: f"at {updated_at}", "updated_at": updated_at})
    return bool(world.row(table, record["id"])[column] == f"at {updated_at}")


GUARDED = (
    "patients",
    "patient_additional_attributes",
    "visits",
    "events",
    "appointments",
    "prescriptions",
    "patient_vitals",
    "dispensing_records",
    "prescription_items",
)
KEEPS_THE_CLIENTS = ("patients", "appointments", "prescriptions")
SETS_NOW = ("patient_additional_attributes", "visits", "events", "patient_vitals", "dispensing_records")


@pytest.mark.parametrize("table", GUARDED)
def test_only_a_strictly_newer_update_is_applied(world: World, table: str) -> None:
    record, column = made(world, table)
    assert [edited(world, table, record, column, stamp) for stamp in (OLD, SAME, NEW)] == [False, False, True]


@pytest.mark.parametrize("table", KEEPS_THE_CLIENTS)
def test_an_update_stores_the_clients_time(world: World, table: str) -> None:
    record, column = made(world, table)
    assert edited(world, table, record, column, NEW)
    assert world.row(table, record["id"])["updated_at"] == NEW


@pytest.mark.parametrize("table", SETS_NOW)
def test_an_update_stores_now_and_an_edit_made_before_it_is_dropped(world: World, table: str) -> None:
    record, column = made(world, table)
    now = dt.datetime.now(dt.UTC)
    assert edited(world, table, record, column, (now - dt.timedelta(minutes=60)).isoformat())
    assert dt.datetime.fromisoformat(world.row(table, record["id"])["updated_at"]) >= now - dt.timedelta(seconds=1)
    assert not edited(world, table, record, column, (now - dt.timedelta(minutes=30)).isoformat())


@pytest.mark.parametrize("table", ["patients", "appointments", "prescriptions"])
def test_a_client_clock_in_the_future_locks_a_row(world: World, table: str) -> None:
    record, column = made(world, table)
    assert edited(world, table, record, column, FAR)
    assert not edited(world, table, record, column, dt.datetime.now(dt.UTC).isoformat())


@pytest.mark.parametrize("table", ["patients", "visits", "events", "prescriptions"])
def test_an_update_keeps_created_at(world: World, table: str) -> None:
    record, column = made(world, table)
    before = world.row(table, record["id"])["created_at"]
    assert edited(world, table, {**record, "created_at": "2020-01-01T00:00:00Z"}, column, NEW)
    assert world.row(table, record["id"])["created_at"] == before


def test_an_update_overwrites_an_appointments_created_at(world: World) -> None:
    record, column = made(world, "appointments")
    assert edited(world, "appointments", {**record, "created_at": OLD}, column, NEW)
    assert world.row("appointments", record["id"])["created_at"] == OLD


def test_an_update_of_a_prescription_never_stores_filled_at_or_prescribed_at(world: World) -> None:
    record, column = made(world, "prescriptions")
    before = world.row("prescriptions", record["id"])
    assert edited(world, "prescriptions", {**record, "filled_at": OLD, "prescribed_at": OLD}, column, NEW)
    after = world.row("prescriptions", record["id"])
    assert (after["filled_at"], after["prescribed_at"]) == (None, before["prescribed_at"])


def test_updated_vitals_are_pulled_again_as_created(world: World) -> None:
    record, column = made(world, "patient_vitals")
    last = world.pull()["timestamp"]
    assert edited(world, "patient_vitals", record, column, NEW)
    lists = world.changes("patient_vitals", last)
    assert ([row["id"] for row in lists["created"]], lists["updated"]) == ([record["id"]], [])


def test_an_older_edit_of_a_problem_overwrites_a_newer_one(world: World) -> None:
    record, column = made(world, "patient_problems")
    assert [edited(world, "patient_problems", record, column, stamp) for stamp in (NEW, OLD)] == [True, True]


def test_a_resent_problem_comes_back_as_updated(world: World) -> None:
    record, _ = made(world, "patient_problems")
    last = world.pull()["timestamp"] + 1
    before = world.row("patient_problems", record["id"])["last_modified"]
    while world.row("patient_problems", record["id"])["last_modified"][:23] <= before[:23]:
        world.put("patient_problems", record)
    changed = world.changes("patient_problems", last - 1)
    assert record["id"] in {row["id"] for row in changed["updated"] + changed["created"]}


def test_an_edited_item_is_compared_with_the_original_time_and_never_pulled(world: World) -> None:
    record, column = made(world, "prescription_items")
    before = world.row("prescription_items", record["id"])
    later, earlier = "2026-05-01T00:00:00.000Z", "2026-04-01T00:00:00.000Z"
    assert [edited(world, "prescription_items", record, column, stamp) for stamp in (later, earlier)] == [True, True]
    after = world.row("prescription_items", record["id"])
    assert [after[name] for name in ("updated_at", "last_modified")] == [
        before[name] for name in ("updated_at", "last_modified")
    ]


def test_an_attribute_is_one_per_patient_and_keeps_its_first_id(world: World) -> None:
    record, column = made(world, "patient_additional_attributes")
    again = {**record, "id": new()["id"], column: "new", "updated_at": NEW}
    world.put("patient_additional_attributes", again)
    assert [(row["id"], row[column]) for row in world.seed.rows("patient_additional_attributes")] == [
        (record["id"], "new")
    ]


@pytest.mark.parametrize("table", GUARDED)
def test_sending_the_same_push_twice_changes_nothing(world: World, table: str) -> None:
    record, _ = made(world, table)
    before = world.seed.rows(table), world.seed.rows("visits"), world.seed.rows("clinic_inventory")
    world.put(table, record)
    assert (world.seed.rows(table), world.seed.rows("visits"), world.seed.rows("clinic_inventory")) == before


@pytest.mark.parametrize("table", ["appointments", "prescriptions", "events"])
def test_a_resend_without_a_visit_makes_a_new_visit_each_time(world: World, table: str) -> None:
    patient = world.known_patient()
    record = {
        "appointments": world.appointment(patient),
        "prescriptions": world.prescription(patient),
        "events": new(patient_id=patient),
    }[table]
    for _ in range(2):
        world.put(table, record)
    assert len(world.seed.rows("visits")) == 2


def test_four_pushes_at_once_make_no_duplicates(world: World) -> None:
    events = [new(visit_id=world.known_visit(world.known_patient())) for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: world.push({"events": {"created": events}}).status_code, range(4)))
    assert answers == [200] * 4
    assert len(world.seed.rows("events")) == 20
