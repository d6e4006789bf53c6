"""Refused phones are named with the reason until they come through; nobody can make the hub write for it (O2, S8)."""

import msgspec
import pytest

from hub.actions.phones import devices, pairing, refusals
from hub.actions.phones.refusals import RefusalReason, RefusedPhone
from hub.core.errors import Unavailable
from hub.core.phone.cipher import Direction
from hub.services.rpc import refusals as remembered
from hub.store.phones import sessions
from tests.hubs import BOUNDS, Client, InProcessHub, RpcTransport, changes, row

DAY_MS = 86_400_000


def shown(hub: InProcessHub) -> list[tuple[str, RefusalReason, int]]:
    return [(one.name, one.reason, one.times) for one in refusals.listed(hub.store, hub.rpc.refusals.now())]


def kept(hub: InProcessHub) -> list[RefusedPhone]:
    return refusals.listed(hub.store)


def end_sign_ins(hub: InProcessHub) -> None:
    with hub.store.write() as tx:
        sessions.revoke_tokens(tx)


def test_a_phone_whose_sign_in_is_over_is_named_until_somebody_signs_in_again(hub: InProcessHub) -> None:
    client = hub.client()
    end_sign_ins(hub)
    assert [client.pull().status for _ in range(3)] == [401] * 3
    assert shown(hub) == [("Phone 1", RefusalReason.SIGN_IN, 3)]
    client.login()
    assert client.pull().status == 200
    assert (shown(hub), kept(hub)) == ([], [])


def test_a_blocked_phone_that_still_tries_is_named(hub: InProcessHub) -> None:
    client = hub.client()
    devices.block(hub.store, "client-1")
    assert (client.pull().status, client.shake().status) == (403, 403)
    assert shown(hub) == [("Phone 1", RefusalReason.BLOCKED, 2)]
    devices.forget(hub.store, "client-1")
    assert shown(hub) == []


def test_phones_that_the_hub_does_not_know_are_told_of_as_one(hub: InProcessHub) -> None:
    hub.client("forgotten")
    devices.forget(hub.store, "forgotten")
    pairing.close(hub.store)
    for number in range(5):
        assert Client(hub.connect(), f"stranger-{number}").shake().status == 403
    assert shown(hub) == [("", RefusalReason.UNKNOWN, 5)]


def test_a_phone_that_cannot_get_rid_of_its_records_is_named_although_it_pulls(hub: InProcessHub) -> None:
    hub.store.quarantine_max = 0
    client = hub.client()
    bad = changes("patients", created=[{"id": 7}])
    assert client.push(bad).status == 503
    assert client.pull().status == 200
    assert client.push(bad).status == 503
    assert shown(hub) == [("Phone 1", RefusalReason.NO_ROOM, 2)]
    assert client.push(changes("patients", created=[row("patients", "p")])).status == 200
    assert shown(hub) == []


def test_what_was_refused_before_it_was_read_is_known_by_its_beginning(hub: InProcessHub) -> None:
    client = hub.client()
    body = client.envelope({"command": "sync_push", "data": {}}, Direction.COMMAND)
    for head in (body[:200], msgspec.json.format(body, indent=1)[:200]):
        hub.rpc.note_unread(head, Unavailable("no room"))
    hub.rpc.note_unread(b"", Unavailable("no room"))
    hub.rpc.note_unread(b'{"payload":"' + b"A" * 500, Unavailable("no room"))
    assert shown(hub) == [("Phone 1", RefusalReason.NO_ROOM, 2)]


def test_who_only_knows_a_phones_id_cannot_make_the_page_accuse_it(hub: InProcessHub) -> None:
    client = hub.client()
    thief = Client(hub.connect())
    for _ in range(5):
        assert thief.query("sync_pull").status == 401  # sealed with a key that is not the phone's
    assert client.pull().status == 200
    assert shown(hub) == []


def test_a_wrong_password_is_no_refusal_of_the_phone(hub: InProcessHub) -> None:
    assert hub.client(email=None).login(password="wrong").status == 401
    assert shown(hub) == []


def test_refusals_outlive_a_restart(hub: InProcessHub) -> None:
    client = hub.client()
    end_sign_ins(hub)
    client.pull()
    hub.restart()
    assert shown(hub) == [("Phone 1", RefusalReason.SIGN_IN, 1)]
    client.shake()
    client.pull()
    assert shown(hub) == [("Phone 1", RefusalReason.SIGN_IN, 2)]


def test_s8_a_flood_of_refusals_is_counted_and_written_once(hub: InProcessHub, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[refusals.Refusal] = []
    monkeypatch.setattr(refusals, "keep", lambda _store, one: written.append(one))
    client = hub.client()
    end_sign_ins(hub)
    for _ in range(100):
        client.pull()
    assert shown(hub) == [("Phone 1", RefusalReason.SIGN_IN, 100)]
    assert len(written) == 1


def test_s8_only_so_many_refused_phones_are_remembered(hub: InProcessHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembered, "_DEVICES", 3)
    hub.restart(bounds=BOUNDS)
    clients = [hub.client(f"client-{number}") for number in range(5)]
    end_sign_ins(hub)
    for client in clients:
        client.pull()
    assert {name for name, _, _ in shown(hub)} == {"Phone 3", "Phone 4", "Phone 5"}


def age_sign_in(hub: InProcessHub, *, issued_days: int, left_days: int) -> None:
    with hub.store.write() as tx:
        tx.db.execute(
            "UPDATE tokens SET issued = ?, expires = ?",
            [tx.now_ms - issued_days * DAY_MS, tx.now_ms + left_days * DAY_MS],
        )


def left_days(hub: InProcessHub) -> int:
    with hub.store.read() as db:
        ends_ms = int(db.execute("SELECT expires FROM tokens").fetchone()[0])
        return round((ends_ms - hub.store.now_ms(db)) / DAY_MS)


def test_s5_a_sign_in_that_is_used_does_not_end(hub: InProcessHub) -> None:
    client = hub.client()
    age_sign_in(hub, issued_days=29, left_days=1)
    assert client.pull().status == 200
    assert left_days(hub) == 30


def test_s5_a_sign_in_ends_in_the_end_however_often_it_is_used(hub: InProcessHub) -> None:
    client = hub.client()
    age_sign_in(hub, issued_days=360, left_days=2)
    assert client.pull().status == 200
    assert left_days(hub) == 5
    age_sign_in(hub, issued_days=365, left_days=-1)
    assert client.pull().status == 401


def test_use_writes_a_sign_in_once_a_day_at_most(hub: InProcessHub) -> None:
    client = hub.client()
    age_sign_in(hub, issued_days=10, left_days=20)
    ends = set()
    for _ in range(5):
        assert client.pull().status == 200
        with hub.store.read() as db:
            ends.add(db.execute("SELECT expires FROM tokens").fetchone()[0])
    assert len(ends) == 1


def test_s5_a_stolen_token_used_from_another_phone_renews_nothing(hub: InProcessHub) -> None:
    client = hub.client()
    thief = Client(RpcTransport(hub), "thief")
    thief.shake()
    thief.token = client.token
    age_sign_in(hub, issued_days=29, left_days=1)
    assert thief.pull().status == 401
    assert left_days(hub) == 1
