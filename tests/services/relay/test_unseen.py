"""Nothing is deleted or overwritten in the cloud that nobody deleted or overwrote, seen from here or not (R9)."""

import datetime as dt

import pytest

from tests.services.relay.test_guard import settle
from tests.services.relay.world import Kind, World
from tests.simulator.rows import Row
from tests.store import pushes

CHILDREN = ("visits", "events", "patient_vitals", "patient_problems", "patient_additional_attributes", "appointments")


def chart(world: World, patient: Row) -> dict[str, Row]:
    """Enter a record of every kind for a patient."""
    visit = world.visit(patient)
    prescription = world.prescription(visit)
    made = {"visits": visit, "events": world.event(visit), "patient_vitals": world.vitals(visit)}
    made |= {"patient_problems": world.problem(visit), "patient_additional_attributes": world.attribute(patient)}
    made |= {"appointments": world.appointment(visit), "prescriptions": prescription}
    return made | {"prescription_items": world.item(prescription)}


def ids(row: Row) -> str:
    return str(row["id"])


@pytest.mark.parametrize("announced", [True, False])
def test_9_what_the_cloud_moved_from_a_duplicate_to_its_twin_stays_with_the_twin(
    connected: World, *, announced: bool
) -> None:
    duplicate, twin = connected.patient(), connected.patient()
    made = chart(connected, duplicate)
    settle(connected)
    connected.seed.merge(ids(duplicate), ids(twin), announced=announced)
    settle(connected)
    assert ids(duplicate) in pushes.tombstones(connected.store, "patients")
    for table, row in made.items():
        assert connected.here_is(table, ids(row))["patient_id"] == twin["id"], table
        there = connected.there_is(table, ids(row))
        assert (there["patient_id"], there["is_deleted"]) == (twin["id"], False), table


@pytest.mark.parametrize("announced", [True, False])
def test_9_an_event_that_the_cloud_moved_to_another_visit_outlives_its_old_one(
    connected: World, *, announced: bool
) -> None:
    patient = connected.patient()
    old, new = connected.visit(patient), connected.visit(patient)
    event, stays = connected.event(old), connected.event(old)
    settle(connected)
    connected.seed.edit("events", ids(event), announced=announced, visit_id=new["id"])
    connected.seed.push_as(connected.hub, {"visits": {"deleted": [old["id"]]}})
    settle(connected)
    assert connected.here_is("events", ids(event))["visit_id"] == new["id"]
    assert connected.there_is("events", ids(event))["is_deleted"] is False
    assert pushes.tombstones(connected.store, "visits") == {old["id"]}
    assert pushes.tombstones(connected.store, "events") == {stays["id"]}


def test_9_a_patient_deleted_without_children_takes_them_along_here_and_deletes_none_there(connected: World) -> None:
    patient = connected.patient()
    made = chart(connected, patient)
    settle(connected)
    connected.seed.delete("patients", ids(patient))
    settle(connected)
    for table, row in made.items():
        assert ids(row) in pushes.tombstones(connected.store, table), table
        assert connected.there_is(table, ids(row))["is_deleted"] is False, table


def test_9_what_the_cloud_moved_stays_though_its_old_patient_is_deleted_here_meanwhile(connected: World) -> None:
    duplicate, twin = connected.patient(), connected.patient()
    made = chart(connected, duplicate)
    settle(connected)
    connected.remove("patients", ids(duplicate))
    connected.seed.merge(ids(duplicate), ids(twin))
    settle(connected)
    for table, row in made.items():
        assert connected.here_is(table, ids(row))["patient_id"] == twin["id"], table
        assert connected.there_is(table, ids(row))["is_deleted"] is False, table


def test_9_while_no_full_pull_succeeds_the_deletion_waits_and_news_come(connected: World) -> None:
    patient = connected.patient()
    visit = connected.visit(patient)
    settle(connected)
    connected.seed.delete("patients", ids(patient))
    connected.fail(Kind.ERROR_500, on="full", times=5)
    connected.try_cycle()
    assert pushes.live(connected.store, "visits") == {visit["id"]}
    connected.heal()
    connected.cycle()
    assert pushes.live(connected.store, "visits") == set()


def test_9_rows_that_change_after_the_clouds_clock_was_ahead_are_pulled(connected: World) -> None:
    """The cursor keeps to the hub's own time, though the cloud's is ten days ahead when it pulls."""
    patient = connected.patient(given_name="before")
    settle(connected)
    connected.set_clock(10)
    connected.cycle()
    connected.set_clock(0)
    connected.seed.edit("patients", ids(patient), given_name="corrected")
    connected.cycle()
    assert connected.here_is("patients", ids(patient))["given_name"] == "corrected"


def test_9_a_cursor_that_an_earlier_release_took_from_a_wrong_clock_is_noticed(connected: World) -> None:
    patient = connected.patient(given_name="before")
    settle(connected)
    connected.seed.edit("patients", ids(patient), given_name="corrected")
    connected.move_cursor(dt.timedelta(days=10))
    assert connected.cycle().full
    assert connected.here_is("patients", ids(patient))["given_name"] == "corrected"


def test_9_everything_is_pulled_once_a_week_by_itself(connected: World) -> None:
    assert not connected.cycle().full
    connected.move_cursor(dt.timedelta(days=-8))
    assert connected.cycle().full
    assert not connected.cycle().full
