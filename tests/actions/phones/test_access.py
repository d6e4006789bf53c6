"""Which phones may talk to the hub (S2)."""

import pytest

from hub.actions.phones import access, pairing
from hub.actions.phones import devices as phones
from hub.core.errors import Forbidden, Unauthorised, Unavailable
from hub.core.phone.device import Device
from hub.core.phone.token_life import TokenLife
from hub.store.database import Store
from hub.store.phones import callers, devices, sessions
from tests.hubs import add_clinic, add_user

LIFE = TokenLife(days=1, days_max=1)


def pair(store: Store, client_id: str, *, name: str | None = None, most: int = 10) -> Device:
    with store.write() as tx:
        return access.pair(tx, client_id, name, most=most)


def find(store: Store, client_id: str) -> Device | None:
    with store.read() as db:
        return callers.find(db, client_id)


def test_a_phone_without_a_name_gets_one(store: Store) -> None:
    assert pair(store, "c").name == "Phone 1"


def test_s2_a_revoked_phone_is_shut_out_and_its_tokens_die(store: Store) -> None:
    device, user = pair(store, "c"), add_user(store, add_clinic(store, "A"))
    with store.write() as tx:
        token = sessions.issue_token(tx, device=device.num, user_id=user.id, days=1)
    access.rights(store, device, token, LIFE)
    phones.block(store, "c")
    with pytest.raises(Forbidden):
        admit(store, "c")
    phones.unblock(store, "c")
    with pytest.raises(Unauthorised):
        access.rights(store, admit(store, "c"), token, LIFE)


def sign_in(store: Store, device: Device) -> None:
    with store.write() as tx:
        devices.signed_in(tx, device.num, "u")


def test_s8_what_an_older_program_kept_of_a_flood_makes_room_and_never_a_phone_that_somebody_signed_in_on(
    store: Store,
) -> None:
    sign_in(store, pair(store, "known", most=4))
    for number in range(3):
        pair(store, f"flood-{number}", most=4)
    assert admit(store, "waiting", most=4, always_open=True).is_new
    assert pair(store, "waiting", most=4).num == 5
    with store.read() as db:
        left = [device.client_id for device in devices.every(db)]
    assert left == ["known", "flood-1", "flood-2", "waiting"]


def test_s8_known_phones_make_no_room(store: Store) -> None:
    for number in range(2):
        device = pair(store, f"known-{number}", most=2)
        with store.write() as tx:
            devices.signed_in(tx, device.num, "u")
    with pytest.raises(Unavailable):
        pair(store, "stranger", most=2)


def test_a_number_is_never_given_twice(store: Store) -> None:
    nums = []
    for number in range(5):
        nums.append(pair(store, f"c{number}").num)
        phones.forget(store, f"c{number}")
    assert nums == [1, 2, 3, 4, 5]


def test_a_revoked_phone_does_not_make_room_and_stays_revoked(store: Store) -> None:
    pair(store, "bad", most=1)
    with store.write() as tx:
        devices.revoke(tx, "bad")
    with pytest.raises(Unavailable):
        pair(store, "new", most=1)


def admit(store: Store, client_id: str, *, most: int = 10, always_open: bool = False) -> Device:
    return access.admit(store, client_id, None, always_open=always_open, most=most)


def test_s2_a_new_phone_is_let_in_while_pairing_is_open_and_never_else(store: Store) -> None:
    with pytest.raises(Forbidden):
        admit(store, "c")
    pairing.open_for(store, 1)
    assert admit(store, "c").is_new
    paired = pair(store, "c")
    pairing.close(store)
    assert admit(store, "c") == paired
    with pytest.raises(Forbidden):
        admit(store, "d")


def test_what_could_reach_for_a_terminal_is_left_out_of_a_name(store: Store) -> None:
    assert pair(store, "c", name="\x1b[2J Ward 2\n ").name == "[2J Ward 2"
