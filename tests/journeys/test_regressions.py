"""Faults that the journeys found, each named for its symptom."""

from collections.abc import Iterator

import pytest

from hub.actions.phones import pull
from hub.core.records.access import Owner, Permission
from hub.store.people import users
from hub.store.phones import callers
from tests.journeys.books import state
from tests.journeys.clinic import CLINICS, EMAILS, Clinic, Station
from tests.journeys.line import Fault
from tests.simulator.rows import Row


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    made = Clinic(3, 100_000)
    yield made
    made.close()


def patient(station: Station) -> str:
    """Register a patient whom everyone then holds."""
    row = station.phone.create("patients", {"given_name": "Amal", "phone": "1", "primary_clinic_id": CLINICS[0]})
    return str(row["id"])


def shared(clinic: Clinic) -> str:
    """Return the id of a patient whom every phone holds, and knows to hold."""
    record_id = patient(clinic.stations[0])
    for _ in range(2):
        for station in clinic.stations:
            assert station.sync().ok
    return record_id


def on_the_hub(clinic: Clinic, record_id: str) -> Row:
    values: Row = state(clinic.box.store).rows["patients", record_id].data
    return values


def test_an_edit_does_not_vanish_from_the_phone_when_an_older_answer_overtakes_its_push(clinic: Clinic) -> None:
    record_id = shared(clinic)
    one, other, _ = clinic.stations
    other.phone.edit("patients", record_id, {"hometown": "Gaza"})
    assert other.sync().ok
    one.phone.edit("patients", record_id, {"phone": "2"})
    assert one.sync(meanwhile=True).ok
    clinic.settle()
    assert on_the_hub(clinic, record_id)["phone"] == "2"


def test_a_deletion_is_not_lost_to_a_newer_forced_upload_that_came_before_it(clinic: Clinic) -> None:
    record_id = shared(clinic)
    one, other, _ = clinic.stations
    one.phone.soft_delete("patients", record_id)
    other.clock.step(5)
    other.phone.edit("patients", record_id, {"hometown": "Gaza"})
    assert other.sync().ok
    other.clock.step(5)
    other.phone.store.find("patients", record_id)["updated_at"] = other.clock()  # type: ignore[index]
    assert other.force_upload().ok
    assert one.sync().ok
    clinic.settle()
    assert state(clinic.box.store).rows["patients", record_id].deleted


def test_a_child_that_is_moved_to_a_deleted_visit_goes_with_it(clinic: Clinic) -> None:
    record_id = patient(clinic.stations[0])
    phone = clinic.stations[0].phone
    first, second = (phone.create("visits", {"patient_id": record_id, "clinic_id": CLINICS[0]}) for _ in range(2))
    event = phone.create("events", {"patient_id": record_id, "visit_id": first["id"]})
    clinic.settle()
    one, other, _ = clinic.stations
    other.phone.soft_delete("visits", str(second["id"]))
    assert other.sync().ok
    one.phone.edit("events", str(event["id"]), {"visit_id": second["id"]})
    clinic.settle()
    assert state(clinic.box.store).rows["events", str(event["id"])].deleted


def test_what_hangs_on_a_visit_goes_with_its_patient_even_if_it_names_another_patient(clinic: Clinic) -> None:
    one = clinic.stations[0]
    record_id, stranger = patient(one), patient(one)
    visit = one.phone.create("visits", {"patient_id": record_id, "clinic_id": CLINICS[0]})
    event = one.phone.create("events", {"patient_id": stranger, "visit_id": visit["id"]})
    assert one.sync().ok
    one.phone.soft_delete("patients", record_id)
    clinic.settle()
    assert state(clinic.box.store).rows["events", str(event["id"])].deleted


def test_an_answer_that_arrives_late_and_whose_sync_then_fails_leaves_nothing_old_behind(clinic: Clinic) -> None:
    record_id = shared(clinic)
    one, other, _ = clinic.stations
    other.phone.edit("patients", record_id, {"hometown": "Gaza"})
    assert other.sync().ok
    one.phone.edit("patients", record_id, {"phone": "2"})

    def overtake() -> None:
        assert one.phone.sync().ok
        patient(one)
        one.line.fault = Fault.PUSH_REQUEST_LOST

    one.line.meanwhile = overtake
    assert not one.phone.sync().ok
    one.line.fault = Fault.NONE
    clinic.settle()
    assert on_the_hub(clinic, record_id)["phone"] == "2"


def test_records_of_a_patient_who_moves_into_sight_during_a_pull_are_not_forgotten(clinic: Clinic) -> None:
    one, other, _ = clinic.stations
    clinic.allow(0, 1, view=False)
    record_id = str(other.phone.create("patients", {"primary_clinic_id": CLINICS[1]})["id"])
    other.phone.create("visits", {"patient_id": record_id, "clinic_id": CLINICS[1]})
    assert other.sync().ok
    assert one.sync().ok
    patient(other)
    assert other.sync().ok
    with clinic.box.store.read() as db:  # a pull reads in one transaction
        device = callers.find(db, one.phone.client_id)
        assert device is not None
        user = users.find(db, f"user-{EMAILS[0]}")
        assert user is not None
        rights, cursor = callers.rights(db, user.id, user.role), one.phone.cursor or 0
        assert not rights.may(Permission.VIEW, Owner(CLINICS[1]))
        page, ledger = pull.choose(clinic.box.store, db, device.num, rights, cursor, most_bytes=100_000)
    other.phone.edit("patients", record_id, {"primary_clinic_id": CLINICS[0]})
    assert other.sync().ok
    pull.keep(clinic.box.store, device.num, page, ledger)  # and writes in another
    clinic.settle()


def test_a_phone_whose_edit_was_refused_gets_the_hubs_record_back(clinic: Clinic) -> None:
    record_id = shared(clinic)
    one = clinic.stations[0]
    with clinic.box.store.write() as tx:
        users.grant(tx, f"user-{EMAILS[0]}", CLINICS[0], {Permission.VIEW})
    one.phone.edit("patients", record_id, {"phone": "2"})
    assert one.sync().ok
    assert one.sync().ok
    assert one.differences() == []
    assert state(clinic.box.store).quarantined == [record_id]


def test_an_edit_counts_as_made_knowing_the_others_also_after_the_phones_last_one_lost(clinic: Clinic) -> None:
    record_id = shared(clinic)
    one, other, _ = clinic.stations
    other.clock.step(5)
    other.phone.edit("patients", record_id, {"phone": "2", "hometown": "Gaza"})
    assert other.sync().ok
    one.phone.edit("patients", record_id, {"hometown": "Rafah"})
    assert one.sync().ok
    one.phone.edit("patients", record_id, {"phone": "3"})
    clinic.settle()
    assert on_the_hub(clinic, record_id)["hometown"] == "Gaza"
    assert on_the_hub(clinic, record_id)["phone"] == "3"
