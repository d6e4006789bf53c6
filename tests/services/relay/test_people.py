"""Users, permissions, and a hub that worked before it had a cloud (issue items 7 and 8; S4)."""

from collections.abc import Iterator
from pathlib import Path

import bcrypt
import pytest

from hub.actions.cloud import matching
from hub.actions.people import clinics
from hub.actions.people import users as accounts
from hub.core.cloud.matching import Pair
from hub.core.errors import OperatorError
from hub.core.people.users import User
from hub.core.reasons import Code
from hub.store.cloud import connection
from hub.store.people import users
from hub.store.phones import callers, sessions
from tests.services.relay import world as worlds
from tests.services.relay.test_guard import settle
from tests.services.relay.world import PASSWORD, World
from tests.store import pushes


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[World]:
    """Return a world whose hub has no cloud yet."""
    with worlds.world(tmp_path, connected=False) as made:
        yield made


def token(world: World, user_id: str) -> str:
    """Sign a user in on device 1; returns the token."""
    with world.store.write() as tx:
        return sessions.issue_token(tx, device=1, user_id=user_id, days=30)


def holder(world: World, secret: str) -> str | None:
    """Return whom a token stands for."""
    with world.store.read() as db:
        found = callers.token_rights(db, secret, device=1, now_ms=world.store.now_ms(db))
    return found.user_id if found else None


def user(world: World, user_id: str) -> User:
    """Return a user as the hub has them."""
    with world.store.read() as db:
        found = users.find(db, user_id)
    assert found is not None
    return found


def test_users_and_permissions_work_without_a_line(connected: World) -> None:
    assert user(connected, connected.nurse).opens_with(PASSWORD)
    assert connected.rights_of(connected.nurse).clinics.keys() == {connected.here}


def test_a_user_who_is_deleted_there_is_shut_out_and_their_tokens_die(connected: World) -> None:
    secret = token(connected, connected.nurse)
    connected.seed.delete("users", connected.nurse)
    connected.cycle()
    assert user(connected, connected.nurse).is_deleted
    assert holder(connected, secret) is None


def test_s4_a_user_who_vanished_there_without_a_word_is_shut_out_by_a_full_pull(connected: World) -> None:
    """Removed for good, or moved to another clinic: the cloud announces neither (CLOUD.md 2.1, 2.2)."""
    secret = token(connected, connected.nurse)
    for row in connected.seed.rows("user_clinic_permissions"):
        connected.seed.remove("user_clinic_permissions", str(row["id"]))
    connected.seed.edit("users", connected.nurse, clinic_id=connected.elsewhere)
    want_everything(connected)
    connected.cycle()
    assert user(connected, connected.nurse).is_deleted
    assert holder(connected, secret) is None
    connected.seed.edit("users", connected.nurse, clinic_id=connected.here)
    connected.cycle()
    assert not user(connected, connected.nurse).is_deleted


def test_a_user_whom_a_full_pull_leaves_out_and_whose_permissions_came_stays(connected: World) -> None:
    connected.seed.edit("users", connected.nurse, clinic_id=connected.elsewhere)
    want_everything(connected)
    connected.cycle()
    assert not user(connected, connected.nurse).is_deleted


def want_everything(world: World) -> None:
    with world.store.write() as tx:
        connection.want_everything(tx)


def test_a_changed_password_works_after_the_next_cycle_and_ends_the_old_sign_ins(connected: World) -> None:
    secret = token(connected, connected.nurse)
    hashed = bcrypt.hashpw(b"another one", bcrypt.gensalt(4)).decode()
    connected.seed.edit("users", connected.nurse, hashed_password=hashed)
    connected.cycle()
    assert user(connected, connected.nurse).opens_with("another one")
    assert holder(connected, secret) is None


def test_a_user_who_did_not_change_keeps_their_sign_in(connected: World) -> None:
    """P9: the same row comes again in every overlap."""
    secret = token(connected, connected.nurse)
    connected.cycle()
    connected.seed.edit("users", connected.nurse, name="Pia P.")
    connected.cycle()
    assert user(connected, connected.nurse).name == "Pia P."
    assert holder(connected, secret) == connected.nurse


def test_a_user_who_was_shut_out_here_is_not_let_in_by_the_cloud(connected: World) -> None:
    with connected.store.write() as tx:
        users.disable(tx, user(connected, connected.nurse))
    connected.seed.edit("users", connected.nurse, name="Pia P.")
    connected.cycle()
    assert user(connected, connected.nurse).is_deleted


def test_a_user_whom_the_cloud_lets_in_again_is_let_in(connected: World) -> None:
    connected.seed.delete("users", connected.nurse)
    connected.cycle()
    connected.seed.edit("users", connected.nurse, is_deleted=False, deleted_at=None)
    connected.cycle()
    assert not user(connected, connected.nurse).is_deleted


def test_what_was_entered_before_there_was_a_cloud_goes_up(alone: World) -> None:
    """Users are matched by email, the only clinic to the only clinic."""
    with alone.store.write() as tx:
        clinic_id = str(clinics.make(tx, "Our clinic")["id"])
        nurse = accounts.make(tx, email="PIA@test", name="Pia", role="provider", clinic_id=clinic_id, password="secret")
    secret = token(alone, nurse.id)
    patient = alone.patient(primary_clinic_id=clinic_id, last_modified_by=nurse.id)
    visit = alone.visit(patient, clinic_id=clinic_id, provider_id=nurse.id)
    event = alone.event(visit, form_id="", recorded_by_user_id=nurse.id)
    alone.connect()
    settle(alone)
    there = alone.there_is("visits", str(visit["id"]))
    assert (there["clinic_id"], there["provider_id"]) == (alone.here, alone.nurse)
    assert alone.there_is("events", str(event["id"]))["recorded_by_user_id"] == alone.nurse
    assert alone.there_is("patients", str(patient["id"]))["primary_clinic_id"] == alone.here
    assert alone.here_is("patients", str(patient["id"]))["primary_clinic_id"] == alone.here
    assert holder(alone, secret) == alone.nurse
    assert pushes.live(alone.store, "clinics") == {alone.here}
    assert alone.rights_of(nurse.id).clinics.keys() == {alone.here}


def test_a_phone_that_still_works_for_the_old_clinic_is_understood(alone: World) -> None:
    with alone.store.write() as tx:
        clinic_id = str(clinics.make(tx, "al  NOOR")["id"])
    alone.connect()
    settle(alone)
    patient = alone.patient(primary_clinic_id=clinic_id)
    settle(alone)
    assert alone.there_is("patients", str(patient["id"]))["primary_clinic_id"] == alone.here


def test_what_a_user_unknown_to_the_cloud_entered_waits_and_is_explained(alone: World) -> None:
    with alone.store.write() as tx:
        clinic_id = str(clinics.make(tx, "Al Noor")["id"])
        nurse = accounts.make(tx, email="new@test", name="N", role="provider", clinic_id=clinic_id, password="secret")
    alone.connect()
    visit = alone.visit(alone.patient(), provider_id=nurse.id)
    settle_waiting = [alone.cycle().pushed.waiting for _ in range(2)]
    assert settle_waiting == [1, 1]
    [reason] = alone.reasons()
    assert reason == Code.NO_USER.of(email="new@test")
    theirs = alone.seed.user("N", "new@test", PASSWORD, clinic=alone.here)
    settle(alone)
    assert alone.there_is("visits", str(visit["id"]))["provider_id"] == theirs
    assert alone.reasons() == []


def test_a_clinic_of_another_name_is_not_guessed_among_several(alone: World) -> None:
    with alone.store.write() as tx:
        clinic_id = str(clinics.make(tx, "Third")["id"])
        clinics.make(tx, "Fourth")
    alone.connect()
    alone.patient(primary_clinic_id=clinic_id)
    alone.cycle()
    assert alone.waiting()["waiting"] == 1
    assert alone.reasons()[0] == Code.NO_CLINIC.of(name="Third")


def test_clinics_of_other_names_are_matched_by_hand_and_what_waited_goes_up(alone: World) -> None:
    with alone.store.write() as tx:
        clinic_id, other = (str(clinics.make(tx, name)["id"]) for name in ("Third", "Fourth"))
        nurse = accounts.make(tx, email="pia@test", name="P", role="provider", clinic_id=clinic_id, password="secret")
    alone.connect()
    visit = alone.visit(alone.patient(primary_clinic_id=clinic_id), clinic_id=clinic_id, provider_id=nurse.id)
    alone.cycle()
    assert alone.waiting()["waiting"] == 2
    matching.match_clinic(alone.store, clinic_id, alone.here)
    settle(alone)
    assert alone.there_is("visits", str(visit["id"]))["clinic_id"] == alone.here
    assert alone.here_is("visits", str(visit["id"]))["clinic_id"] == alone.here
    assert set(matching.clinics(alone.store)) == {
        Pair(clinic_id, "Third", alone.here, "Al Noor"),
        Pair(other, "Fourth", None, None),
    }


def test_a_user_of_another_email_is_matched_by_hand_and_stays_signed_in(alone: World) -> None:
    with alone.store.write() as tx:
        clinic_id = str(clinics.make(tx, "Al Noor")["id"])
        nurse = accounts.make(tx, email="pia@home", name="P", role="provider", clinic_id=clinic_id, password="secret")
    secret = token(alone, nurse.id)
    alone.connect()
    visit = alone.visit(alone.patient(), provider_id=nurse.id)
    alone.cycle()
    matching.match_user(alone.store, nurse.id, alone.nurse)
    settle(alone)
    assert alone.there_is("visits", str(visit["id"]))["provider_id"] == alone.nurse
    assert holder(alone, secret) == alone.nurse
    assert Pair(nurse.id, "pia@home", alone.nurse, "pia@test") in matching.people(alone.store)


def test_only_what_waits_is_matched_and_only_with_what_the_cloud_has(alone: World) -> None:
    with alone.store.write() as tx:
        clinic_id, other = (str(clinics.make(tx, name)["id"]) for name in ("Third", "Fourth"))
    alone.connect()
    alone.cycle()
    for own, theirs in ((alone.here, alone.here), (clinic_id, other), (clinic_id, "elsewhere")):
        with pytest.raises(OperatorError):
            matching.match_clinic(alone.store, own, theirs)
    matching.match_clinic(alone.store, clinic_id, alone.here)
    with pytest.raises(OperatorError, match="already"):
        matching.match_clinic(alone.store, clinic_id, alone.here)
