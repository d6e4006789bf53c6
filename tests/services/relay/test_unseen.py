"""What changed in the cloud unseen: wrong clocks, patients who moved away, months without a line (CLOUD.md 7)."""

import datetime as dt
from pathlib import Path

import pytest

from hub.core.reasons import Code
from tests.services.relay import world as worlds
from tests.services.relay.test_guard import settle
from tests.services.relay.unseen import ids
from tests.services.relay.world import Kind, World
from tests.simulator.rows import Row
from tests.store import pushes


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


def rest(world: World) -> None:
    """Run cycles until nothing more is to be learned."""
    for _ in range(4):
        world.cycle()


def transfer(world: World, patient: Row) -> None:
    """Move a patient to the other clinic, which notes what only it knows."""
    world.seed.edit(
        "patients",
        ids(patient),
        primary_clinic_id=world.elsewhere,
        phone="222",
        government_id="ID-7",
        additional_data={"allergy": "penicillin"},
    )


def is_elsewhere(world: World, patient: Row) -> None:
    there = world.there_is("patients", ids(patient))
    assert (there["primary_clinic_id"], there["phone"]) == (world.elsewhere, "222")
    assert (there["government_id"], there["additional_data"]) == ("ID-7", {"allergy": "penicillin"})


@pytest.mark.parametrize("edit", [("hometown", "Homs"), ("metadata", '{"appointment":1}')])
def test_9_an_edit_of_a_patient_who_moved_to_another_clinic_overwrites_nothing_there_and_is_held(
    connected: World, edit: tuple[str, str]
) -> None:
    patient = connected.patient()
    settle(connected)
    transfer(connected, patient)
    connected.cycle()
    name, value = edit
    connected.change("patients", patient, device=1, **{name: value})
    rest(connected)
    is_elsewhere(connected, patient)
    assert pushes.reasons(connected.store) == [Code.MOVED_IN_CLOUD.of(table="patients")]
    assert connected.waiting()["held"] == 1
    assert connected.here_is("patients", ids(patient))[name] == value


def test_9_a_patient_registered_here_and_moved_there_before_the_hub_saw_it_is_not_taken_back(connected: World) -> None:
    patient = connected.patient()
    assert connected.cycle().pushed.stored == 1
    transfer(connected, patient)
    rest(connected)
    connected.change("patients", patient, hometown="Homs")
    rest(connected)
    is_elsewhere(connected, patient)


def test_9_an_edit_that_was_held_for_a_move_goes_when_the_patient_comes_back(connected: World) -> None:
    patient = connected.patient()
    settle(connected)
    transfer(connected, patient)
    connected.change("patients", patient, hometown="Homs")
    rest(connected)
    connected.seed.edit("patients", ids(patient), primary_clinic_id=connected.here)
    settle(connected)
    there = connected.there_is("patients", ids(patient))
    assert (there["hometown"], there["phone"], there["primary_clinic_id"]) == ("Homs", "222", connected.here)
    assert pushes.reasons(connected.store) == []
    assert connected.waiting()["held"] == 0


def test_9_what_another_hub_wrote_between_pull_and_push_is_merged_and_not_overwritten(connected: World) -> None:
    """The edit goes just beyond what was seen, so the cloud refuses it, and the next one is made knowing the other."""
    patient = connected.patient(phone="1", hometown="Aleppo")
    settle(connected)
    connected.change("patients", patient, phone="2")
    connected.fail(Kind.ERROR_500, on="pull", times=3)
    for _ in range(2):
        connected.try_cycle()
    connected.seed.edit("patients", ids(patient), hometown="Homs")
    connected.try_cycle()  # the third pull that fails: edits go without one
    settle(connected)
    for held in (connected.here_is("patients", ids(patient)), connected.there_is("patients", ids(patient))):
        assert (held["phone"], held["hometown"]) == ("2", "Homs")


@pytest.mark.parametrize("days", [20, 45])
def test_9_after_sixty_days_without_a_line_the_clouds_correction_stands(tmp_path: Path, days: int) -> None:
    """The cloud serves thirty days of history: what it does not show any more is not overwritten either."""
    with worlds.world(tmp_path, max_history_days=30) as world:
        world.cycle()
        patient = world.patient(given_name="Leyla", phone="1")
        settle(world)
        at = (dt.datetime.now(dt.UTC) - dt.timedelta(days=days)).isoformat()
        long_ago = (dt.datetime.now(dt.UTC) - dt.timedelta(days=90)).isoformat()
        world.seed.edit("patients", ids(patient), server_created_at=long_ago, last_modified=long_ago)
        world.seed.edit("patients", ids(patient), given_name="Layla", last_modified=at)
        world.move_cursor(-dt.timedelta(days=60))
        world.change("patients", patient, phone="2")
        rest(world)
        there = world.there_is("patients", ids(patient))
        assert there["given_name"] == "Layla"
        if days < 30:
            assert (there["phone"], world.here_is("patients", ids(patient))["given_name"]) == ("2", "Layla")
        else:
            assert pushes.reasons(world.store) == [Code.MOVED_IN_CLOUD.of(table="patients")]


def test_9_a_correction_made_after_the_clouds_clock_was_right_again_stands(connected: World) -> None:
    """It bears an older time than what it corrects, and no backup was put back."""
    patient = connected.patient(phone="1")
    settle(connected)
    connected.set_clock(10)
    connected.seed.edit("patients", ids(patient), phone="2")
    connected.cycle()
    connected.set_clock(0)
    connected.seed.edit("patients", ids(patient), phone="3")
    connected.want_everything()
    settle(connected)
    assert connected.here_is("patients", ids(patient))["phone"] == "3"


def test_9_a_patient_who_moved_away_is_not_lost_and_is_asked_for_once(connected: World) -> None:
    patient = connected.patient()
    connected.visit(patient)
    settle(connected)
    transfer(connected, patient)
    connected.want_everything()
    settle(connected)
    is_elsewhere(connected, patient)
    assert connected.progress().lost == 0
    connected.want_everything()
    assert connected.cycle().pushed.stored == 0
    assert pushes.reasons(connected.store) == []


def test_9_an_item_that_someone_removed_in_the_cloud_is_not_brought_back(connected: World) -> None:
    item = connected.item(connected.prescription(connected.visit(connected.patient())))
    settle(connected)
    connected.seed.remove("prescription_items", ids(item))
    connected.want_everything()
    settle(connected)
    assert not connected.is_there("prescription_items", ids(item))
