"""CLOUD.md 2.1 and 2.4: which rows a pull selects, and its errors."""

import base64
import datetime as dt
import time
from collections.abc import Iterator
from typing import Any

import pytest
from litestar.testing import TestClient

from tests.simulated.cloud.world import World, basic, bearer, vector
from tests.simulator.cloud import Seed, create_app
from tests.simulator.cloud.seed import edit, insert
from tests.simulator.cloud.store import CloudStore
from tests.simulator.cloud.tables import BY_NAME

SYNC = "/api/v2/sync"


def test_all_21_tables_are_there_in_order_even_when_empty(world: World) -> None:
    answer = world.pull(world.pull()["timestamp"] + 1)
    assert list(answer["changes"]) == list(vector("hub_pull_full.json")["changes"])
    assert all(lists == {"created": [], "updated": [], "deleted": []} for lists in answer["changes"].values())


def test_devices_come_under_the_key_undefined(world: World) -> None:
    assert world.ids("undefined") == {world.hub.id}


def test_a_new_row_is_created_and_a_changed_one_updated(world: World) -> None:
    old = world.known_patient()
    last = world.pull()["timestamp"] + 1
    wait_until_ms(last)
    fresh = world.known_patient()
    world.put("patients", world.patient(id=old, given_name="Edited", updated_at="2026-06-01T00:00:00Z"))
    lists = world.changes("patients", last)
    assert [row["id"] for row in lists["created"]] == [fresh]
    assert [(row["id"], row["given_name"]) for row in lists["updated"]] == [(old, "Edited")]


def test_a_hubs_own_push_comes_back_to_it(world: World) -> None:
    last = world.pull()["timestamp"]
    mine = world.known_patient()
    assert [row["id"] for row in world.changes("patients", last)["created"]] == [mine]


def test_a_deleted_row_is_an_id_in_a_delta_only(world: World) -> None:
    gone = world.known_patient()
    world.delete("patients", gone)
    assert world.changes("patients", 0) == {"created": [], "updated": [], "deleted": []}
    assert world.changes("patients", 1) == {"created": [], "updated": [], "deleted": [gone]}


@pytest.mark.parametrize(
    "flags",
    [
        {"is_deleted": True},
        {"is_deleted": None},
        {"is_deleted": False, "deleted_at": "2026-01-01T00:00:00Z"},
    ],
)
def test_a_half_deleted_row_is_in_no_list_for_ever(world: World, flags: dict[str, Any]) -> None:
    world.seed.edit("patients", world.known_patient(), **flags)
    for last in (0, 1):
        lists = world.changes("patients", last)
        assert lists == {"created": [], "updated": [], "deleted": []}


def test_a_change_without_last_modified_is_not_sent(world: World) -> None:
    patient = world.known_patient()
    last = world.pull()["timestamp"] + 1
    world.seed.edit("patients", patient, announced=False, given_name="Quiet")
    assert world.changes("patients", last)["updated"] == []
    assert world.row("patients", patient)["given_name"] == "Quiet"


def test_a_removed_row_is_not_announced(world: World) -> None:
    patient = world.known_patient()
    world.seed.remove("patients", patient)
    assert world.changes("patients", 1)["deleted"] == []


def test_permissions_are_never_announced_as_deleted(world: World) -> None:
    granted = world.seed.permissions(world.provider, world.here, can_register_patients=True)
    assert world.ids("user_clinic_permissions") == {granted}
    last = world.pull()["timestamp"] + 1
    wait_until_ms(last)
    world.seed.edit("user_clinic_permissions", granted, can_register_patients=False)
    assert [row["id"] for row in world.changes("user_clinic_permissions", last)["updated"]] == [granted]
    world.seed.remove("user_clinic_permissions", granted)
    assert world.changes("user_clinic_permissions", 1)["deleted"] == []


def test_a_row_committed_late_is_missed_by_the_exact_cursor_and_found_by_an_overlapping_one(
    world: World, store: CloudStore
) -> None:
    patient = {"given_name": "Late", "primary_clinic_id": world.here}
    with store.transaction() as transaction:
        late = insert(transaction, BY_NAME["patients"], patient)
        wait_until_ms(time.time() * 1000 + 2)
        answer = world.pull()
        assert answer["changes"]["patients"]["created"] == []
    last = answer["timestamp"]
    assert world.changes("patients", last)["created"] == []
    assert [row["id"] for row in world.changes("patients", last - 2_000)["created"]] == [late]


def test_an_edit_committed_late_is_missed_by_the_exact_cursor(world: World, store: CloudStore) -> None:
    patient = world.known_patient()
    with store.transaction() as transaction:
        edit(transaction, BY_NAME["patients"], patient, {"given_name": "Late"})
        wait_until_ms(time.time() * 1000 + 2)
        last = world.pull()["timestamp"]
    assert world.changes("patients", last)["updated"] == []
    assert world.row("patients", patient)["given_name"] == "Late"


@pytest.mark.parametrize("last", ["", "0", "-5", "1e3", "1.5", " 7 "])
def test_odd_numbers_are_accepted_as_last_pulled_at(world: World, last: str) -> None:
    assert world.ids("clinics") == {world.here}
    assert [row["id"] for row in world.changes("clinics", last)["created"]] == [world.here]


@pytest.mark.parametrize("last", ["abc", "2026-11-20T06:30:08.901Z", "8.65e15", "Infinity"])
def test_what_is_no_date_as_last_pulled_at_is_500(world: World, last: str) -> None:
    answer = world.get(last)
    assert (answer.status_code, answer.json()) == (500, vector("error_500_push_or_pull.json"))


@pytest.mark.parametrize("last", ["-8.64e15", "8.64e15"])
def test_the_last_days_of_javascript_are_accepted(world: World, last: str) -> None:
    assert world.get(last).status_code == 200


def test_a_time_in_seconds_is_a_full_pull_with_deletes(world: World) -> None:
    gone = world.known_patient()
    world.delete("patients", gone)
    lists = world.changes("patients", int(time.time()))
    assert lists["deleted"] == [gone]


def test_last_pulled_at_in_snake_case_wins(world: World) -> None:
    query = {"lastPulledAt": "abc", "last_pulled_at": "0", "peerType": "sync_hub"}
    assert world.http.get(SYNC, params=query, headers=bearer(world.hub)).status_code == 200


def test_wrong_credentials_are_401(world: World) -> None:
    key = world.hub.api_key
    headers = [
        {},
        {"Authorization": "Bearer hh_wrong"},
        {"Authorization": f"bearer {key}"},
        {"Authorization": "Bearer "},
        {"X-API-Key": key},
        basic("pia@test", "wrong"),
        basic("nobody@test"),
        {"Authorization": "Basic " + base64.b64encode(b"no colon").decode()},
        {"Authorization": "Basic ###"},
    ]
    for header in headers:
        answer = world.http.get(SYNC, params={"peerType": "sync_hub"}, headers=header)
        assert (answer.status_code, answer.json()) == (401, vector("error_401_sync.json")), header


@pytest.mark.parametrize("query", [{}, {"peerType": "hub"}, {"peerType": "SYNC_HUB"}])
def test_a_key_without_its_exact_peer_type_is_401(world: World, query: dict[str, str]) -> None:
    assert world.http.get(SYNC, params=query, headers=bearer(world.hub)).status_code == 401


def test_a_deleted_device_cannot_pull(world: World) -> None:
    world.seed.delete("devices", world.hub.id)
    assert world.get().status_code == 401


@pytest.mark.parametrize("status", ["suspended", "inactive", "decommissioned"])
def test_a_device_that_should_be_locked_out_pulls_everything(world: World, status: str) -> None:
    locked = world.seed.hub("locked", world.here, status=status, device_type="laptop")
    assert world.changes("clinics", hub=locked) == world.changes("clinics")


def test_secrets_are_in_a_hubs_pull(world: World) -> None:
    world.seed.add("device_pin_codes", device_id=world.hub.id, pin_hash="8d96", status="active")
    changes = world.pull()["changes"]
    assert changes["users"]["created"][0]["hashed_password"].startswith("$2b$")
    assert len(changes["undefined"]["created"][0]["api_key_hash"]) == 64
    assert changes["device_pin_codes"]["created"][0]["pin_hash"] == "8d96"


@pytest.fixture
def short_history(store: CloudStore, world: World) -> Iterator[World]:
    """Serve the same cloud with MAX_HISTORY_DAYS_SYNC=5."""
    with TestClient(create_app(store, rate_limit=1_000, max_history_days=5)) as http:
        yield World(**{**{name: getattr(world, name) for name in World.__slots__}, "http": http})


def test_a_bounded_history_drops_old_patients_users_and_registration_forms(short_history: World) -> None:
    world, old = short_history, (dt.datetime.now(dt.UTC) - dt.timedelta(days=6)).isoformat()
    times = {"server_created_at": old, "last_modified": old}
    world.seed.add("patients", primary_clinic_id=world.here, **times)
    world.seed.add("patient_registration_forms", name="Old", clinic_id=world.here, **times)
    world.seed.edit("users", world.provider, announced=False, **times)
    for table in ("patients", "registration_forms", "users"):
        assert world.ids(table) == set(), table


def test_a_bounded_history_keeps_old_clinics_forms_drugs_and_stock(short_history: World) -> None:
    world, old = short_history, (dt.datetime.now(dt.UTC) - dt.timedelta(days=6)).isoformat()
    world.seed.edit("clinics", world.here, announced=False, server_created_at=old, last_modified=old)
    world.seed.edit("event_forms", world.form, announced=False, server_created_at=old, last_modified=old)
    assert (world.ids("clinics"), world.ids("event_forms")) == ({world.here}, {world.form})


@pytest.mark.parametrize(
    ("zone", "sent"),
    [
        ("UTC", "1950-01-01T00:00:00.000Z"),
        ("America/New_York", "1950-01-01T05:00:00.000Z"),
        ("Asia/Damascus", "1949-12-31T22:00:00.000Z"),
    ],
)
def test_a_date_is_midnight_in_the_servers_own_zone(store: CloudStore, zone: str, sent: str) -> None:
    seed = Seed(store)
    hub = seed.hub("hub")
    seed.add("patients", date_of_birth="1950-01-01")
    with TestClient(create_app(store, time_zone=zone)) as http:
        changes = http.get(SYNC, params={"peerType": "sync_hub"}, headers=bearer(hub)).json()["changes"]
    assert changes["patients"]["created"][0]["date_of_birth"] == sent


def test_a_date_pushed_back_as_it_was_pulled_moves_a_day_on_a_server_east_of_utc(store: CloudStore) -> None:
    seed = Seed(store)
    hub = seed.hub("hub")
    patient = seed.add("patients", date_of_birth="2000-06-06")
    days = []
    with TestClient(create_app(store, time_zone="Asia/Damascus")) as http:
        for _ in range(3):
            query = {"peerType": "sync_hub"}
            pulled = http.get(SYNC, params=query, headers=bearer(hub)).json()["changes"]["patients"]["created"]
            again = [{name: value for name, value in pulled[0].items() if name != "updated_at"}]
            body = {"patients": {"updated": again}}
            assert http.post(SYNC, params=query, headers=bearer(hub), json=body).status_code == 200
            row = seed.row("patients", patient)
            assert row is not None
            days.append(str(row["date_of_birth"])[:10])
    assert days == ["2000-06-05", "2000-06-04", "2000-06-03"]


def test_numbers_times_and_json_have_their_wire_forms(world: World) -> None:
    patient = world.known_patient(additional_data={"a": [1, {"b": None}]}, created_at="2026-11-20T06:16:30.0739Z")
    world.put("patient_vitals", {"patient_id": patient, "height_cm": 171.5, "bmi": "23.884", "pain_level": 0})
    row, vitals = world.changes("patients")["created"][0], world.changes("patient_vitals")["created"][0]
    assert (row["additional_data"], row["created_at"]) == ({"a": [1, {"b": None}]}, "2026-11-20T06:16:30.073Z")
    assert (vitals["height_cm"], vitals["bmi"], vitals["pain_level"]) == ("171.50", "23.88", 0)


def test_a_phone_gets_18_tables_of_all_clinics_without_secrets(world: World) -> None:
    there = world.seed.add("patients", primary_clinic_id=world.elsewhere)
    changes = world.http.get(SYNC, headers=basic("pia@test")).json()["changes"]
    assert list(changes) == list(vector("phone_pull_full.json")["changes"])
    assert len(changes) == 18
    assert [row["id"] for row in changes["patients"]["created"]] == [there]


def test_a_phone_that_says_it_is_a_hub_gets_all_password_hashes(world: World) -> None:
    answer = world.http.get(SYNC, params={"peerType": "sync_hub"}, headers=basic("pia@test")).json()
    assert {row["id"] for row in answer["changes"]["users"]["created"]} == {world.admin, world.provider}


def test_a_password_with_a_colon_cannot_sync(world: World) -> None:
    world.seed.user("Colon", "colon@test", "a:b", clinic=None)
    assert world.http.get(SYNC, headers=basic("colon@test", "a:b")).status_code == 401


def test_an_email_is_case_sensitive_and_a_password_may_be_arabic(world: World) -> None:
    world.seed.user("Layla", "layla@test", "كلمة السر", clinic=None)
    assert world.http.get(SYNC, headers=basic("Layla@test", "كلمة السر")).status_code == 401
    assert world.http.get(SYNC, headers=basic("layla@test", "كلمة السر")).status_code == 200


def test_a_wrong_method_on_a_known_path_is_a_page_with_200(world: World) -> None:
    answer = world.http.put(SYNC)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/html")


def test_an_unknown_path_is_a_page_with_404(world: World) -> None:
    answer = world.http.get("/api/v3/sync")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (404, "text/html")


def wait_until_ms(ms: float) -> None:
    """Let the clock pass ``ms``: the cloud tells rows apart by its own time, a few ms here."""
    while time.time() * 1000 <= ms:
        time.sleep(0.001)
