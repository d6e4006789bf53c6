"""The phones that are paired (S2)."""

from hub.actions.phones import access
from hub.core.phone.device import Device, DeviceState
from hub.store.database import Store
from hub.store.phones import callers, devices


def pair(store: Store, client_id: str, *, name: str | None = None, most: int = 10) -> Device:
    with store.write() as tx:
        return access.pair(tx, client_id, name, most=most)


def find(store: Store, client_id: str) -> Device | None:
    with store.read() as db:
        return callers.find(db, client_id)


def test_a_paired_phone_is_kept_with_name_state_and_times(store: Store) -> None:
    device = pair(store, "c", name="Ward 2")
    assert (device.name, device.state, device.last_sync, device.user_id) == ("Ward 2", DeviceState.PAIRED, None, None)
    assert device.first_seen == device.last_seen > 0


def test_being_seen_and_syncing_is_noted(store: Store) -> None:
    device = pair(store, "c")
    with store.write() as tx:
        callers.seen(tx, device.num)
    seen = find(store, "c")
    assert seen is not None
    assert (seen.last_seen > device.last_seen, seen.last_sync) == (True, None)
    with store.write() as tx:
        callers.seen(tx, device.num, synced=True)
    synced = find(store, "c")
    assert synced is not None
    assert synced.last_sync == synced.last_seen


def test_an_unknown_phone_cannot_be_revoked(store: Store) -> None:
    with store.write() as tx:
        assert devices.revoke(tx, "nobody") is None
