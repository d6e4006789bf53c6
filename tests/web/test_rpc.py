"""The phones' endpoints over real HTTP: no is always a status, never a 200."""

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import pytest

from hub.actions.phones import pairing
from hub.core.phone import wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import SessionKey
from hub.store.database import Store
from hub.store.phones import devices
from tests.hubs import EMAIL, PASSWORD, Client, ServedHub, changes, row

PATIENT = changes("patients", created=[row("patients", "p")])
PUSH_MAX = 1024**2


def http(served: ServedHub, method: str, path: str, content: object = None) -> httpx.Response:
    with httpx.Client(trust_env=False) as client:
        return client.request(method, served.url + path, content=content)  # type: ignore[arg-type]


def unread(served: ServedHub, path: str, length: int, beginning: bytes = b"") -> bytes:
    """Send the head of a POST and no more of its body than ``beginning``; give the first line of the answer."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=10) as connection:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: hub\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
        )
        connection.sendall(head.encode() + beginning)
        return connection.recv(4096).split(b"\r\n")[0]


def sealed(client: Client, inside: object) -> bytes:
    return client.envelope(inside, Direction.QUERY)


def forgive(served: ServedHub) -> None:
    """Let the address that all tests share sign in again."""
    store = Store(served.data)
    with store.write() as tx:
        tx.db.execute("DELETE FROM attempts")
    store.close()


@pytest.fixture(autouse=True)
def _forgiven(served: ServedHub) -> None:
    forgive(served)


# Yes


def test_the_heartbeat_answers_whoever_asks(served: ServedHub) -> None:
    assert http(served, "GET", "/rpc/heartbeat").status_code == 200


def test_a_phone_pairs_signs_in_pushes_and_pulls(served: ServedHub) -> None:
    client = served.client("whole-way")
    assert client.push(changes("patients", created=[row("patients", "whole-way")])).json == {"success": True}
    answer = served.client("whole-way-2").pull().json
    assert "whole-way" in [record["id"] for record in answer["changes"]["patients"]["created"]]


def test_answers_are_json_with_their_length(served: ServedHub) -> None:
    client = served.client("lengths")
    answer = http(served, "POST", "/rpc/query", sealed(client, {"query": "ping"}))
    assert answer.headers["content-type"] == "application/json"
    assert int(answer.headers["content-length"]) == len(answer.content)


def test_120_parallel_calls_with_a_handshake_before_each_all_succeed(served: ServedHub) -> None:
    signed_in = served.client("parallel")

    def call(_number: int) -> int:
        client = Client(served.connect(), signed_in.client_id)
        client.token = signed_in.token
        client.shake()
        return client.pull().status

    with ThreadPoolExecutor(24) as pool:
        assert list(pool.map(call, range(120))) == [200] * 120


# No


@pytest.mark.parametrize(
    "body", [b"", b"{", b"null", b"[]", b"\xff", b'{"client_id":"c"}', b'{"client_id":"c","payload":7}']
)
@pytest.mark.parametrize("path", ["/rpc/handshake", "/rpc/query", "/rpc/command"])
def test_400_for_what_is_no_message(served: ServedHub, path: str, body: bytes) -> None:
    answer = http(served, "POST", path, body)
    assert (answer.status_code, answer.json()["error"]) == (400, "malformed")


@pytest.mark.parametrize("payload", ["AA==", "A+/A", "A A", "A", "é"])
def test_400_for_a_payload_that_is_no_base64url(served: ServedHub, payload: str) -> None:
    body = msgspec.json.encode({"client_id": served.client("base64").client_id, "payload": payload})
    assert http(served, "POST", "/rpc/query", body).status_code == 400


def test_401_for_a_phone_without_a_session(served: ServedHub) -> None:
    assert Client(served.connect(), "nobody").query("ping").status == 401


def test_401_for_a_wrong_key(served: ServedHub) -> None:
    client = served.client("wrong-key")
    client.key = SessionKey(os.urandom(32))
    assert client.pull().status == 401


def test_401_without_a_token(served: ServedHub) -> None:
    client = served.client("no-token", email=None)
    assert (client.pull().status, client.push(PATIENT).status) == (401, 401)


def test_401_says_the_same_whatever_was_wrong(served: ServedHub) -> None:
    signed_in, client = served.client("signed-in"), served.client("same-words", email=None)
    answers = [Client(served.connect(), "nobody").query("ping"), client.pull(), client.login("x@x.example", "wrong")]
    client.token = signed_in.token
    answers.append(client.pull())
    client.key = SessionKey(os.urandom(32))
    answers.append(client.pull())
    assert {msgspec.json.encode(answer) for answer in answers} == {
        msgspec.json.encode([401, {"success": False, "error": "unauthorised", "message": "unauthorised"}])
    }


def test_s2_403_for_a_new_phone_when_pairing_is_closed_while_the_hub_runs(served: ServedHub) -> None:
    store = Store(served.data)
    pairing.close(store)
    refused = Client(served.connect(), "latecomer").shake().status
    pairing.open_for(store, 240)
    store.close()
    assert (refused, Client(served.connect(), "latecomer").shake().status) == (403, 200)


def test_s2_403_for_a_phone_that_is_revoked_while_the_hub_runs(served: ServedHub) -> None:
    client = served.client("stolen")
    assert client.pull().status == 200
    store = Store(served.data)
    with store.write() as tx:
        devices.revoke(tx, "stolen")
    store.close()
    assert (client.pull().status, client.shake().status) == (403, 403)


@pytest.mark.parametrize("path", ["/api/login", "/api/auth/sign-in"])
def test_s1_403_for_a_password_in_clear_whose_body_is_not_read(served: ServedHub, path: str) -> None:
    assert unread(served, path, 100) == b"HTTP/1.1 403 Forbidden"


@pytest.mark.parametrize(
    "path", ["/rpc/sync_pull", "/api/v2/sync", "/rpc", "/rpc/query/x", "/admin", "/.env", "/schema"]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_s1_404_for_whatever_else_is_asked_for(served: ServedHub, method: str, path: str) -> None:
    assert http(served, method, path).status_code == 404


def test_404_for_a_procedure_that_is_not_there(served: ServedHub) -> None:
    assert served.client("lost").query("no_such_thing").status == 404


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/rpc/query"), ("GET", "/rpc/handshake"), ("DELETE", "/rpc/command")]
)
def test_405_for_another_method(served: ServedHub, method: str, path: str) -> None:
    assert http(served, method, path).status_code == 405


def test_s3_409_for_a_message_that_was_sent_before(served: ServedHub) -> None:
    client = served.client("replayed")
    body = sealed(client, {"query": "ping"})
    assert [http(served, "POST", "/rpc/query", body).status_code for _ in range(2)] == [200, 409]


@pytest.mark.parametrize(
    ("path", "length"),
    [("/rpc/handshake", wire.HANDSHAKE_BYTES_MAX + 1), ("/rpc/query", PUSH_MAX * 2), ("/rpc/command", PUSH_MAX * 2)],
)
def test_s8_413_for_a_body_that_says_it_is_too_large_before_it_is_read(
    served: ServedHub, path: str, length: int
) -> None:
    assert unread(served, path, length).startswith(b"HTTP/1.1 413")


def test_a_phone_whose_push_is_too_large_is_named(served: ServedHub) -> None:
    client = served.client("too-large")
    body = sealed(client, {"command": "sync_push"})
    assert unread(served, "/rpc/command", PUSH_MAX * 2, body[:200]).startswith(b"HTTP/1.1 413")
    listed = json.loads(served.cli("device", "list", "--json").stdout)
    refused = {found["client_id"]: found["refused"] for found in listed}["too-large"]
    assert refused["reason"] == "too_large"


def test_s8_413_for_a_body_that_grows_too_large_without_saying_so(served: ServedHub) -> None:
    pieces = (b"x" * 1000 for _ in range(wire.HANDSHAKE_BYTES_MAX // 1000 + 2))
    assert http(served, "POST", "/rpc/handshake", pieces).status_code == 413


def test_s4_429_for_a_guesser_with_the_time_to_come_again(served: ServedHub) -> None:
    client = served.client("guesser", email=None)
    assert [client.login("guessed@x.example", f"guess {number}").status for number in range(3)] == [401, 401, 429]
    inside = {"command": "login", "data": {"email": "guessed@x.example", "password": PASSWORD}, "token": None}
    answer = http(served, "POST", "/rpc/command", client.envelope(inside, Direction.COMMAND))
    forgive(served)
    assert (answer.status_code, answer.json()["error"]) == (429, "too many")
    assert 0 < int(answer.headers["retry-after"]) <= 30


def test_p7_503_and_nothing_stored_when_the_quarantine_is_full(served: ServedHub) -> None:
    client = served.client("bad-phone")
    pushed = changes("patients", created=[row("patients", "too-much"), *[{"id": number} for number in range(101)]])
    answer = client.push(pushed)
    assert (answer.status, answer.json["error"]) == (503, "unavailable")
    assert "too-much" not in str(served.client("bad-phone-2").pull().json)


def test_a_refusal_is_never_sealed(served: ServedHub) -> None:
    client = served.client("refused")
    answers = [
        client.query("nothing"),
        client.command("sync_push", {"changes": 7}),
        client.command("login", {"email": EMAIL}),
        client.command("sync_pull"),
    ]
    assert all(answer.status >= 400 and "payload" not in answer.json for answer in answers)
