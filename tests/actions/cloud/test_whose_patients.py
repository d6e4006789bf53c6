"""Who sees a clinic's patients while the clinic is matched, deleted, or not known any more (S9)."""

from typing import NamedTuple

import pytest

from hub.actions.cloud import link, matching
from hub.actions.phones import pairing
from hub.core.records import codec
from hub.core.records.access import Permission
from hub.core.records.tables import TABLES
from hub.store.people import users
from hub.store.records import record_rows
from tests.hubs import PASSWORD, InProcessHub, add_clinic, add_user
from tests.simulator.phone import Phone

CLINICS = TABLES["clinics"]
PERMISSIONS = TABLES["user_clinic_permissions"]


class Hub(NamedTuple):
    """A hub with two clinics, a nurse of each with a phone, and a patient with a finding of the first one."""

    hub: InProcessHub
    alpha: str
    beta: str
    anna: Phone
    ben: Phone
    patient: str

    def seen_by(self, phone: Phone) -> tuple[set[str], set[str], set[str], set[str]]:
        """Return whom a phone shows after syncing: patients, events; and whom search and the list show online."""
        for _ in range(3):
            assert phone.sync().ok
        found = phone.query("search_patients", {"filters": {"given_name": "Hana"}})["data"]
        listed = phone.query("get_patients", {})["data"]
        held = [{str(row["id"]) for row in phone.store.rows(table)} for table in ("patients", "events")]
        return held[0], held[1], {row["id"] for row in found}, {row["id"] for row in listed}

    def both(self) -> tuple[bool, bool]:
        """Return whether Anna sees the patient by every way, and whether Ben does by any; fails when they disagree."""
        ours, theirs = self.seen_by(self.anna), self.seen_by(self.ben)
        assert len({bool(found) for found in ours}) == 1, ours
        assert len({bool(found) for found in theirs}) == 1, theirs
        return bool(ours[0]), bool(theirs[0])

    def cloud_clinic(self, clinic_id: str, name: str) -> None:
        """Let the cloud have sent a clinic."""
        values = {"id": clinic_id, "name": name, "address": "", "created_at": 1, "updated_at": 1}
        with self.hub.store.write() as tx:
            record_rows.put(tx, CLINICS, codec.build(CLINICS, values))

    def delete(self, table: str, *ids: str) -> None:
        """Let the cloud have deleted rows."""
        with self.hub.store.write() as tx:
            found = record_rows.find(tx.db, TABLES[table], ids)
            record_rows.delete(tx, TABLES[table], [row.num for row in found.values()])

    def permission_of(self, name: str, clinic: str) -> str:
        """Return the id of a permission row."""
        with self.hub.store.read() as db:
            rows = db.execute("SELECT id, data FROM user_clinic_permissions").fetchall()
        return next(str(row[0]) for row in rows if name in row[1] and clinic in row[1])


@pytest.fixture
def two(hub: InProcessHub) -> Hub:
    alpha, beta = add_clinic(hub.store, "Alpha"), add_clinic(hub.store, "Beta")
    add_user(hub.store, alpha, email="anna@c.test")
    add_user(hub.store, beta, email="ben@c.test")
    pairing.open_for(hub.store, 60)
    anna, ben = hub.phone(11, email="anna@c.test"), hub.phone(12, email="ben@c.test")
    patient = anna.create("patients", {"given_name": "Hana", "primary_clinic_id": alpha})
    visit = anna.create("visits", {"patient_id": patient["id"], "clinic_id": alpha})
    anna.create("events", {"patient_id": patient["id"], "visit_id": visit["id"], "form_data": '[{"value":"HIV"}]'})
    assert anna.sync().ok
    made = Hub(hub, alpha, beta, anna, ben, str(patient["id"]))
    assert made.both() == (True, False)
    return made


def test_s9_a_patient_stays_with_their_clinic_while_it_is_matched(two: Hub) -> None:
    two.cloud_clinic("cloud-alpha", "Alpha Health Center")
    two.cloud_clinic("cloud-beta", "Beta Health Center")
    matching.match_clinic(two.hub.store, two.alpha, "cloud-alpha")
    matching.match_clinic(two.hub.store, two.beta, "cloud-beta")
    assert two.both() == (True, False)
    shown = two.anna.store.find("patients", two.patient)
    assert shown is not None
    assert shown["primary_clinic_id"] == "cloud-alpha"  # or her phone would hide the patient


def test_s9_what_a_phone_still_enters_under_the_old_id_is_the_matched_clinics(two: Hub) -> None:
    two.cloud_clinic("cloud-alpha", "Alpha Health Center")
    matching.match_clinic(two.hub.store, two.alpha, "cloud-alpha")
    patient = two.anna.create("patients", {"given_name": "Hana", "primary_clinic_id": two.alpha})
    two.anna.create("visits", {"patient_id": patient["id"], "clinic_id": two.alpha})
    assert two.both() == (True, False)
    assert len(two.seen_by(two.anna)[2]) == 2


@pytest.mark.parametrize("swept", [False, True])
def test_s9_a_clinic_that_is_deleted_leaves_its_patients_to_those_who_had_it(two: Hub, swept: bool) -> None:  # noqa: FBT001
    late = add_user(two.hub.store, two.alpha, email="late@c.test")
    permission = two.permission_of("anna@c.test", two.alpha)
    two.delete("clinics", two.alpha)
    if swept:
        two.delete("user_clinic_permissions", permission, two.permission_of(late.email, two.alpha))
    link.disconnect(two.hub.store)
    assert two.both() == (True, False)
    assert any(two.seen_by(two.hub.phone(13, email="late@c.test")))


def test_s9_who_lost_a_clinic_before_it_was_deleted_does_not_get_its_patients_back(two: Hub) -> None:
    add_user(two.hub.store, two.alpha, email="left@c.test")
    two.delete("user_clinic_permissions", two.permission_of("left@c.test", two.alpha))
    two.delete("clinics", two.alpha)
    assert not any(two.seen_by(two.hub.phone(13, email="left@c.test")))


def test_s9_a_patient_of_a_clinic_that_the_hub_never_had_is_the_authors_alone(two: Hub) -> None:
    patient = two.ben.create("patients", {"given_name": "Hana", "primary_clinic_id": "nowhere"})
    two.ben.create("events", {"patient_id": patient["id"], "form_data": "[]"})
    assert two.ben.sync().ok
    assert str(patient["id"]) in two.seen_by(two.ben)[3]
    assert str(patient["id"]) not in set().union(*two.seen_by(two.anna))


def test_s9_who_may_see_the_history_nowhere_gets_no_patients_by_sync(two: Hub) -> None:
    with two.hub.store.write() as tx:
        users.grant(tx, "user-ben@c.test", two.beta, set(Permission) - {Permission.VIEW})
    two.ben.create("patients", {"given_name": "Hana"})
    two.anna.create("patients", {"given_name": "Hana"})
    assert two.anna.sync().ok
    assert two.ben.sync().ok
    other = two.hub.phone(14, email="ben@c.test")
    assert two.seen_by(other) == (set(), set(), set(), set())


def test_s9_an_author_who_is_matched_to_a_user_of_the_cloud_keeps_what_was_theirs(two: Hub) -> None:
    patient = two.anna.create("patients", {"given_name": "Hana"})
    assert two.anna.sync().ok
    anna = add_user(two.hub.store, two.alpha, email="anna@cloud.test")
    with two.hub.store.write() as tx:
        tx.db.execute("UPDATE users SET source = 'cloud' WHERE id = ?", [anna.id])
    matching.match_user(two.hub.store, "user-anna@c.test", anna.id)
    other = two.hub.phone(15, email=None)
    other.login("anna@cloud.test", PASSWORD)
    assert str(patient["id"]) in two.seen_by(other)[0]
    assert str(patient["id"]) not in set().union(*two.seen_by(two.ben))
