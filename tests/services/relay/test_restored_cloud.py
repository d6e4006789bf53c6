"""A cloud that is put back to an older backup has lost what it once had (CLOUD.md 7)."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from hub.core.cloud.tables import PUSH_ORDER
from hub.core.reasons import Code
from tests.services.relay import world as worlds
from tests.services.relay.test_guard import settle
from tests.services.relay.unseen import EDITS, chart, ids, long_ago, stand_with
from tests.services.relay.world import Kind, World
from tests.store import pushes


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


def test_9_what_was_on_its_way_when_the_cloud_was_restored_once_more_is_sent_once_more(connected: World) -> None:
    """It counted as being in another clinic of the cloud, and was there no more."""
    backup = connected.seed.copy()
    lost = connected.patient(given_name="lost")
    settle(connected)
    connected.seed.restore(backup)
    connected.want_everything()
    connected.fail(Kind.DROP, on="push", times=2)
    connected.try_cycle()
    connected.cycle()
    assert connected.is_there("patients", ids(lost))
    connected.seed.restore(backup)
    connected.want_everything()
    settle(connected)
    assert connected.there_is("patients", ids(lost))["given_name"] == "lost"
    assert connected.waiting()["sent"] == 0


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


def test_9_what_a_restored_cloud_moved_to_another_patient_without_a_word_goes_there(connected: World) -> None:
    """Each was edited there since the backup was made, so that its row there is set back when it moves."""
    duplicate, twin = connected.patient(), connected.patient()
    made = chart(connected, duplicate)
    made.pop("prescription_items")  # the cloud keeps no later edit of them
    settle(connected)
    backup = connected.seed.copy()
    for table, row in made.items():
        connected.seed.edit(table, ids(row), **EDITS[table])
    settle(connected)
    put_back(connected, backup)
    connected.want_everything()
    connected.seed.merge(ids(duplicate), ids(twin), announced=False)
    connected.cycle()
    settle(connected)
    stand_with(connected, twin, made, EDITS)


def test_9_an_event_that_a_restored_cloud_moved_to_another_visit_without_a_word_goes_there(connected: World) -> None:
    patient = connected.patient()
    old, new = connected.visit(patient), connected.visit(patient)
    event = connected.event(old)
    settle(connected)
    backup = connected.seed.copy()
    connected.seed.edit("events", ids(event), event_type="Triage")
    settle(connected)
    put_back(connected, backup)
    connected.want_everything()
    connected.seed.edit("events", ids(event), announced=False, visit_id=new["id"])
    connected.seed.push_as(connected.hub, {"visits": {"deleted": [old["id"]]}})
    connected.cycle()
    settle(connected)
    here, there = connected.here_is("events", ids(event)), connected.there_is("events", ids(event))
    assert (here["visit_id"], there["visit_id"], there["is_deleted"]) == (new["id"], new["id"], False)
    assert (here["event_type"], there["event_type"]) == ("Triage", "Triage")


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


def test_9_a_cloud_that_comes_back_empty_of_records_gets_them_all(connected: World) -> None:
    backup = connected.seed.copy()
    patients = [connected.patient() for _ in range(3)]
    settle(connected)
    connected.seed.restore(backup)
    connected.want_everything()
    settle(connected)
    assert {str(row["id"]) for row in connected.seed.rows("patients")} == {ids(patient) for patient in patients}
    assert connected.progress().lost == 3


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
