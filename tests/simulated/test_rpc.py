"""What the app makes of each answer of a hub (the table of statuses)."""

import json
from typing import Any

import pytest

from hub.core.phone import wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import SessionKey
from tests.simulated.fake_hub import FakeHub
from tests.simulator import rpc
from tests.simulator.rpc import CallFailedError, Channel, Failure
from tests.simulator.transport import NetworkLostError


@pytest.fixture
def hub() -> FakeHub:
    return FakeHub()


def channel(hub: FakeHub) -> Channel:
    return Channel(hub, "client-1", rpc.handshake(hub, "client-1").key, "token-1")


def failure_of(hub: FakeHub) -> CallFailedError:
    with pytest.raises(CallFailedError) as caught:
        channel(hub).query("sync_pull", {"lastPulledAt": 0})
    return caught.value


def test_a_call_carries_name_params_and_token_inside(hub: FakeHub) -> None:
    channel(hub).query("sync_pull", {"lastPulledAt": 5})
    assert hub.calls == [("sync_pull", {"lastPulledAt": 5}, "token-1")]


def test_401_is_unauthorized(hub: FakeHub) -> None:
    hub.plain["sync_pull"] = 401, b"{}"
    error = failure_of(hub)
    assert (error.failure, error.detail) == (Failure.AUTH_FAILED, "Unauthorized")


@pytest.mark.parametrize("status", [400, 403, 404, 409, 413, 429, 500, 503])
def test_other_refusals_are_network_errors(hub: FakeHub, status: int) -> None:
    hub.plain["sync_pull"] = status, b"{}"
    error = failure_of(hub)
    assert (error.failure, error.detail) == (Failure.NETWORK_ERROR, f"HTTP {status}")


@pytest.mark.parametrize("body", [b'{"success":false}', b'{"payload":""}', b"{}", b"[]", b'{"payload":"AAAA"}'])
def test_200_without_a_payload_that_opens_is_a_failed_decryption(hub: FakeHub, body: bytes) -> None:
    hub.plain["sync_pull"] = 200, body
    assert failure_of(hub).failure is Failure.DECRYPTION_FAILED


@pytest.mark.parametrize("body", [b"<html>", b'{"success":tr', b"null", b""])
def test_200_that_is_no_json_is_a_network_error(hub: FakeHub, body: bytes) -> None:
    hub.plain["sync_pull"] = 200, body
    assert failure_of(hub).failure is Failure.NETWORK_ERROR


def test_a_cut_line_is_a_network_error(hub: FakeHub) -> None:
    hub.plain["sync_pull"] = NetworkLostError
    assert failure_of(hub).failure is Failure.NETWORK_ERROR


@pytest.mark.parametrize("inside", [None, False, 0, ""])
def test_an_answer_that_javascript_takes_for_false_is_a_failed_decryption(hub: FakeHub, inside: object) -> None:
    hub.answers["sync_pull"] = inside
    assert failure_of(hub).failure is Failure.DECRYPTION_FAILED


@pytest.mark.parametrize("inside", [{"error": "no"}, {"success": False}, {}, [], "text", 5, True])
def test_any_other_sealed_answer_counts_as_success(hub: FakeHub, inside: object) -> None:
    hub.answers["sync_pull"] = inside
    assert channel(hub).query("sync_pull", {}) == inside


def test_success_and_error_beside_the_payload_are_ignored(hub: FakeHub) -> None:
    ours = channel(hub)
    body = json.loads(hub.sealed({"fine": True}, ours.key, Direction.QUERY_RESPONSE))
    hub.plain["x"] = 200, json.dumps({**body, "success": False, "error": "no"}).encode()
    assert ours.query("x", {}) == {"fine": True}


def test_an_answer_sealed_for_the_other_direction_does_not_open(hub: FakeHub) -> None:
    ours = channel(hub)
    hub.plain["x"] = 200, hub.sealed({"fine": True}, ours.key, Direction.COMMAND_RESPONSE)
    with pytest.raises(CallFailedError, match="DECRYPTION_FAILED"):
        ours.query("x", {})


def test_an_answer_under_another_key_does_not_open(hub: FakeHub) -> None:
    hub.plain["sync_pull"] = 200, hub.sealed({}, SessionKey(bytes(32)), Direction.QUERY_RESPONSE)
    assert failure_of(hub).failure is Failure.DECRYPTION_FAILED


@pytest.mark.parametrize("without", ["success", "hub_public_key", "hub_id"])
def test_a_handshake_needs_success_key_and_id(hub: FakeHub, without: str) -> None:
    answer: dict[str, Any] = {"success": True, "hub_public_key": wire.encode(hub.pair.public), "hub_id": "h"}
    hub.handshake = {name: value for name, value in answer.items() if name != without}
    with pytest.raises(CallFailedError, match="HANDSHAKE_FAILED"):
        rpc.handshake(hub, "client-1")


@pytest.mark.parametrize("spoilt", ["=", "+", "/"])
def test_a_hub_key_in_another_alphabet_fails(hub: FakeHub, spoilt: str) -> None:
    key = wire.encode(hub.pair.public)
    key = key + spoilt if spoilt == "=" else spoilt + key[1:]
    hub.handshake = {"success": True, "hub_public_key": key, "hub_id": "h"}
    with pytest.raises(CallFailedError, match="HUB_UNREACHABLE"):
        rpc.handshake(hub, "client-1")


def test_a_shared_secret_of_zeros_is_refused(hub: FakeHub) -> None:
    hub.handshake = {"success": True, "hub_public_key": wire.encode(bytes(32)), "hub_id": "h"}
    with pytest.raises(CallFailedError, match="HUB_UNREACHABLE"):
        rpc.handshake(hub, "client-1")


def test_a_hub_without_a_name_is_called_by_its_id(hub: FakeHub) -> None:
    hub.handshake = {"success": True, "hub_public_key": wire.encode(hub.pair.public), "hub_id": "h"}
    assert rpc.handshake(hub, "client-1").name == "Hub h"
