"""What an administrator does in the cloud while something waits here: in the end nobody's entry is gone (R9).

Every action meets everything that may be unsent; then what the hub holds as proven is in the cloud as it is here, what
is not is on hold with a reason, and nothing there is deleted that nobody deleted.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from hub.actions.cloud import link, matching
from hub.core.cloud.outbox import Entry
from hub.core.cloud.tables import PUSH_ORDER
from hub.store.cloud import outbox
from tests.hubs import add_clinic, add_user
from tests.services.relay import world as worlds
from tests.services.relay.world import World
from tests.simulated.cloud.postgres import cluster
from tests.simulator.rows import Row
from tests.store import pushes

pytestmark = pytest.mark.slow

Act = Callable[[World, Row, Row], None]


def merge(world: World, patient: Row, twin: Row) -> None:
    world.seed.merge(str(patient["id"]), str(twin["id"]))


def transfer(world: World, patient: Row, _twin: Row) -> None:
    world.seed.edit("patients", str(patient["id"]), primary_clinic_id=world.elsewhere, government_id="ID-7")


def restore(world: World, _patient: Row, _twin: Row) -> None:
    backup = world.seed.copy()
    world.seed.restore({**backup, **{table.name: [] for table in PUSH_ORDER}})
    world.want_everything()


def rename_clinic(world: World, _patient: Row, _twin: Row) -> None:
    world.seed.edit("clinics", world.here, name="Renamed")


def archive_clinic(world: World, _patient: Row, _twin: Row) -> None:
    world.seed.edit("clinics", world.here, is_archived=True)


def delete_clinic(world: World, _patient: Row, _twin: Row) -> None:
    world.seed.delete("clinics", world.here)


def pause(world: World, _patient: Row, _twin: Row) -> None:
    world.seed.edit("devices", world.hub.id, status="suspended")
    world.try_cycle()
    world.seed.edit("devices", world.hub.id, status="active")


def reconnect(world: World, _patient: Row, _twin: Row) -> None:
    link.disconnect(world.store)
    world.try_cycle()
    world.connect()


def match_by_hand(world: World, _patient: Row, _twin: Row) -> None:
    """Say which clinic and user of the cloud are those that were made here, while something of theirs waits."""
    own = add_clinic(world.store, "Tent")
    nurse = add_user(world.store, own, email="tent@home")
    world.visit(world.patient(primary_clinic_id=own), clinic_id=own, provider_id=nurse.id)
    world.try_cycle()
    assert world.waiting()["waiting"] >= 2
    matching.match_clinic(world.store, own, world.here)
    matching.match_user(world.store, nurse.id, world.nurse)


def delete_without_children(world: World, patient: Row, _twin: Row) -> None:
    world.seed.delete("patients", str(patient["id"]))


def nothing(_world: World, _patient: Row, _visit: Row) -> None:
    pass


def edit(world: World, patient: Row, _visit: Row) -> None:
    world.change("patients", patient, hometown="Homs")


def new_records(world: World, patient: Row, visit: Row) -> None:
    world.event(visit)
    world.vitals(world.visit(patient))


def delete_visit(world: World, _patient: Row, visit: Row) -> None:
    world.remove("visits", str(visit["id"]))


def edit_visit(world: World, _patient: Row, visit: Row) -> None:
    world.change("visits", visit, provider_name="Eva")


def edit_visit_and_delete_patient(world: World, patient: Row, visit: Row) -> None:
    """Two phones: on one of them the visit is edited, on the other its patient is deleted."""
    edit_visit(world, patient, visit)
    world.remove("patients", str(patient["id"]))


ACTS = [
    merge,
    transfer,
    restore,
    rename_clinic,
    archive_clinic,
    delete_clinic,
    pause,
    reconnect,
    match_by_hand,
    delete_without_children,
]
UNSENT = [nothing, edit, new_records, delete_visit, edit_visit, edit_visit_and_delete_patient]
DELETES = {delete_visit, edit_visit_and_delete_patient}


def check(world: World, act: Act, unsent: Act) -> None:
    for table in PUSH_ORDER:
        there = {str(row["id"]): row for row in world.seed.rows(table.name)}
        for record_id in pushes.live(world.store, table.name):
            if not reason_for(world, table.name, record_id):
                assert record_id in there, f"{table.name} is not in the cloud"
                assert not there[record_id]["is_deleted"], f"{table.name} was deleted there"
        here = pushes.tombstones(world.store, table.name)
        for record_id, row in there.items():
            if row["is_deleted"]:
                assert record_id in here, f"{table.name} was deleted there and nobody deleted it"
                assert unsent in DELETES or act in {merge, delete_without_children}, table.name


def reason_for(world: World, table: str, record_id: str) -> Entry | None:
    """Return where a record stands that is not proven: on hold, with a reason."""
    with world.store.read() as db:
        found = outbox.find(db, table, record_id)
    assert found is not None
    entry = found[1]
    assert entry is None or entry.reason is not None, (table, entry)
    return entry


def play(world: World, act: Act, unsent: Act) -> None:
    world.cycle()
    patient, twin = world.patient(), world.patient()
    visit = world.visit(patient)
    event = world.event(visit)
    world.vitals(visit)
    for _ in range(2):
        world.cycle()
    unsent(world, patient, visit)
    act(world, patient, twin)
    for _ in range(6):
        world.try_cycle()
    check(world, act, unsent)
    if act is transfer:
        moved = world.there_is("patients", str(patient["id"]))
        assert (moved["primary_clinic_id"], moved["government_id"]) == (world.elsewhere, "ID-7")
    if act is match_by_hand:
        assert {row["primary_clinic_id"] for row in world.seed.rows("patients")} == {world.here}
        assert {row["provider_id"] for row in world.seed.rows("visits")} == {world.nurse}
    edited = {edit: ("patients", patient, "hometown", "Homs"), edit_visit: ("visits", visit, "provider_name", "Eva")}
    if act is merge:
        edited[edit_visit_and_delete_patient] = edited[edit_visit]
    if unsent in edited:
        table, row, column, value = edited[unsent]
        is_there = world.there_is(table, str(row["id"]))[column] == value
        assert is_there or [reason for reason in pushes.reasons(world.store) if reason.params["table"] == table]
    if act is merge and unsent is not delete_visit:
        assert world.there_is("events", str(event["id"]))["patient_id"] == twin["id"]
        assert str(event["id"]) in pushes.live(world.store, "events")


@pytest.mark.parametrize("unsent", UNSENT)
@pytest.mark.parametrize("act", ACTS)
def test_9_whatever_an_administrator_does_there_nothing_that_was_entered_is_gone(
    tmp_path: Path, act: Act, unsent: Act
) -> None:
    with worlds.world(tmp_path) as world:
        play(world, act, unsent)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with cluster() as started:
        yield started


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize("unsent", UNSENT)
@pytest.mark.parametrize("act", ACTS)
def test_9_the_same_with_a_cloud_on_postgresql(tmp_path: Path, server: str, act: Act, unsent: Act) -> None:
    name = f"c_{act.__name__}_{unsent.__name__}"
    with psycopg.connect(f"{server} dbname=postgres", autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"'.encode())
    with worlds.world(tmp_path, postgres=f"{server} dbname={name}") as world:
        play(world, act, unsent)
