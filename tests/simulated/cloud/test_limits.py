"""CLOUD.md 2.4: 60 requests in any 60 s, per client as the proxy names it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from litestar.testing import TestClient

from tests.simulated.cloud.world import bearer, vector
from tests.simulator.cloud import RegisteredHub, Seed, create_app, open_store

SYNC = "/api/v2/sync?peerType=sync_hub"


class Clock:
    """A monotonic clock that a test moves."""

    now_s = 0.0


@dataclass
class Limited:
    """A cloud with the real limit."""

    http: httpx.Client
    hub: RegisteredHub
    clock: Clock

    def get(self, client: str = "") -> httpx.Response:
        """Pull as a hub behind the proxy of ``client``."""
        return self.http.get(SYNC, headers=bearer(self.hub) | ({"X-Forwarded-For": client} if client else {}))

    def use_up(self, client: str = "") -> None:
        """Make all requests that are allowed now."""
        assert {self.get(client).status_code for _ in range(60)} == {200}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Limited]:
    """Serve a cloud with the real limit."""
    store, clock = open_store(tmp_path), Clock()
    with TestClient(create_app(store, now_s=lambda: clock.now_s)) as http:
        yield Limited(http, Seed(store).hub("hub"), clock)
    store.close()


def test_the_61st_request_is_429_with_the_whole_seconds_to_wait(cloud: Limited) -> None:
    cloud.use_up()
    cloud.clock.now_s = 0.5
    answer = cloud.get()
    assert (answer.status_code, answer.json()) == (429, vector("error_429.json"))
    assert answer.headers["retry-after"] == "60"
    cloud.clock.now_s = 1.2
    assert cloud.get().headers["retry-after"] == "59"


def test_the_window_slides(cloud: Limited) -> None:
    cloud.get()
    cloud.clock.now_s = 30
    assert [cloud.get().status_code for _ in range(60)][-2:] == [200, 429]
    cloud.clock.now_s = 60
    assert [cloud.get().status_code for _ in range(2)] == [200, 429]


def test_refused_requests_do_not_count(cloud: Limited) -> None:
    cloud.use_up()
    cloud.clock.now_s = 59
    assert {cloud.get().status_code for _ in range(100)} == {429}
    cloud.clock.now_s = 60
    assert cloud.get().status_code == 200


def test_pulls_pushes_and_failed_sign_ins_share_one_budget(cloud: Limited) -> None:
    for _ in range(20):
        cloud.get()
        cloud.http.post(SYNC, headers=bearer(cloud.hub), json={})
        cloud.http.get(SYNC)
    assert cloud.get().status_code == 429


def test_clients_are_told_apart_by_the_first_forwarded_address(cloud: Limited) -> None:
    cloud.use_up("10.0.0.1, 10.9.9.9")
    assert cloud.get("10.0.0.1").status_code == 429
    assert cloud.get("10.0.0.2, 10.0.0.1").status_code == 200


def test_clients_without_a_forwarded_address_share_one_bucket(cloud: Limited) -> None:
    cloud.use_up()
    assert cloud.get().status_code == 429
    assert cloud.get("10.0.0.1").status_code == 200


def test_verifying_a_key_is_not_limited(cloud: Limited) -> None:
    cloud.use_up()
    assert cloud.http.post("/api/hub/verify-key", json={"api_key": cloud.hub.api_key}).status_code == 200
