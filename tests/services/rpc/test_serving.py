"""Phones are not served while an administrator stopped it; nothing else is, and nobody is blamed for it."""

from hub.actions.box import serving
from hub.actions.phones import refusals
from tests.hubs import InProcessHub, changes, row


def test_phones_are_refused_until_it_goes_on_and_then_carry_on_as_before(hub: InProcessHub) -> None:
    client = hub.client()
    serving.stop(hub.store)
    pushed = changes("patients", created=[row("patients", "p")])
    assert [client.pull().status, client.push(pushed).status, client.login().status, client.shake().status] == [503] * 4
    assert refusals.listed(hub.store, hub.rpc.refusals.now()) == []
    serving.go_on(hub.store)
    assert client.push(pushed).status == 200


def test_stopping_twice_and_going_on_twice_is_as_once(hub: InProcessHub) -> None:
    for _ in range(2):
        serving.stop(hub.store)
    for _ in range(2):
        serving.go_on(hub.store)
    assert hub.client().pull().status == 200
