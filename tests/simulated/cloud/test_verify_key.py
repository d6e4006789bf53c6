"""CLOUD.md 1: verifying a hub's key."""

import pytest

from tests.simulated.cloud.world import World, vector


def test_a_known_key_gets_the_device_row_without_its_hash(world: World) -> None:
    answer = world.http.post("/api/hub/verify-key", json={"api_key": world.hub.api_key})
    assert answer.status_code == 200
    assert list(answer.json()) == list(vector("verify_key.json"))
    assert answer.json()["clinic_ids"] == [world.here]


@pytest.mark.parametrize("key", ["hh_" + "0" * 64, "nonsense"])
def test_an_unknown_key_is_401(world: World, key: str) -> None:
    answer = world.http.post("/api/hub/verify-key", json={"api_key": key})
    assert (answer.status_code, answer.json()) == (401, vector("error_401_verify_key.json"))


def test_a_deleted_device_is_401(world: World) -> None:
    world.seed.delete("devices", world.hub.id)
    assert world.http.post("/api/hub/verify-key", json={"api_key": world.hub.api_key}).status_code == 401


@pytest.mark.parametrize("body", ["{}", '{"api_key":""}', '{"api_key":7}', "[]"])
def test_a_missing_key_is_400(world: World, body: str) -> None:
    answer = world.http.post("/api/hub/verify-key", content=body)
    assert (answer.status_code, answer.json()) == (400, vector("error_400_verify_key.json"))


@pytest.mark.parametrize("body", ["", "{", "null"])
def test_a_broken_body_is_500(world: World, body: str) -> None:
    answer = world.http.post("/api/hub/verify-key", content=body)
    assert (answer.status_code, answer.json()) == (500, vector("error_500_verify_key.json"))


@pytest.mark.parametrize("status", ["suspended", "inactive", "decommissioned"])
def test_a_device_that_should_be_locked_out_gets_200(world: World, status: str) -> None:
    hub = world.seed.hub("locked", world.here, status=status)
    answer = world.http.post("/api/hub/verify-key", json={"api_key": hub.api_key})
    assert (answer.status_code, answer.json()["status"]) == (200, status)


def test_a_laptop_gets_200(world: World) -> None:
    hub = world.seed.hub("laptop", world.here, device_type="laptop")
    assert world.http.post("/api/hub/verify-key", json={"api_key": hub.api_key}).status_code == 200


def test_a_get_answers_the_web_page(world: World) -> None:
    answer = world.http.get("/api/hub/verify-key")
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (200, "text/html")


def test_no_call_is_limited_or_remembered(world: World) -> None:
    for _ in range(70):
        assert world.http.post("/api/hub/verify-key", json={"api_key": "hh_x"}).status_code == 401
    world.http.post("/api/hub/verify-key", json={"api_key": world.hub.api_key})
    assert world.row("devices", world.hub.id)["last_seen_at"] is None
