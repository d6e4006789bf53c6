"""What a phone keeps of whom its user may not see any more: nothing, and what was not sent is not lost (S5)."""

import time
import uuid
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import pytest

from hub.actions import quarantine
from hub.actions.cloud import incoming
from hub.actions.phones import pairing
from hub.actions.quarantine import Retried
from hub.core.cloud import forms
from hub.core.cloud.pull_tally import PullTally
from hub.core.records import codec
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox
from hub.store.people import users
from hub.store.records import queries, record_rows
from tests.hubs import InProcessHub, add_clinic, add_user
from tests.simulator.phone import Phone
from tests.store import pushes

PATIENTS = TABLES["patients"]
CHART = ("patients", "visits", "events", "patient_vitals", "appointments")
SECRET = "HIV"


class Moving(NamedTuple):
    """Two clinics, a nurse of each with a phone, a nurse of both, and a patient of the first clinic with a chart."""

    hub: InProcessHub
    alpha: str
    beta: str
    anna: Phone
    ben: Phone
    boss: Phone
    patient: str
    visit: str

    def shows(self, phone: Phone) -> set[str]:
        """Return the tables in which a phone has anything of the patient after syncing."""
        for _ in range(3):
            assert phone.sync().ok
        return {table for table in CHART for row in phone.store.table(table).values() if SECRET in str(row)}

    def rights(self, email: str, clinic: str, permissions: set[Permission]) -> None:
        with self.hub.store.write() as tx:
            users.grant(tx, f"user-{email}", clinic, permissions)


@pytest.fixture
def moving(hub: InProcessHub) -> Moving:
    alpha, beta = add_clinic(hub.store, "Alpha"), add_clinic(hub.store, "Beta")
    for email, clinic in (("anna@c.test", alpha), ("ben@c.test", beta), ("boss@c.test", alpha)):
        add_user(hub.store, clinic, email=email)
    with hub.store.write() as tx:
        users.grant(tx, "user-boss@c.test", beta, set(Permission))
    pairing.open_for(hub.store, 60)
    anna, ben, boss = (
        hub.phone(n, email=f"{name}@c.test", now_ms=clock_ms) for n, name in ((11, "anna"), (12, "ben"), (13, "boss"))
    )
    patient = str(anna.create("patients", {"given_name": SECRET, "primary_clinic_id": alpha})["id"])
    visit = str(anna.create("visits", {"patient_id": patient, "clinic_id": alpha, "provider_name": SECRET})["id"])
    about = {"patient_id": patient, "visit_id": visit}
    anna.create("events", {**about, "form_data": f'[{{"value":"{SECRET}"}}]'})
    anna.create("patient_vitals", {**about, "bp_position": SECRET})
    anna.create(
        "appointments", {"patient_id": patient, "current_visit_id": visit, "clinic_id": alpha, "reason": SECRET}
    )
    made = Moving(hub, alpha, beta, anna, ben, boss, patient, visit)
    assert made.shows(anna) == made.shows(boss) == set(CHART)
    assert made.shows(ben) == set()
    return made


def clock_ms() -> int:
    """Return what a phone's clock says that is right."""
    return time.time_ns() // 1_000_000


def by_a_nurse_of_both(moving: Moving, clinic: str) -> None:
    moving.boss.edit("patients", moving.patient, {"primary_clinic_id": clinic})
    assert moving.boss.sync().ok


def by_the_cloud(moving: Moving, clinic: str) -> None:
    with moving.hub.store.write() as tx:  # it has what the hub has
        record = queries.find(tx.db, PATIENTS, moving.patient)
        kept = record_rows.find(tx.db, PATIENTS, [moving.patient])[moving.patient]
        outbox.remove(tx, PATIENTS, [kept.num])
    assert record is not None
    moved = codec.replaced(PATIENTS, record, {"primary_clinic_id": clinic})
    row = forms.write(PATIENTS, moved, updated_ms=record.row.updated_at + 60_000, names={})
    incoming.merge(moving.hub.store, PATIENTS, [msgspec.json.decode(row)], PullTally())


Move = Callable[[Moving, str], None]


@pytest.mark.parametrize("move", [by_a_nurse_of_both, by_the_cloud])
def test_s5_a_phone_of_the_old_clinic_keeps_nothing_of_a_patient_who_moved(moving: Moving, move: Move) -> None:
    move(moving, moving.beta)
    before = pushes.dump(moving.hub.store)
    assert moving.shows(moving.anna) == set()
    assert moving.shows(moving.ben) == moving.shows(moving.boss) == set(CHART)
    shown = moving.anna.store.find("patients", moving.patient)
    assert shown is not None
    assert shown["primary_clinic_id"] == ""  # the app shows it to nobody
    assert pushes.dump(moving.hub.store) == before  # nothing is deleted on the hub, and nothing goes to the cloud
    move(moving, moving.alpha)
    assert moving.shows(moving.anna) == set(CHART)
    assert moving.shows(moving.ben) == set()


def test_s5_a_patient_whom_the_cloud_moved_to_a_clinic_of_another_hub_stays_on_no_phone(moving: Moving) -> None:
    by_the_cloud(moving, str(uuid.uuid4()))
    assert moving.shows(moving.anna) == set()  # though she entered the patient
    assert moving.shows(moving.boss) == set()
    assert moving.anna.query("get_patients", {})["data"] == []
    assert moving.patient in pushes.live(moving.hub.store, "patients")


@pytest.mark.parametrize("move", [by_a_nurse_of_both, by_the_cloud])
def test_s5_what_was_not_sent_of_a_patient_who_moved_is_held_whole_and_not_lost(moving: Moving, move: Move) -> None:
    move(moving, moving.beta)
    moving.anna.edit("patients", moving.patient, {"hometown": "Homs"})
    visit = str(moving.anna.create("visits", {"patient_id": moving.patient, "clinic_id": moving.alpha})["id"])
    moving.anna.create("events", {"patient_id": moving.patient, "visit_id": visit, "form_data": "[1]"})
    assert moving.shows(moving.anna) == set()
    held = {entry.table_name for entry in quarantine.entries(moving.hub.store)}
    assert held == {"patients", "visits", "events"}
    for entry in quarantine.entries(moving.hub.store):
        assert quarantine.accept(moving.hub.store, entry.num) in {Retried.ACCEPTED, Retried.GONE}
    kept = pushes.kept(moving.hub.store, "patients", moving.patient)
    assert (kept["given_name"], kept["hometown"], kept["primary_clinic_id"]) == (SECRET, "Homs", moving.beta)
    assert visit in pushes.live(moving.hub.store, "visits")
    assert moving.shows(moving.ben) == set(CHART)
    assert moving.shows(moving.anna) == set()
    assert "Homs" not in str(moving.anna.store.table("patients"))


@pytest.mark.parametrize("move", [by_a_nurse_of_both, by_the_cloud])
def test_s5_what_a_nurse_entered_before_the_patient_moved_is_judged_by_the_clinic_of_then(
    moving: Moving, move: Move
) -> None:
    """The nurse was offline: it was held, though she was allowed all of it when she entered it."""
    moving.anna.edit("patients", moving.patient, {"hometown": "Homs"})
    moving.anna.edit("visits", moving.visit, {"provider_name": f"{SECRET} 2"})
    about = {"patient_id": moving.patient, "visit_id": moving.visit}
    made = {"visits": moving.anna.create("visits", {"patient_id": moving.patient, "clinic_id": moving.alpha})}
    made["events"] = moving.anna.create("events", {**about, "form_data": "[1]"})
    made["patient_vitals"] = moving.anna.create("patient_vitals", {**about, "visit_id": made["visits"]["id"]})
    move(moving, moving.beta)
    assert moving.shows(moving.anna) == set()
    assert quarantine.entries(moving.hub.store) == []
    kept = pushes.kept(moving.hub.store, "patients", moving.patient)
    assert (kept["given_name"], kept["hometown"], kept["primary_clinic_id"]) == (SECRET, "Homs", moving.beta)
    assert pushes.kept(moving.hub.store, "visits", moving.visit)["provider_name"] == f"{SECRET} 2"
    assert moving.shows(moving.ben) == set(CHART)
    for table, row in made.items():
        assert row["id"] in pushes.live(moving.hub.store, table)
        assert moving.ben.store.find(table, str(row["id"])) is not None
        assert moving.patient not in str(moving.anna.store.find(table, str(row["id"])))


def test_s5_a_phone_whose_clock_is_ahead_brings_what_was_entered_before_the_patient_moved(moving: Moving) -> None:
    ahead = clock_ms() + 3_600_000
    moving.anna.edit("patients", moving.patient, {"hometown": "Homs", "updated_at": ahead})
    times = {"created_at": ahead, "updated_at": ahead}
    made = moving.anna.create("visits", {"patient_id": moving.patient, "clinic_id": moving.alpha, **times})
    by_a_nurse_of_both(moving, moving.beta)
    assert moving.shows(moving.anna) == set()
    assert quarantine.entries(moving.hub.store) == []
    assert pushes.kept(moving.hub.store, "patients", moving.patient)["hometown"] == "Homs"
    assert made["id"] in pushes.live(moving.hub.store, "visits")


def test_s5_a_phone_whose_clock_is_ahead_brings_nothing_of_one_of_whose_move_it_has_heard(moving: Moving) -> None:
    by_a_nurse_of_both(moving, moving.beta)
    assert moving.anna.sync().ok
    times = {"created_at": clock_ms() + 3_600_000, "updated_at": clock_ms() + 3_600_000}
    moving.anna.create("visits", {"patient_id": moving.patient, "clinic_id": moving.alpha, **times})
    assert moving.anna.sync().ok
    assert [entry.table_name for entry in quarantine.entries(moving.hub.store)] == ["visits"]


def test_s5_a_patient_who_moved_on_is_judged_by_each_clinic_while_they_were_there(moving: Moving) -> None:
    gamma = add_clinic(moving.hub.store, "Gamma")
    moving.rights("boss@c.test", gamma, set(Permission))
    first = moving.anna.create("visits", {"patient_id": moving.patient, "clinic_id": moving.alpha})
    by_a_nurse_of_both(moving, moving.beta)
    assert moving.shows(moving.ben) == set(CHART)
    second = moving.ben.create("visits", {"patient_id": moving.patient, "clinic_id": moving.beta})
    third = moving.anna.create("visits", {"patient_id": moving.patient, "clinic_id": moving.alpha})
    by_a_nurse_of_both(moving, gamma)
    assert moving.shows(moving.anna) == moving.shows(moving.ben) == set()
    assert {str(first["id"]), str(second["id"])} <= pushes.live(moving.hub.store, "visits")
    assert [entry.record_id for entry in quarantine.entries(moving.hub.store)] == [third["id"]]


def test_s5_a_claim_gives_no_clinic_that_its_author_had_not_then_on_this_phone(moving: Moving) -> None:
    long_ago = {"created_at": 1_000_000_000_000, "updated_at": 1_000_000_000_000}
    other = str(moving.boss.create("patients", {"given_name": "B", "primary_clinic_id": moving.beta})["id"])
    assert moving.boss.sync().ok
    gamma = add_clinic(moving.hub.store, "Gamma")
    moving.rights("boss@c.test", gamma, set(Permission))
    moving.boss.edit("patients", other, {"primary_clinic_id": gamma})
    by_a_nurse_of_both(moving, moving.beta)
    add_user(moving.hub.store, moving.alpha, email="new@c.test")
    new = moving.hub.phone(14, email="new@c.test", now_ms=clock_ms)  # signed in when the patient had moved
    for phone, patient in ((moving.anna, other), (new, moving.patient)):
        phone.create("visits", {"patient_id": patient, "clinic_id": moving.alpha, **long_ago})
        assert phone.sync().ok
    assert len(quarantine.entries(moving.hub.store)) == 2


def test_s5_a_phone_that_knows_of_the_move_cannot_say_that_it_was_before(moving: Moving) -> None:
    by_a_nurse_of_both(moving, moving.beta)
    assert moving.anna.sync().ok
    early = {"created_at": 1_000_000_000_000, "updated_at": 1_000_000_000_000}
    visit = moving.anna.create("visits", {"patient_id": moving.patient, "clinic_id": moving.alpha, **early})
    assert moving.anna.sync().ok
    assert visit["id"] not in pushes.live(moving.hub.store, "visits")
    assert [entry.record_id for entry in quarantine.entries(moving.hub.store)] == [visit["id"]]


def test_s5_who_may_delete_a_patient_who_moved_is_the_new_clinics_to_say(moving: Moving) -> None:
    """A deletion takes along what was entered there since."""
    moving.anna.edit("patients", moving.patient, {"is_deleted": True})
    moving.anna.edit("visits", moving.visit, {"is_deleted": True})
    by_a_nurse_of_both(moving, moving.beta)
    moving.anna.sync()
    assert moving.patient in pushes.live(moving.hub.store, "patients")
    assert moving.visit in pushes.live(moving.hub.store, "visits")
    assert {entry.table_name for entry in quarantine.entries(moving.hub.store)} == {"patients", "visits"}


def test_s5_what_was_not_sent_when_the_right_went_and_came_back_is_taken_in(moving: Moving) -> None:
    moving.rights("anna@c.test", moving.alpha, set())
    moving.shows(moving.anna)
    moving.anna.edit("patients", moving.patient, {"hometown": "Homs"})
    moving.rights("anna@c.test", moving.alpha, set(Permission))
    assert moving.shows(moving.anna) == set(CHART)
    kept = pushes.kept(moving.hub.store, "patients", moving.patient)
    assert (kept["given_name"], kept["hometown"]) == (SECRET, "Homs")
    assert quarantine.entries(moving.hub.store) == []


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("syncs", [False, True])
def test_s5_rights_that_change_several_times_end_as_they_are(moving: Moving, times: int, *, syncs: bool) -> None:
    for _ in range(times):
        for permissions in (set(Permission) - {Permission.VIEW}, set(Permission)):
            moving.rights("anna@c.test", moving.alpha, permissions)
            if syncs:
                moving.shows(moving.anna)
    assert moving.shows(moving.anna) == set(CHART)
    moving.rights("anna@c.test", moving.alpha, set(Permission) - {Permission.VIEW})
    assert moving.shows(moving.anna) == set()


def test_s5_a_lost_answer_leaves_nothing_either(moving: Moving) -> None:
    by_a_nurse_of_both(moving, moving.beta)
    for _ in range(3):
        moving.anna.query("sync_pull", {"lastPulledAt": moving.anna.cursor})
    assert moving.shows(moving.anna) == set()
    by_a_nurse_of_both(moving, moving.alpha)
    moving.anna.query("sync_pull", {"lastPulledAt": moving.anna.cursor})
    assert moving.shows(moving.anna) == set(CHART)


def test_s5_whoever_signs_in_next_finds_nothing_that_only_the_one_before_may_see(moving: Moving) -> None:
    moving.anna.login("ben@c.test", "correct horse")
    assert moving.shows(moving.anna) == set()
    moving.anna.login("anna@c.test", "correct horse")
    assert moving.shows(moving.anna) == set(CHART)


def test_s5_what_changes_later_of_a_patient_who_moved_comes_neither(moving: Moving) -> None:
    by_a_nurse_of_both(moving, moving.beta)
    moving.shows(moving.anna)
    moving.boss.edit("patients", moving.patient, {"hometown": SECRET})
    moving.boss.create("events", {"patient_id": moving.patient, "visit_id": moving.visit, "form_data": SECRET})
    assert moving.boss.sync().ok
    assert moving.anna.sync().pulled == 0
    assert moving.shows(moving.anna) == set()


def test_a_blank_row_that_is_uploaded_by_force_changes_nothing(moving: Moving) -> None:
    by_a_nurse_of_both(moving, moving.beta)
    moving.shows(moving.anna)
    before = [pushes.kept(moving.hub.store, "patients", moving.patient)]
    moving.rights("anna@c.test", moving.beta, set(Permission))
    assert moving.anna.force_upload().ok
    assert [pushes.kept(moving.hub.store, "patients", moving.patient)] == before
    assert moving.shows(moving.anna) == set(CHART)
