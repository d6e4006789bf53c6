"""CLOUD.md 0 on the wire, and the faults on demand, over real sockets."""

import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.simulated.cloud.world import bearer
from tests.simulator import processes
from tests.simulator.cloud import Fault, Faults, Kind, RegisteredHub, Seed, create_app, open_store, running

SYNC = "/api/v2/sync?peerType=sync_hub"


@dataclass(frozen=True, slots=True)
class Served:
    """A cloud on a loopback port."""

    url: str
    http: httpx.Client
    seed: Seed
    hub: RegisteredHub
    faults: Faults

    def get(self, **options: float) -> httpx.Response:
        """Pull as a hub."""
        return self.http.get(SYNC, headers=bearer(self.hub), **options)  # type: ignore[arg-type]

    def push(self, given_name: str) -> httpx.Response:
        """Push a patient."""
        body = {"patients": {"created": [{"given_name": given_name}]}}
        return self.http.post(SYNC, headers=bearer(self.hub), json=body)

    def names(self) -> list[object]:
        """Return the names of the stored patients."""
        return [row["given_name"] for row in self.seed.rows("patients")]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    store = open_store(tmp_path_factory.mktemp("cloud"))
    app = create_app(store, rate_limit=1_000)
    seed = Seed(store)
    with running(app) as url, httpx.Client(base_url=url, timeout=10) as http:
        yield Served(url, http, seed, seed.hub("hub"), app.state.cloud.faults)
    store.close()


@pytest.fixture
def cloud(server: Served) -> Served:
    """Empty the running cloud."""
    server.faults.clear()
    for row in server.seed.rows("patients"):
        server.seed.remove("patients", str(row["id"]))
    return server


def test_answers_are_chunked_without_a_length_and_never_compressed(cloud: Served) -> None:
    for answer in (
        cloud.get(),
        cloud.push("x"),
        cloud.http.get(SYNC),
        cloud.http.put(SYNC),
        cloud.http.post("/api/hub/verify-key", json={"api_key": cloud.hub.api_key}),
    ):
        assert answer.headers["transfer-encoding"] == "chunked"
        assert "content-length" not in answer.headers
        assert "content-encoding" not in answer.headers


@pytest.mark.slow
def test_an_idle_connection_is_closed_after_five_seconds(cloud: Served) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(cloud.url).port or 0), timeout=8) as connection:
        connection.sendall(b"GET /api/v2/sync HTTP/1.1\r\nHost: cloud\r\n\r\n")
        began = time.monotonic()
        answer = b""
        while part := connection.recv(65536):
            answer += part
    assert b"keep-alive: timeout=5\r\n" in answer
    assert time.monotonic() - began > 4.5


def test_a_connection_that_is_used_again_in_time_stays(cloud: Served) -> None:
    with socket.create_connection(("127.0.0.1", urlsplit(cloud.url).port or 0), timeout=8) as connection:
        for _ in range(2):
            connection.sendall(b"GET /api/v2/sync HTTP/1.1\r\nHost: cloud\r\n\r\n")
            answer = b""
            while not answer.endswith(b"0\r\n\r\n"):
                part = connection.recv(65536)
                assert part
                answer += part


def test_a_body_of_20_mb_is_taken(cloud: Served) -> None:
    body = {"patients": {"created": [{"given_name": "Big", "metadata": {"a": "x" * 20_000_000}}]}}
    assert cloud.http.post(SYNC, headers=bearer(cloud.hub), json=body).json() == {"success": True}


def test_the_server_goes_on_when_the_client_leaves(cloud: Served) -> None:
    body = {"patients": {"created": [{"given_name": str(number)} for number in range(300)]}}
    with pytest.raises(httpx.ReadTimeout):
        cloud.http.post(SYNC, headers=bearer(cloud.hub), json=body, timeout=httpx.Timeout(5, read=0.001))
    deadline = time.monotonic() + 20
    while len(cloud.names()) < 300 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(cloud.names()) == 300


def test_a_fault_happens_so_many_times_and_only_where_it_is_meant(cloud: Served) -> None:
    cloud.faults.add(Fault(Kind.ERROR_500, times=2, on="push"))
    assert cloud.get().status_code == 200
    assert [cloud.push("x").status_code for _ in range(3)] == [500, 500, 200]


def test_faults_are_set_and_cleared_over_http(cloud: Served) -> None:
    path = "/_stand-in/faults"
    assert cloud.http.post(path, json={"kind": "429", "seconds": 7}).json()[0]["kind"] == "429"
    answer = cloud.get()
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    cloud.http.post(path, json={"kind": "html", "times": 5})
    assert cloud.http.delete(path).json() == []
    assert cloud.get().json()["success"] is True


def test_an_html_page_comes_with_200(cloud: Served) -> None:
    cloud.faults.add(Fault(Kind.HTML))
    answer = cloud.push("x")
    assert (answer.status_code, answer.headers["content-type"][:9]) == (200, "text/html")
    assert cloud.names() == []


def test_an_answer_cut_in_the_middle_is_an_error_for_the_client(cloud: Served) -> None:
    cloud.faults.add(Fault(Kind.CUT, on="pull"))
    with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
        cloud.get()


def test_a_lost_answer_was_stored_all_the_same(cloud: Served) -> None:
    cloud.faults.add(Fault(Kind.LOSE))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        cloud.push("Kept")
    assert cloud.names() == ["Kept"]


def test_a_dropped_request_was_not_stored(cloud: Served) -> None:
    cloud.faults.add(Fault(Kind.DROP))
    with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
        cloud.push("Gone")
    assert cloud.names() == []


def test_a_late_answer_runs_into_the_clients_timeout(cloud: Served) -> None:
    cloud.faults.add(Fault(Kind.DELAY, seconds=0.5))
    with pytest.raises(httpx.ReadTimeout):
        cloud.get(timeout=0.1)


def test_a_slow_body_arrives_whole(cloud: Served) -> None:
    cloud.faults.add(Fault(Kind.SLOW, seconds=0.5))
    began = time.monotonic()
    assert cloud.get().json()["success"] is True
    assert time.monotonic() - began > 0.4


def test_the_program_prints_where_it_listens_and_a_key_that_works(tmp_path: Path) -> None:
    command = (*processes.CLOUD, "--data", str(tmp_path), "--seed-demo")
    keys = []
    for _ in range(2):
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=processes.environ(), cwd=tmp_path) as process:
            assert process.stdout is not None
            greeting = json.loads(process.stdout.readline())
            answer = httpx.post(greeting["url"] + "/api/hub/verify-key", json={"api_key": greeting["api_key"]})
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=20) == 0
        assert answer.json()["name"] == "Demo hub 1"
        keys.append(greeting["api_key"])
    assert keys[0] == keys[1]
    assert os.stat(tmp_path / "api-key").st_mode & 0o777 == 0o600  # noqa: PTH116
