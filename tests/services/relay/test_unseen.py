"""Nothing is deleted or overwritten in the cloud that nobody deleted or overwrote, seen from here or not (R9)."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from hub.core.cloud.tables import PUSH_ORDER
from hub.core.reasons import Code
from tests.services.relay import world as worlds
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


EDITS: dict[str, dict[str, Any]] = {
    "visits": {"provider_name": "Eva"},
    "events": {"event_type": "Triage"},
    "patient_vitals": {"systolic_bp": 131},
    "patient_problems": {"problem_label": "Gout"},
    "patient_additional_attributes": {"string_value": "A+"},
    "appointments": {"reason": "stitches"},
    "prescriptions": {"notes": "after meals"},
    "prescription_items": {"notes": "half"},
}


def edit_all(world: World, made: dict[str, Row]) -> None:
    for table, row in made.items():
        world.change(table, row, **EDITS[table])


def long_ago(world: World, made: dict[str, Row]) -> None:
    """Let the records be older than what pulls bring twice."""
    then = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).isoformat()
    for table, row in made.items():
        world.seed.edit(table, ids(row), announced=False, last_modified=then, server_created_at=then)


def stand_with(world: World, patient: Row, made: dict[str, Row], edits: dict[str, dict[str, Any]]) -> None:
    """Check that the records stand with a patient on both sides, and hold these edits."""
    for table, row in made.items():
        wanted = {"patient_id": patient["id"], "is_deleted": False, **edits[table]}
        for held in (world.here_is(table, ids(row)), world.there_is(table, ids(row))):
            assert {name: held[name] for name in wanted} == wanted, table
        assert ids(row) in pushes.live(world.store, table), table
    assert pushes.reasons(world.store) == []
    assert not world.waiting()["waiting"]


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


def test_9_what_a_restored_cloud_has_lost_is_sent_again_and_said(connected: World) -> None:
    stays = connected.patient(given_name="stays")
    settle(connected)
    backup = connected.seed.copy()
    lost = connected.patient(given_name="lost")
    made = chart(connected, lost)
    settle(connected)
    connected.seed.restore(backup)
    assert not connected.is_there("patients", ids(lost))
    connected.want_everything()
    connected.cycle()
    for table, row in {"patients": lost, **made}.items():
        there = connected.there_is(table, ids(row))
        assert there["is_deleted"] is False, table
    assert connected.there_is("events", ids(made["events"]))["visit_id"] == made["visits"]["id"]
    assert connected.there_is("patients", ids(stays))["given_name"] == "stays"
    assert connected.progress().lost == 1 + len(made)
    settle(connected)
    assert [connected.cycle().pushed.stored for _ in range(2)] == [0, 0]
    assert pushes.reasons(connected.store) == []


def put_back(world: World, backup: dict[str, list[tuple[Any, ...]]]) -> None:
    """Put a backup of yesterday into the cloud."""
    world.seed.restore(backup)
    yesterday = (dt.datetime.now(dt.UTC) - dt.timedelta(days=1)).isoformat()
    for table in PUSH_ORDER:
        for row in world.seed.rows(table.name):
            world.seed.edit(table.name, str(row["id"]), announced=False, last_modified=yesterday)


@pytest.mark.parametrize(
    ("table", "column", "values"),
    [
        ("patients", "phone", ("1", "2")),
        ("visits", "provider_name", ("Ada", "Eva")),
        ("events", "event_type", ("one", "two")),
        ("patient_vitals", "systolic_bp", (120, 130)),
        ("patient_problems", "problem_label", ("one", "two")),
        ("patient_additional_attributes", "string_value", ("one", "two")),
        ("appointments", "reason", ("one", "two")),
        ("prescriptions", "notes", ("one", "two")),
    ],
)
def test_9_a_correction_that_a_restored_cloud_has_lost_is_not_taken_back_and_sent_again(
    connected: World, table: str, column: str, values: tuple[Any, Any]
) -> None:
    patient = connected.patient()
    row = {"patients": patient, **chart(connected, patient)}[table]
    row = connected.change(table, row, **{column: values[0]})
    settle(connected)
    backup = connected.seed.copy()
    connected.change(table, row, **{column: values[1]})
    settle(connected)
    put_back(connected, backup)
    connected.want_everything()
    settle(connected)
    assert connected.here_is(table, ids(row))[column] == values[1]
    assert connected.there_is(table, ids(row))[column] == values[1]
    assert connected.progress().lost == 1
    connected.want_everything()
    assert connected.cycle().pushed.stored == 0


def test_9_what_a_restored_cloud_has_with_a_patient_who_was_merged_since_stays_with_the_other_one(
    connected: World,
) -> None:
    duplicate, twin = connected.patient(), connected.patient()
    visit = connected.visit(duplicate)
    event = connected.event(visit)
    settle(connected)
    backup = connected.seed.copy()
    connected.seed.merge(ids(duplicate), ids(twin))
    settle(connected)
    put_back(connected, backup)
    connected.want_everything()
    settle(connected)
    for table, row in {"visits": visit, "events": event}.items():
        assert connected.here_is(table, ids(row))["patient_id"] == twin["id"]
        there = connected.there_is(table, ids(row))
        assert (there["patient_id"], there["is_deleted"]) == (twin["id"], False)


def test_9_a_correction_that_the_cloud_had_and_lost_before_it_was_shown_is_sent_again(connected: World) -> None:
    patient = connected.change("patients", connected.patient(phone="0"), phone="1")
    settle(connected)
    patient = connected.change("patients", patient, phone="2")
    settle(connected)
    connected.change("patients", patient, phone="3")
    backup = connected.seed.copy()
    connected.cycle()
    put_back(connected, backup)
    connected.want_everything()
    settle(connected)
    assert connected.there_is("patients", ids(patient))["phone"] == "3"


@pytest.mark.parametrize("table", ["patients", *EDITS])
def test_9_a_record_that_the_cloud_lost_while_an_edit_of_it_was_to_be_shown_is_sent_again(
    connected: World, table: str
) -> None:
    backup = connected.seed.copy()
    patient = connected.patient()
    row = {"patients": patient, **chart(connected, patient)}[table]
    settle(connected)
    values = {**EDITS, "patients": {"phone": "2"}}[table]
    connected.change(table, row, **values)
    connected.cycle()
    put_back(connected, backup)
    connected.want_everything()
    settle(connected)
    there = connected.there_is(table, ids(row))
    assert {name: there[name] for name in values} == values
    assert pushes.reasons(connected.store) == []
    assert connected.waiting() == {"waiting": 0, "sent": 0, "missed": 0, "held": 0}


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


def test_9_a_cloud_that_comes_back_empty_of_records_gets_them_all(connected: World) -> None:
    backup = connected.seed.copy()
    patients = [connected.patient() for _ in range(3)]
    settle(connected)
    connected.seed.restore(backup)
    connected.want_everything()
    settle(connected)
    assert {str(row["id"]) for row in connected.seed.rows("patients")} == {ids(patient) for patient in patients}
    assert connected.progress().lost == 3


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


def test_9_what_is_older_than_the_history_that_the_cloud_serves_is_not_lost(tmp_path: Path) -> None:
    with worlds.world(tmp_path, max_history_days=30) as world:
        world.cycle()
        old, new = world.patient(), world.patient()
        settle(world)
        long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=90)
        world.seed.edit(
            "patients", ids(old), server_created_at=long_ago.isoformat(), last_modified=long_ago.isoformat()
        )
        with world.store.write() as tx:
            ms = long_ago.timestamp() * 1000
            tx.db.execute(
                "UPDATE patients SET made_ms = ?, local_server_last_modified = ? WHERE id = ?", [ms, ms, ids(old)]
            )
        world.want_everything()
        assert world.cycle().pulled.lost == 0
        assert ids(new) in pushes.live(world.store, "patients")


def test_9_a_new_visit_of_a_patient_whom_the_cloud_has_lost_goes_once_the_patient_is_back(connected: World) -> None:
    backup = connected.seed.copy()
    patient = connected.patient()
    settle(connected)
    connected.seed.restore(backup)
    visit = connected.visit(patient)
    connected.cycle()
    connected.want_everything()
    settle(connected)
    assert connected.there_is("visits", ids(visit))["patient_id"] == patient["id"]
    assert connected.waiting()["held"] == 0


@pytest.mark.parametrize("table", EDITS)
def test_9_what_is_edited_while_the_cloud_loses_what_it_had_yet_to_show_goes_up_with_that(
    connected: World, table: str
) -> None:
    """The cloud refuses it alone, for a patient whom it has lost: it goes again when the patient does."""
    backup = connected.seed.copy()
    patient = connected.patient()
    made = chart(connected, patient)
    connected.cycle()
    connected.seed.restore(backup)
    connected.change(table, made[table], **EDITS[table])
    settle(connected)
    stand_with(connected, patient, made, {name: EDITS[table] if name == table else {} for name in made})


def test_9_what_is_new_while_the_cloud_loses_its_patient_whom_it_had_yet_to_show_goes_up_too(connected: World) -> None:
    backup = connected.seed.copy()
    patient = connected.patient()
    connected.cycle()
    connected.seed.restore(backup)
    made = chart(connected, patient)
    settle(connected)
    stand_with(connected, patient, made, {table: {} for table in made})


@pytest.mark.parametrize("announced", [True, False])
def test_9_what_ended_in_the_cloud_without_a_word_is_given_to_a_person(connected: World, *, announced: bool) -> None:
    """It goes there with a visit into which this hub had not heard that it was moved: no pull lists it ever again."""
    patient = connected.patient()
    old, new = connected.visit(patient), connected.visit(patient)
    event, stays = connected.event(old), connected.event(old)
    settle(connected)
    long_ago(connected, {"events": event})
    connected.seed.edit("events", ids(event), announced=announced, visit_id=new["id"])
    connected.seed.push_as(connected.hub, {"visits": {"deleted": [new["id"]]}})
    connected.want_everything()
    settle(connected)
    assert pushes.reasons(connected.store) == [Code.NOT_SHOWN.of(table="events")]
    assert {ids(event), ids(stays)} <= pushes.live(connected.store, "events")  # nobody here deleted it
    assert connected.waiting()["held"] == 1
    connected.want_everything()
    settle(connected)
    assert len(pushes.reasons(connected.store)) == 1
