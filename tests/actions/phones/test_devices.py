"""Phones are forgotten with all that is known of them, and their records stay (S2)."""

import pytest

from hub.actions.people import audit
from hub.actions.phones import access, devices
from hub.core.errors import NotThere
from hub.store.phones.devices import _OF_A_DEVICE
from tests.hubs import InProcessHub, changes, row


def rows_of(hub: InProcessHub, num: int) -> dict[str, int]:
    with hub.store.read() as db:
        return {table: db.table(table).count_where("device = ?", [num]) for table in _OF_A_DEVICE}


def test_every_table_that_names_a_phone_is_forgotten_or_says_who_did_something(hub: InProcessHub) -> None:
    kept = {"audit", "quarantine", "quarantine_held", "counter_steps"}
    with hub.store.read() as db:
        named = {
            table.name
            for table in db.tables
            if "device" in {column.name for column in table.columns} and "data" not in {c.name for c in table.columns}
        }
    assert named - kept == set(_OF_A_DEVICE)


def test_a_forgotten_phone_leaves_its_records_and_nothing_else(hub: InProcessHub) -> None:
    kept, gone = hub.client("kept"), hub.client("gone")
    gone.push(changes("patients", created=[row("patients", "p")]))
    for client in (kept, gone):
        client.pull(client.pull().json["timestamp"])
    assert sum(rows_of(hub, 2).values()) > 2
    before = rows_of(hub, 1)
    assert devices.forget(hub.store, "gone").num == 2
    assert sum(rows_of(hub, 2).values()) == 0
    assert rows_of(hub, 1) == before
    assert [one.device.client_id for one in devices.every(hub.store)] == ["kept"]
    assert kept.pull().status == 200
    assert (gone.pull().status, gone.push({}).status) == (401, 401)
    with hub.store.read() as db:
        assert db.table("patients").count == 1


def test_a_forgotten_phone_joins_again_while_pairing_is_open_and_gets_everything(hub: InProcessHub) -> None:
    writer, phone = hub.client("writer"), hub.client("phone")
    writer.push(changes("patients", created=[row("patients", "p")]))
    cursor = phone.pull().json["timestamp"]
    phone.pull(cursor)
    devices.block(hub.store, "phone")
    devices.forget(hub.store, "phone")
    assert phone.shake().status == 200
    assert phone.login().status == 200
    assert phone.pull(0).json["changes"]["patients"]["created"]


def test_the_strangers_of_a_flood_are_forgotten_at_once_and_nobody_else(hub: InProcessHub) -> None:
    hub.client("nurse")
    with hub.store.write() as tx:  # as an older program kept them
        for number in range(5):
            access.pair(tx, f"stranger-{number}", None, most=10)
    devices.block(hub.store, "stranger-3")
    assert devices.forget_strangers(hub.store) == 5
    assert [one.device.client_id for one in devices.every(hub.store)] == ["nurse"]
    assert devices.forget_strangers(hub.store) == 0


def test_forgetting_is_noted_with_the_name_that_the_list_no_longer_has(hub: InProcessHub) -> None:
    hub.client("phone")
    devices.forget(hub.store, "phone")
    newest = audit.newest(hub.store, limit=1).entries[0]
    assert (newest["event"], newest["detail"]) == ("device.forgotten", "Phone 1")


def test_an_unknown_phone_cannot_be_forgotten(hub: InProcessHub) -> None:
    with pytest.raises(NotThere):
        devices.forget(hub.store, "nobody")


@pytest.mark.parametrize("whose", [{"email": "nobody@clinic.example"}, {"client_id": "nobody"}])
def test_for_whom_nobody_knows_no_sign_in_ends(hub: InProcessHub, whose: dict[str, str]) -> None:
    """With neither a user nor a phone all would."""
    client = hub.client()
    with pytest.raises(NotThere):
        devices.end_sign_ins(hub.store, **whose)
    assert client.pull().status == 200
    assert devices.end_sign_ins(hub.store) == 1
    assert client.pull().status == 401
