"""Deletes, both ways (P4; CLOUD.md 2.1, 4.6)."""

import pytest

from hub.actions.cloud import queue
from hub.core.reasons import Code
from hub.store import quarantine
from tests.services.relay.test_guard import settle
from tests.services.relay.world import Kind, World, changes, uid
from tests.store import pushes


def test_4_6_a_delete_goes_as_an_id_and_never_as_a_flag(connected: World) -> None:
    patient = connected.patient()
    settle(connected)
    connected.remove("patients", str(patient["id"]))
    settle(connected)
    there = connected.there_is("patients", str(patient["id"]))
    assert there["is_deleted"] is True
    assert there["deleted_at"] is not None  # so that it is announced to others


def test_4_6_children_are_deleted_by_name_so_that_others_hear_of_them(connected: World) -> None:
    """The cloud's own cascade flags them without a time, and announces them to nobody."""
    patient = connected.patient()
    visit = connected.visit(patient)
    event = connected.event(visit)
    settle(connected)
    connected.remove("visits", str(visit["id"]))
    settle(connected)
    assert connected.there_is("events", str(event["id"]))["deleted_at"] is not None


def test_4_6_a_deleted_item_is_gone_at_once(connected: World) -> None:
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    settle(connected)
    connected.remove("prescription_items", str(item["id"]))
    connected.cycle()
    assert not connected.is_there("prescription_items", str(item["id"]))
    assert connected.waiting()["sent"] == 0


def test_4_6_what_the_cloud_deletes_is_deleted_here_with_its_children(connected: World) -> None:
    patient = connected.patient()
    visit = connected.visit(patient)
    event = connected.event(visit)
    settle(connected)
    connected.seed.delete("patients", str(patient["id"]))
    report = connected.cycle()
    assert report.pulled.deleted == 3
    for table, made in (("patients", patient), ("visits", visit), ("events", event)):
        assert str(made["id"]) in pushes.tombstones(connected.store, table)
    assert connected.cycle().pushed.stored == 0


@pytest.mark.parametrize("is_new", [True, False])
def test_4_6_what_the_cloud_shows_in_a_visit_that_was_deleted_here_meanwhile_goes_with_it(
    connected: World, *, is_new: bool
) -> None:
    """It was moved into it there, or entered. It stayed here, went in the cloud without a word, and was held."""
    patient = connected.patient()
    old, gone = connected.visit(patient), connected.visit(patient)
    event = connected.event(old)
    settle(connected)
    connected.remove("visits", str(gone["id"]))
    if is_new:
        event = {**connected.there_is("events", str(event["id"])), "id": uid(), "visit_id": gone["id"]}
        connected.seed.push_as(connected.hub, changes("events", created=[event]))
    else:
        connected.seed.edit("events", str(event["id"]), visit_id=gone["id"])
    for _ in range(3):
        connected.want_everything()
        settle(connected)
    assert str(event["id"]) not in pushes.live(connected.store, "events")
    assert connected.there_is("events", str(event["id"]))["is_deleted"] is True
    assert pushes.reasons(connected.store) == []
    assert not any(connected.waiting().values())


def test_4_6_a_record_that_the_cloud_never_had_is_kept_visible_when_its_patient_is_deleted_there(
    connected: World,
) -> None:
    patient = connected.patient()
    settle(connected)
    connected.seed.delete("patients", str(patient["id"]))
    connected.visit(patient)
    connected.cycle()
    assert pushes.reasons(connected.store) == [Code.PARENT_DELETED_IN_CLOUD.of(table="visits", parent="patients")]


def test_r10_a_pull_that_deletes_what_was_not_sent_goes_on_where_the_records_to_check_are_full(
    connected: World,
) -> None:
    """The pull failed for ever, and nothing came from the cloud any more; no record may be lost for it either."""
    patient, other = connected.patient(), connected.patient()
    visit = connected.visit(patient)
    settle(connected)
    connected.change("visits", visit, provider_name="not sent")
    new = connected.event(visit)
    connected.seed.push_as(connected.hub, {"patients": {"deleted": [patient["id"]]}})
    connected.seed.edit("patients", str(other["id"]), hometown="Homs")
    room, connected.store.quarantine_max = connected.store.quarantine_max, 1
    settle(connected)
    assert connected.here_is("patients", str(other["id"]))["hometown"] == "Homs"
    for table, row in {"patients": patient, "visits": visit, "events": new}.items():
        assert row["id"] in pushes.live(connected.store, table)  # nothing is split
    assert connected.waiting()["held"] == 2
    gone = [Code.PARENT_DELETED_IN_CLOUD.of(table=table, parent="patients") for table in ("events", "visits")]
    assert sorted(connected.reasons(), key=str) == sorted(gone, key=str)
    connected.store.quarantine_max = room
    connected.want_everything()  # as once a week
    settle(connected)
    for table, row in {"patients": patient, "visits": visit, "events": new}.items():
        assert row["id"] in pushes.tombstones(connected.store, table)
    assert sorted(pushes.reasons(connected.store), key=str) == sorted(gone, key=str)
    assert connected.waiting()["held"] == 0


def test_4_6_what_only_quarantine_still_has_is_not_thrown_away_by_trying_again(connected: World) -> None:
    """Letting everything go again, by hand or for a new clinic, took away the only copy."""
    patient = connected.patient()
    settle(connected)
    connected.seed.delete("patients", str(patient["id"]))
    connected.visit(patient)
    connected.cycle()
    with connected.store.write() as tx:
        [entry] = list(quarantine.entries(tx.db))
        assert not queue.retry(tx, entry)
        assert queue.release_all(tx) == 0
    assert len(pushes.reasons(connected.store)) == 1


def test_4_6_a_row_that_came_back_to_life_there_is_deleted_again(connected: World) -> None:
    """P4: deleted stays deleted; an update un-deletes appointments in the cloud."""
    appointment = connected.appointment(connected.visit(connected.patient()))
    settle(connected)
    connected.remove("appointments", str(appointment["id"]))
    settle(connected)
    connected.seed.edit("appointments", str(appointment["id"]), is_deleted=False, deleted_at=None)
    settle(connected)
    assert connected.there_is("appointments", str(appointment["id"]))["is_deleted"] is True
    assert str(appointment["id"]) in pushes.tombstones(connected.store, "appointments")


def test_4_6_a_zombie_in_the_cloud_does_not_come_back_here(connected: World) -> None:
    """is_deleted false with deleted_at still set: in no list at all."""
    patient = connected.patient()
    settle(connected)
    connected.remove("patients", str(patient["id"]))
    settle(connected)
    connected.seed.edit("patients", str(patient["id"]), is_deleted=False)
    connected.cycle()
    assert str(patient["id"]) in pushes.tombstones(connected.store, "patients")


def test_2_1_a_full_pull_asks_for_deletes_too(connected: World) -> None:
    """lastPulledAt=0 never gives deletes, 1 does."""
    patient = connected.patient()
    settle(connected)
    connected.seed.delete("patients", str(patient["id"]))
    connected.seed.edit("devices", connected.hub.id, clinic_ids=[connected.here, connected.elsewhere])
    report = connected.cycle()
    assert report.full
    assert str(patient["id"]) in pushes.tombstones(connected.store, "patients")


def test_a_record_that_was_deleted_before_it_was_sent_is_not_sent(connected: World) -> None:
    patient = connected.patient()
    connected.remove("patients", str(patient["id"]))
    settle(connected)
    assert not connected.is_there("patients", str(patient["id"]))


def test_4_4_vitals_of_a_visit_that_was_deleted_before_it_was_sent_reach_the_cloud(connected: World) -> None:
    """They outlive it; the cloud takes none of a visit that it never had, and refused them for ever."""
    visit = connected.visit(connected.patient())
    vitals = connected.vitals(visit)
    connected.remove("visits", str(visit["id"]))
    settle(connected)
    assert connected.there_is("patient_vitals", str(vitals["id"]))["visit_id"] == visit["id"]
    there = connected.there_is("visits", str(visit["id"]))
    assert there["is_deleted"]
    assert there["clinic_id"] == connected.here
    assert pushes.reasons(connected.store) == []


def test_4_4_vitals_that_come_after_their_visit_was_deleted_leave_the_clouds_visit_alone(connected: World) -> None:
    """Another hub may know more of the visit by now."""
    visit = connected.visit(connected.patient())
    settle(connected)
    connected.remove("visits", str(visit["id"]))
    settle(connected)
    before = connected.there_is("visits", str(visit["id"]))
    vitals = connected.vitals(visit)
    settle(connected)
    assert connected.is_there("patient_vitals", str(vitals["id"]))
    assert connected.there_is("visits", str(visit["id"])) == before


def test_4_4_what_was_dispensed_of_a_deleted_prescription_reaches_the_cloud(connected: World) -> None:
    prescription = connected.prescription(connected.visit(connected.patient()))
    item = connected.item(prescription)
    dispensed = connected.dispensing(item)
    connected.remove("prescription_items", str(item["id"]))
    connected.remove("prescriptions", str(prescription["id"]))
    settle(connected)
    assert connected.is_there("dispensing_records", str(dispensed["id"]))
    assert connected.there_is("prescriptions", str(prescription["id"]))["is_deleted"]


def test_4_6_an_item_of_which_something_was_dispensed_stays_there_and_that_is_said(connected: World) -> None:
    """The cloud removes items for good, and cannot while a dispensing record names one."""
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    connected.dispensing(item)
    settle(connected)
    connected.remove("prescription_items", str(item["id"]))
    settle(connected)
    assert connected.is_there("prescription_items", str(item["id"]))
    assert pushes.reasons(connected.store)[0].code is Code.DELETE_REFUSED


def test_9_what_was_sent_to_a_patient_who_had_been_deleted_there_goes_here_and_stays_there(connected: World) -> None:
    """Pulls failed, so the hub did not know; the cloud's own cascade was over by then. Nobody deleted the record."""
    patient = connected.patient()
    settle(connected)
    connected.seed.push_as(connected.hub, changes("patients", deleted=[patient["id"]]))
    attribute = connected.attribute(patient, string_value="A+")
    connected.fail(Kind.ERROR_500, on="pull")
    assert connected.try_cycle().pushed.stored == 1
    settle(connected)
    assert str(attribute["id"]) in pushes.tombstones(connected.store, "patient_additional_attributes")
    assert not connected.there_is("patient_additional_attributes", str(attribute["id"]))["is_deleted"]


@pytest.mark.parametrize("is_sent", [True, False])
def test_4_6_what_was_dispensed_to_a_patient_who_is_deleted_there_is_proven(connected: World, *, is_sent: bool) -> None:
    """The cloud leaves dispensing records alone, and goes on showing them; they were held, though they are there."""
    patient = connected.patient()
    item = connected.item(connected.prescription(connected.visit(patient)))
    settle(connected)
    dispensed = connected.dispensing(item)
    if is_sent:
        connected.fail(Kind.ERROR_500, on="pull")
        assert connected.try_cycle().pushed.stored == 1
    connected.seed.delete("patients", str(patient["id"]))
    for _ in range(8):
        connected.want_everything()
        settle(connected)
    assert connected.is_there("dispensing_records", str(dispensed["id"]))
    assert str(dispensed["id"]) in pushes.live(connected.store, "dispensing_records")
    assert pushes.reasons(connected.store) == []
    assert not any(connected.waiting().values())
