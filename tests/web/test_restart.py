"""A hub that is killed and comes again (P1, P9, S3)."""

from collections.abc import Callable

from hub.core.phone.cipher import Direction
from tests.hubs import ServedHub, changes, row


def test_p1_p9_after_a_kill_phones_go_on_and_nothing_acknowledged_is_lost(serve: Callable[..., ServedHub]) -> None:
    served = serve()
    client = served.client()
    for number in range(10):
        assert client.push(changes("patients", created=[row("patients", f"p{number}")])).status == 200
    assert served.cli("pairing", "close").returncode == 0
    served.kill()
    served.start()
    client.transport = served.connect()
    assert client.shake().status == 200
    assert client.pull().status == 200
    reader = client.pull().json["changes"]
    assert len(reader["patients"]["created"]) == 10


def test_s3_a_captured_handshake_and_message_are_worth_nothing_after_a_restart(serve: Callable[..., ServedHub]) -> None:
    served = serve()
    client = served.client()
    pair = client.pair
    captured = client.envelope({"command": "sync_push", "data": {"changes": {}}}, Direction.COMMAND)
    served.kill()
    served.start()
    client.transport = served.connect()
    assert client.shake(pair).status == 200
    assert client.post("/rpc/command", captured).status == 401


def test_a_hub_that_is_told_to_stop_ends_well(serve: Callable[..., ServedHub]) -> None:
    served = serve()
    served.client().pull()
    assert served.stop() == 0
