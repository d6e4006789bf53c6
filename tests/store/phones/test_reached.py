"""Where phones reached the hub."""

from hub.actions.phones import access
from hub.core.phone import wire
from hub.store.database import Store
from hub.store.phones import callers, devices, reached
from hub.store.phones.reached import RECENT_MS
from tests.hubs import InProcessHub


def pair(store: Store, *names: str) -> list[int]:
    with store.write() as tx:
        return [access.pair(tx, name, None, most=100).num for name in names]


def test_phones_are_counted_by_the_host_they_used_last(store: Store) -> None:
    one, two, three = pair(store, "a", "b", "c")
    with store.write() as tx:
        reached.note(tx, one, "10.0.0.1")
        reached.note(tx, two, "10.0.0.2")
        reached.note(tx, three, "10.0.0.2")
        reached.note(tx, one, "10.0.0.2")
    with store.read() as db:
        assert reached.counts(db, store.now_ms(db)) == {"10.0.0.2": 3}
        assert reached.of(db, one) == "10.0.0.2"


def test_revoked_phones_and_those_put_away_do_not_count(store: Store) -> None:
    one, two = pair(store, "a", "b")
    with store.write() as tx:
        reached.note(tx, one, "10.0.0.1")
        reached.note(tx, two, "10.0.0.1")
        devices.revoke(tx, "a")
    with store.read() as db:
        now_ms = store.now_ms(db)
        assert reached.counts(db, now_ms) == {"10.0.0.1": 1}
        assert reached.counts(db, now_ms + RECENT_MS + 1000) == {}


def test_devices_that_are_gone_are_forgotten(store: Store) -> None:
    (one,) = pair(store, "a")
    with store.write() as tx:
        reached.note(tx, one, "10.0.0.1")
        tx.db.execute("DELETE FROM devices")
        (two,) = (access.pair(tx, "b", None, most=100).num,)
        reached.note(tx, two, "10.0.0.1")
    with store.read() as db:
        assert reached.of(db, one) is None


def test_a_handshake_notes_the_host_it_was_made_at(hub: InProcessHub) -> None:
    client = hub.client("phone")
    with hub.store.read() as db:
        device = callers.find(db, "phone")
        assert device
        assert reached.of(db, device.num) is None
    body = b'{"client_id": "phone", "client_public_key": "%s"}' % wire.encode(client.pair.public).encode()
    hub.rpc.handshake(body, "10.0.0.50", "192.168.4.1:4001")
    with hub.store.read() as db:
        assert reached.of(db, device.num) == "192.168.4.1"
