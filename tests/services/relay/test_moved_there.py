"""What the cloud moved from a duplicate, or deleted, while the hub did not look (CLOUD.md 2.1, 4.6, 7)."""

import pytest

from hub.core.reasons import Code
from tests.services.relay.test_guard import settle
from tests.services.relay.unseen import EDITS, chart, ids, long_ago, stand_with
from tests.services.relay.world import Kind, World
from tests.simulator.rows import Row
from tests.store import pushes


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


def edit_all(world: World, made: dict[str, Row]) -> None:
    for table, row in made.items():
        world.change(table, row, **EDITS[table])


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("edited", ["before", "after"])
def test_9_an_edit_of_what_the_cloud_moved_goes_up_though_its_old_patient_is_deleted_here(
    connected: World, edited: str, *, announced: bool
) -> None:
    """Two phones: one has the edit yet to push when the other one's deletion comes, or pushed it just before."""
    duplicate, twin = connected.patient(), connected.patient()
    made = chart(connected, duplicate)
    settle(connected)
    if edited == "before":
        edit_all(connected, made)
    connected.remove("patients", ids(duplicate))
    if edited == "after":
        edit_all(connected, made)
    long_ago(connected, made)
    connected.seed.merge(ids(duplicate), ids(twin), announced=announced)
    settle(connected)
    stand_with(connected, twin, made, EDITS)


@pytest.mark.parametrize("sent", [0, 3])
def test_9_what_was_handed_out_of_an_item_that_went_along_counts_when_it_comes_back(
    connected: World, sent: int
) -> None:
    duplicate, twin = connected.patient(), connected.patient()
    item = connected.item(connected.prescription(connected.visit(duplicate)))
    if sent:
        connected.dispensing(item, quantity_dispensed=sent)
    settle(connected)
    connected.dispensing(item, quantity_dispensed=2)
    connected.remove("patients", ids(duplicate))
    connected.dispensing(item, quantity_dispensed=5)
    connected.seed.merge(ids(duplicate), ids(twin))
    settle(connected)
    for held in (connected.here_is, connected.there_is):
        assert held("prescription_items", ids(item))["quantity_dispensed"] == sent + 7
    assert connected.waiting()["waiting"] == 0


def test_9_what_was_deleted_by_name_after_it_went_along_stays_deleted_though_it_stands_elsewhere(
    connected: World,
) -> None:
    duplicate, twin = connected.patient(), connected.patient()
    visit = connected.visit(duplicate)
    event = connected.event(visit)
    settle(connected)
    connected.remove("patients", ids(duplicate))
    connected.remove("events", ids(event))
    connected.seed.merge(ids(duplicate), ids(twin))
    settle(connected)
    assert ids(visit) in pushes.live(connected.store, "visits")
    assert ids(event) in pushes.tombstones(connected.store, "events")
    assert connected.there_is("events", ids(event))["is_deleted"] is True


def test_9_what_is_entered_for_what_the_cloud_deleted_is_shown_to_people(connected: World) -> None:
    """Whoever enters it cannot know; it stays deleted."""
    patient = connected.patient()
    visit = connected.visit(patient)
    event = connected.event(visit)
    settle(connected)
    connected.seed.delete("patients", ids(patient))
    settle(connected)
    assert pushes.reasons(connected.store) == []
    late = connected.vitals(visit)
    connected.change("patients", patient, phone="5")
    connected.change("events", event, event_type="Triage")
    assert set(map(str, pushes.reasons(connected.store))) == {
        str(Code.PARENT_DELETED_IN_CLOUD.of(table="patient_vitals", parent="patients")),
        str(Code.DELETED_IN_CLOUD.of(table="patients")),
        str(Code.DELETED_IN_CLOUD.of(table="events")),
    }
    assert ids(late) in pushes.tombstones(connected.store, "patient_vitals")
    connected.remove("patients", ids(patient))
    assert len(pushes.reasons(connected.store)) == 3


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize("answered", [True, False])
def test_9_new_records_that_the_cloud_moved_before_the_hub_saw_them_are_not_moved_back(
    connected: World, *, announced: bool, answered: bool
) -> None:
    duplicate, twin = connected.patient(), connected.patient()
    settle(connected)
    made = chart(connected, duplicate)
    if not answered:
        connected.fail(Kind.LOSE, on="push", times=9)
    connected.try_cycle()
    connected.heal()
    if answered:
        edit_all(connected, made)
    connected.seed.merge(ids(duplicate), ids(twin), announced=announced)
    settle(connected)
    stand_with(connected, twin, made, EDITS if answered else {table: {} for table in made})


def test_9_what_changed_there_before_the_answer_to_a_new_record_was_heard_stands(connected: World) -> None:
    connected.fail(Kind.LOSE, on="push", times=9)
    patient = connected.patient()
    connected.try_cycle()
    connected.heal()
    connected.seed.edit("patients", ids(patient), phone="theirs")
    settle(connected)
    assert connected.there_is("patients", ids(patient))["phone"] == "theirs"
    assert connected.here_is("patients", ids(patient))["phone"] == "theirs"


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
