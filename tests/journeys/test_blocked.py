"""A phone that can never store one of the hub's records must not go without all the others (P5)."""

from collections.abc import Iterator

import pytest

from tests.journeys.books import state
from tests.journeys.clinic import CLINICS, Clinic, Station
from tests.journeys.line import Fault

PATIENTS = 40
SYNCS_MOST = 60


@pytest.fixture
def clinic() -> Iterator[Clinic]:
    made = Clinic(2, 100_000)
    yield made
    made.close()


def register(station: Station) -> str:
    patient = station.phone.create("patients", {"given_name": "Amal", "primary_clinic_id": CLINICS[0]})
    return str(patient["id"])


def rests(clinic: Clinic, station: Station) -> bool:
    """Let a phone sync an hour later; returns whether it got nothing, and nothing is left to be asked."""
    clinic.clock.pass_by(1)
    outcome = station.sync()
    return outcome.ok and not outcome.pulled and not station.is_asked()


def test_p5_a_record_that_was_deleted_on_the_phone_before_it_was_confirmed_blocks_the_rest_only_for_a_while(
    clinic: Clinic,
) -> None:
    one, other = clinic.stations
    theirs = [register(one) for _ in range(PATIENTS)]
    assert one.sync().ok
    own = register(other)
    assert not other.sync(Fault.PUSH_REQUEST_LOST).ok  # it stored the answer, and not its timestamp
    other.phone.delete_locally("patients", theirs[PATIENTS // 2])
    other.book.deleted_here.add(("patients", theirs[PATIENTS // 2]))
    later = register(one)
    assert one.sync().ok

    assert "UNIQUE constraint failed" in other.sync().error
    assert any(rests(clinic, other) for _ in range(SYNCS_MOST))
    assert other.phone.store.find("patients", later)
    assert ("patients", own) in state(clinic.box.store).rows
    assert other.differences() == []


def test_p5_a_record_that_was_lost_on_the_way_twenty_times_comes_within_hours(clinic: Clinic) -> None:
    one, other = clinic.stations
    assert other.sync().ok
    record_id = register(one)
    assert one.sync().ok
    for _ in range(20):
        assert not other.sync(Fault.PULL_ANSWER_LOST).ok
    assert other.sync().ok
    clinic.clock.pass_by(2)
    assert other.sync().ok
    assert other.sync().ok
    assert other.phone.store.find("patients", record_id)
