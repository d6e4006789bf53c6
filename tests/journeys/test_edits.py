"""Edits of one record on several phones, through the whole hub (P3), and what a phone hears of its own."""

import copy
from collections.abc import Iterator

import pytest

from tests.journeys.books import state
from tests.journeys.clinic import CLINICS, Clinic, Station
from tests.simulator.rows import Value


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    made = Clinic(3, 100_000)
    yield made
    made.close()


@pytest.fixture
def shared(clinic: Clinic) -> str:
    """Return the id of a patient whom every phone holds, and is known to hold."""
    values: dict[str, Value] = {"given_name": "Amal", "phone": "0", "primary_clinic_id": CLINICS[0]}
    record_id = str(clinic.stations[0].phone.create("patients", values)["id"])
    clinic.settle()
    return record_id


def edit(station: Station, record_id: str, **values: Value) -> None:
    station.phone.edit("patients", record_id, values)


def phone_number(clinic: Clinic, record_id: str) -> Value:
    number: Value = state(clinic.box.store).rows["patients", record_id].data["phone"]
    return number


def test_p3_an_edit_made_knowing_another_wins_even_if_the_phones_clock_is_hours_behind(
    clinic: Clinic, shared: str
) -> None:
    one, other, _ = clinic.stations
    edit(one, shared, phone="first")
    assert one.sync().ok
    assert other.sync().ok
    other.clock.step(-5)
    edit(other, shared, phone="second")
    clinic.settle()
    assert phone_number(clinic, shared) == "second"


def test_p3_it_wins_also_if_a_third_phone_changed_another_column_meanwhile(clinic: Clinic, shared: str) -> None:
    one, other, third = clinic.stations
    edit(one, shared, phone="first")
    assert one.sync().ok
    assert other.sync().ok
    edit(third, shared, hometown="Gaza")
    assert third.sync().ok
    other.clock.step(-5)
    edit(other, shared, phone="second")
    clinic.settle()
    assert phone_number(clinic, shared) == "second"


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_p3_of_edits_that_did_not_know_each_other_the_newer_wins_in_both_orders(
    clinic: Clinic, shared: str, order: tuple[int, int]
) -> None:
    older, newer, _ = clinic.stations
    newer.clock.step(5)
    edit(older, shared, phone="older")
    edit(newer, shared, phone="newer")
    for number in order:
        assert clinic.stations[number].sync().ok
    clinic.settle()
    assert phone_number(clinic, shared) == "newer"


def test_a_phone_does_not_hear_its_own_edits_again(clinic: Clinic, shared: str) -> None:
    one = clinic.stations[0]
    edit(one, shared, phone="1")
    one.phone.create("visits", {"patient_id": shared, "clinic_id": CLINICS[0]})
    assert one.sync().pushed == 2
    assert one.sync().pulled == 0


def test_a_phone_gets_its_own_new_record_as_an_update_when_another_changed_it_before_it_pulled(clinic: Clinic) -> None:
    one, other, _ = clinic.stations
    assert one.sync().ok
    record_id = str(one.phone.create("patients", {"given_name": "Amal", "primary_clinic_id": CLINICS[0]})["id"])
    assert one.sync().ok
    assert other.sync().ok
    edit(other, record_id, phone="1")
    assert other.sync().ok
    one.phone.delete_locally("patients", record_id)
    one.book.deleted_here.add(("patients", record_id))
    assert one.sync().ok


def test_p5_a_reinstalled_phone_gets_its_own_old_records_as_new_also_when_another_changes_them_meanwhile(
    clinic: Clinic,
) -> None:
    one, other, _ = clinic.stations
    values: dict[str, Value] = {"given_name": "Amal", "primary_clinic_id": CLINICS[0]}
    record_id = str(one.phone.create("patients", values)["id"])
    clinic.settle()
    clinic.resize(300)  # one record at a time
    one.reinstall(keep_client_id=True)
    assert one.sync().ok
    assert one.phone.store.find("patients", record_id) is None
    edit(other, record_id, phone="1")
    clinic.settle()


def test_p5_a_phone_restored_from_an_older_backup_gets_what_it_lost(clinic: Clinic, shared: str) -> None:
    one, other, _ = clinic.stations
    backup, cursor = copy.deepcopy(one.phone.store), one.phone.cursor
    edit(other, shared, phone="1")
    clinic.settle()
    one.phone.store, one.phone.cursor = backup, cursor
    clinic.settle()


@pytest.mark.parametrize("other_changes_it", [False, True])
def test_p3_an_edit_made_while_its_push_is_on_the_way_arrives_with_the_next_one(
    clinic: Clinic, shared: str, *, other_changes_it: bool
) -> None:
    one, other, _ = clinic.stations
    edit(one, shared, phone="first")

    def during() -> tuple[str, str, str]:
        edit(one, shared, hometown="during")
        return "patients", shared, "hometown"

    assert one.sync_while_editing(during).ok
    row = one.phone.store.find("patients", shared)
    assert row is not None
    assert (row["_status"], row["hometown"]) == ("synced", "during")
    if other_changes_it:
        edit(other, shared, surname="Other")
    edit(one, shared, camp="later")
    clinic.settle()
    for station in clinic.stations:
        seen = station.phone.store.find("patients", shared)
        assert seen is not None
        assert (seen["phone"], seen["hometown"], seen["camp"]) == ("first", "during", "later")
    assert state(clinic.box.store).rows["patients", shared].data["hometown"] == "during"


def test_p3_a_forced_upload_of_what_the_app_could_not_read_wipes_nothing_and_heals_the_phone(
    clinic: Clinic, shared: str
) -> None:
    """After a pull straight from the cloud the app holds nulls, with the cloud's updated_at."""
    one, other, _ = clinic.stations
    values: dict[str, Value] = {"patient_id": shared, "height_cm": 191, "weight_kg": 80.5, "heart_rate": 70}
    record_id = str(other.phone.create("patient_vitals", values)["id"])
    clinic.settle()
    row = one.phone.store.find("patient_vitals", record_id)
    assert row is not None
    row.update(height_cm=None, weight_kg=None)
    assert one.phone.force_upload().ok
    clinic.settle()
    for station in clinic.stations:
        seen = station.phone.store.find("patient_vitals", record_id)
        assert seen is not None
        assert (seen["height_cm"], seen["weight_kg"], seen["heart_rate"]) == (191, 80.5, 70)
