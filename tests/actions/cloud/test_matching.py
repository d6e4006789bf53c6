"""Users and clinics made here, when the cloud brings its own (issue item 8), without a cloud."""

import json
from typing import Any

import pytest

from hub.actions.cloud import incoming, matching
from hub.actions.cloud import users as cloud_users
from hub.actions.people import clinics, users
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.matching import Pair
from hub.core.cloud.pull_tally import PullTally
from hub.core.errors import OperatorError
from hub.core.people.users import User
from hub.core.reasons import Code
from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.store.database import Store
from hub.store.people import users as rows
from hub.store.phones import callers, sessions
from tests.hubs import PASSWORD

CLOUDS = "1a1b2c3d-c976-5da8-9803-ada1362fa54c"


def clouds_clinic(store: Store, name: str) -> None:
    """Let the cloud send its clinic."""
    values: dict[str, Any] = {"id": CLOUDS, "name": name, "created_at": 10**12, "updated_at": 10**12}
    record = codec.build(TABLES["clinics"], values)
    sent = json.loads(cloud_forms.write(TABLES["clinics"], record, updated_ms=10**12, names={}))
    only_there = {"created_at": "2026-01-01T00:00:00.000Z", "attributes": []}
    incoming.merge(store, TABLES["clinics"], [{**sent, **only_there}], PullTally())


def clouds_user(store: Store, email: str) -> None:
    """Let the cloud send a user of its clinic."""
    row = {"id": "pia", "email": email, "name": "Pia", "role": "provider", "clinic_id": CLOUDS, "hashed_password": "x"}
    cloud_users.merge(store, [row], PullTally())


def match_clinics(store: Store) -> int:
    with store.write() as tx:
        return matching.match_clinics(tx, (CLOUDS,))


def own_user(store: Store, clinic_id: str) -> User:
    return users.add(store, email="PIA@x.example", name="Pia", role="provider", clinic_id=clinic_id, password=PASSWORD)


def found(store: Store, user_id: str) -> User:
    with store.read() as db:
        user = rows.find(db, user_id)
    assert user is not None
    return user


def test_people_of_a_clinic_go_with_it_when_the_clouds_takes_its_place(store: Store) -> None:
    own = str(clinics.add(store, "al  NOOR")["id"])
    nurse = own_user(store, own)
    clouds_clinic(store, "Al Noor")
    assert match_clinics(store) == 1
    assert found(store, nurse.id).clinic_id == CLOUDS
    with store.read() as db:
        assert callers.rights(db, nurse.id, nurse.role).clinics.keys() == {CLOUDS}
    assert [clinic["id"] for clinic in clinics.every(store)] == [CLOUDS]
    assert match_clinics(store) == 0


def test_a_user_of_the_same_email_is_the_clouds_and_stays_signed_in(store: Store) -> None:
    nurse = own_user(store, str(clinics.add(store, "Third")["id"]))
    with store.write() as tx:
        token = sessions.issue_token(tx, device=1, user_id=nurse.id, days=1)
    clouds_user(store, "pia@X.example")
    assert found(store, nurse.id).is_deleted
    with store.read() as db:
        holder = callers.token_rights(db, token, device=1, now_ms=0)
    assert holder is not None
    assert holder.user_id == "pia"
    assert matching.people(store) == [Pair(nurse.id, "PIA@x.example", "pia", "pia@X.example")]


def test_what_waits_says_whom_and_what_the_cloud_does_not_know(store: Store) -> None:
    own = str(clinics.add(store, "Third")["id"])
    own_user(store, own)
    unknown = [Code.NO_USER.of(email="PIA@x.example"), Code.NO_CLINIC.of(name="Third")]
    assert matching.why_unmatched(store) == unknown
    clouds_clinic(store, "Al Noor")
    matching.match_clinic(store, own, CLOUDS)
    assert matching.why_unmatched(store) == unknown[:1]


def test_by_hand_only_what_waits_is_matched_and_only_with_what_the_cloud_has(store: Store) -> None:
    own, other = (str(clinics.add(store, name)["id"]) for name in ("Third", "Fourth"))
    nurse = own_user(store, own)
    clouds_clinic(store, "Al Noor")
    clouds_user(store, "other@x.example")
    for wrong in ((CLOUDS, CLOUDS), (own, other), ("nothing", CLOUDS)):
        with pytest.raises(OperatorError):
            matching.match_clinic(store, *wrong)
    matching.match_clinic(store, own, CLOUDS)
    matching.match_user(store, nurse.id, "pia")
    with pytest.raises(OperatorError, match="already"):
        matching.match_clinic(store, own, CLOUDS)
    assert Pair(own, "Third", CLOUDS, "Al Noor") in matching.clinics(store)
    assert found(store, nurse.id).is_deleted


def test_a_clinic_that_the_hub_does_not_know_is_called_by_its_id(store: Store) -> None:
    own = str(clinics.add(store, "Third")["id"])
    assert matching.names_of(store, ["nowhere", own]) == ["nowhere", "Third"]
