"""Who speaks, may they, what do they want (S1-S5), on the real Rpc."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from hub.actions.box import facts
from hub.actions.phones import devices as phones
from hub.actions.phones import pairing
from hub.actions.phones.sign_in import Terms, sign_in
from hub.core.errors import Forbidden
from hub.core.phone import cipher, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.device import newcomer
from hub.core.phone.keys import KeyPair, SessionKey
from hub.core.status.card import CardShape
from hub.services.rpc.sessions import NONCES
from hub.store.people import users
from hub.store.phones import callers, devices
from tests.hubs import BOUNDS, EMAIL, PASSWORD, Client, InProcessHub, RpcTransport, changes, row

PING: dict[str, object] = {"query": "ping", "params": {}, "token": None}
WIPED = changes("patients", created=[row("patients", "p")])


def stranger(hub: InProcessHub, client_id: str = "stranger") -> Client:
    return Client(hub.connect(), client_id)


def close_pairing(hub: InProcessHub) -> None:
    pairing.close(hub.store)


def ping(client: Client) -> int:
    return client.send("/rpc/query", client.envelope(PING, Direction.QUERY), Direction.QUERY_RESPONSE).status


# Pairing


def test_s2_a_new_phone_pairs_while_pairing_is_open(hub: InProcessHub) -> None:
    assert stranger(hub).shake().status == 200


def test_s2_a_new_phone_is_refused_while_pairing_is_closed_and_leaves_no_trace(hub: InProcessHub) -> None:
    close_pairing(hub)
    assert stranger(hub).shake().status == 403
    with hub.store.read() as db:
        assert callers.find(db, "stranger") is None


def test_s2_who_scanned_while_pairing_was_open_may_sign_in_when_it_is_closed(hub: InProcessHub) -> None:
    phone = stranger(hub)
    phone.shake()
    close_pairing(hub)
    assert stranger(hub, "another").shake().status == 403
    assert phone.shake().status == 200
    assert phone.login().status == 200
    assert phone.pull().status == 200


def test_s2_a_known_phone_may_always_come(hub: InProcessHub) -> None:
    client = hub.client()
    close_pairing(hub)
    assert client.shake().status == 200
    assert client.pull().status == 200


def test_s2_with_the_setting_open_a_new_phone_may_always_pair(hub: InProcessHub) -> None:
    close_pairing(hub)
    hub.restart(bounds=msgspec.structs.replace(BOUNDS, always_open=True))
    assert stranger(hub).shake().status == 200


def test_a_phone_is_kept_by_the_name_that_it_gives(hub: InProcessHub) -> None:
    phone = stranger(hub)
    phone.shake(device_name="Ward 2")
    phone.login()
    with hub.store.read() as db:
        device = callers.find(db, "stranger")
    assert device is not None
    assert device.name == "Ward 2"


def test_a_handshake_says_who_the_hub_is(hub: InProcessHub) -> None:
    answer = stranger(hub).shake().json
    assert (answer["success"], answer["hub_name"]) == (True, BOUNDS.hub_name)
    assert answer["hub_id"]
    assert set(answer["hub_public_key"]).isdisjoint("+/=")


@pytest.mark.parametrize("key", ["", "A" * 42, "A" * 44, "A" * 42 + "=", wire.encode(bytes(32)), "ä" * 43])
def test_s3_a_handshake_with_an_unusable_key_is_malformed_and_pairs_nobody(hub: InProcessHub, key: str) -> None:
    body = msgspec.json.encode({"client_id": "stranger", "client_public_key": key})
    assert stranger(hub).post("/rpc/handshake", body).status == 400
    with hub.store.read() as db:
        assert callers.find(db, "stranger") is None


def test_s2_a_revoked_phone_is_refused_at_once_with_every_message(hub: InProcessHub) -> None:
    client = hub.client()
    with hub.store.write() as tx:
        devices.revoke(tx, client.client_id)
    assert (client.pull().status, client.push(WIPED).status, client.shake().status) == (403, 403, 403)
    with hub.store.read() as db:
        assert db.execute("SELECT count(*) FROM patients").fetchone()[0] == 0


def known(hub: InProcessHub) -> list[str]:
    with hub.store.read() as db:
        return [device.client_id for device in devices.every(db)]


def test_s8_a_phone_is_added_when_somebody_signs_in_on_it_and_not_before(hub: InProcessHub) -> None:
    phone = stranger(hub)
    phone.shake()
    assert (ping(phone), phone.pull().status, phone.push(WIPED).status) == (200, 401, 401)
    assert phone.login(password="wrong").status == 401
    assert known(hub) == []
    close_pairing(hub)  # it scanned in time
    assert phone.login().status == 200
    assert known(hub) == ["stranger"]
    assert phone.pull().status == 200


def test_s8_no_more_phones_are_added_than_the_hub_remembers(hub: InProcessHub) -> None:
    hub.restart(policy=msgspec.structs.replace(hub.policy, phones_max=2))
    waiting = [stranger(hub, f"phone-{number}") for number in range(3)]
    assert [phone.shake().status for phone in waiting] == [200] * 3
    assert [phone.login().status for phone in waiting] == [200, 200, 503]
    assert stranger(hub, "another").shake().status == 503
    assert known(hub) == ["phone-0", "phone-1"]


def test_s2_a_phone_that_was_forgotten_is_let_in_by_an_open_door_alone(hub: InProcessHub) -> None:
    phone = stranger(hub)
    phone.shake()
    phone.login()
    phone.pull()
    phones.forget(hub.store, "stranger")
    assert (ping(phone), phone.login().status) == (401, 401)
    phone.shake()
    assert (ping(phone), phone.login().status, phone.pull().status) == (200, 200, 200)


def test_s2_a_phone_that_is_blocked_while_somebody_signs_in_on_it_stays_out(hub: InProcessHub) -> None:
    phone, twin = stranger(hub), stranger(hub)
    phone.shake()
    twin.shake()
    asked = newcomer("stranger", "")
    twin.login()
    phones.block(hub.store, "stranger")
    with pytest.raises(Forbidden):
        sign_in(hub.store, asked, EMAIL, PASSWORD, address="", terms=Terms(hub.policy.attempts, 1, 9))


# Sessions


def test_s3_a_message_of_an_unknown_phone_is_unauthorised(hub: InProcessHub) -> None:
    assert ping(stranger(hub)) == 401


def test_s3_a_message_under_a_key_that_was_never_agreed_is_unauthorised(hub: InProcessHub) -> None:
    client = hub.client()
    client.key = SessionKey(os.urandom(32))
    assert ping(client) == 401


def test_s5_a_message_under_another_phones_key_is_unauthorised(hub: InProcessHub) -> None:
    one, other = hub.client("one"), hub.client("other")
    one.key = other.key
    assert one.pull().status == 401


def test_s3_a_replayed_message_is_a_conflict_and_changes_nothing(hub: InProcessHub) -> None:
    client = hub.client()
    inside = {"command": "sync_push", "data": {"changes": WIPED}, "token": client.token}
    body = client.envelope(inside, Direction.COMMAND)
    assert client.post("/rpc/command", body).status == 200
    with hub.store.write() as tx:
        tx.db.execute("DELETE FROM patients")
    assert client.post("/rpc/command", body).status == 409
    with hub.store.read() as db:
        assert db.execute("SELECT count(*) FROM patients").fetchone()[0] == 0


def test_s3_a_query_replayed_as_a_command_is_unauthorised(hub: InProcessHub) -> None:
    client = hub.client()
    body = client.envelope(PING, Direction.QUERY)
    assert client.post("/rpc/command", body).status == 401


@pytest.mark.parametrize("cut", [0, 1, 12, 28, 40])
def test_s3_a_truncated_message_is_unauthorised(hub: InProcessHub, cut: int) -> None:
    client = hub.client()
    sealed = cipher.seal(client.key, msgspec.json.encode(PING), Direction.QUERY)[:cut]
    body = msgspec.json.encode({"client_id": client.client_id, "payload": wire.encode(sealed)})
    assert client.post("/rpc/query", body).status == 401


def test_s3_a_captured_handshake_opens_no_captured_message_after_a_restart(hub: InProcessHub) -> None:
    client = hub.client()
    pair = client.pair
    captured = client.envelope(PING, Direction.QUERY)
    hub.restart()
    assert client.shake(pair).status == 200
    assert client.post("/rpc/query", captured).status == 401


def test_a_handshake_that_is_repeated_while_its_session_lives_gives_the_same_key(hub: InProcessHub) -> None:
    client = hub.client()
    key, pair = client.key, client.pair
    assert client.shake(pair).status == 200
    assert client.key == key
    assert client.pull().status == 200


def test_several_recent_keys_of_a_phone_work_at_once(hub: InProcessHub) -> None:
    client = hub.client()
    recent = []
    for _ in range(16):
        client.shake()
        recent.append(client.key)
    for client.key in recent:
        assert client.pull().status == 200


def test_120_parallel_calls_with_a_handshake_before_each_all_succeed(hub: InProcessHub) -> None:
    signed_in = hub.client()

    def call(_number: int) -> int:
        client = Client(hub.connect(), signed_in.client_id)
        client.token = signed_in.token
        client.shake()
        barrier.wait(10)
        return client.pull().status

    barrier = threading.Barrier(40)
    with ThreadPoolExecutor(40) as pool:
        assert set(pool.map(call, range(120))) == {200}


def test_s8_a_phone_has_a_bounded_number_of_sessions_and_keeps_the_newest(hub: InProcessHub) -> None:
    hub.restart(bounds=msgspec.structs.replace(BOUNDS, sessions_per_device=3))
    client = hub.client()
    keys = [client.key]
    for _ in range(4):
        client.shake()
        keys.append(client.key)
    assert len(hub.rpc.sessions) == 3
    statuses = []
    for client.key in keys:
        statuses.append(client.pull().status)
    assert statuses == [401, 401, 200, 200, 200]  # the first one has carried its sign-in, and is done with


def test_s8_sessions_are_bounded_over_all_phones(hub: InProcessHub) -> None:
    hub.restart(bounds=msgspec.structs.replace(BOUNDS, sessions=5))
    clients = [stranger(hub, f"c{number}") for number in range(8)]
    for client in clients:
        client.shake()
    assert len(hub.rpc.sessions) == 5
    assert [ping(client) for client in clients] == [401] * 3 + [200] * 5


def test_s8_a_session_wears_out(hub: InProcessHub) -> None:
    client = hub.client()
    (session,) = hub.rpc.sessions.of("client-1")
    session.nonces.update(os.urandom(12) for _ in range(NONCES - len(session.nonces)))
    assert client.pull().status == 401
    client.shake()
    assert client.pull().status == 200


def test_s8_handshakes_from_one_address_are_bounded_and_others_are_not_touched(hub: InProcessHub) -> None:
    hub.restart(bounds=msgspec.structs.replace(BOUNDS, handshakes_per_minute=3))
    client = stranger(hub)
    statuses = [client.shake().status for _ in range(5)]
    other = Client(RpcTransport(hub, "192.0.2.2"), "other")
    assert (statuses[:3], statuses[-1], other.shake().status) == ([200] * 3, 429, 200)


# Messages


@pytest.mark.parametrize(
    "inside", [b"", b"{", b"[]", b"null", b"7", b"{}", b'{"query":7}', b'{"query":"ping","token":7}']
)
def test_a_message_that_is_none_is_malformed(hub: InProcessHub, inside: bytes) -> None:
    client = hub.client()
    status = client.post("/rpc/query", client.envelope(inside, Direction.QUERY)).status
    # One that does not even begin like an object is turned away before it is opened.
    assert status == (400 if inside[:1] == b"{" else 401)


@pytest.mark.parametrize(("kind", "name"), [("query", "nothing"), ("command", "sync_pull"), ("query", "login")])
def test_a_procedure_that_is_not_there_is_not_found(hub: InProcessHub, kind: str, name: str) -> None:
    client = hub.client()
    assert (client.query(name) if kind == "query" else client.command(name)).status == 404


@pytest.mark.parametrize("name", ["ping", "heartbeat"])
def test_ping_and_heartbeat_answer_without_a_sign_in(hub: InProcessHub, name: str) -> None:
    client = hub.client(email=None)
    assert client.query(name).json == client.command(name).json == {"status": "ok"}


@pytest.mark.parametrize("token", [None, "", "x", "\ud83d"])
def test_s5_without_a_valid_token_nothing_is_pulled_or_pushed(hub: InProcessHub, token: str | None) -> None:
    client = hub.client(email=None)
    client.token = token.encode("utf-8", "replace").decode() if token else token
    assert (client.pull().status, client.push(WIPED).status) == (401, 401)


def test_s5_a_token_works_on_the_device_alone_that_it_was_issued_to(hub: InProcessHub) -> None:
    one, other = hub.client("one"), hub.client("other", email=None)
    other.token = one.token
    assert (one.pull().status, other.pull().status) == (200, 401)


def test_p9_a_phone_goes_on_after_a_restart_without_pairing_or_signing_in(hub: InProcessHub) -> None:
    client = hub.client()
    close_pairing(hub)
    hub.restart()
    client.shake()
    assert client.pull().status == 200


def test_s4_a_user_who_is_shut_out_is_refused_with_the_next_message(hub: InProcessHub) -> None:
    client = hub.client()
    with hub.store.write() as tx:
        users.disable(tx, hub.user)
    assert client.pull().status == 401
    assert client.login().status == 401


def test_s4_a_user_whom_the_cloud_disabled_is_refused_with_the_next_message(hub: InProcessHub) -> None:
    client = hub.client()
    with hub.store.write() as tx:
        users.put(tx, msgspec.structs.replace(hub.user, is_deleted=True))
    assert client.pull().status == 401
    assert client.login().status == 401


def test_s1_answers_differ_only_by_what_they_must(hub: InProcessHub) -> None:
    """No answer of a failed authentication tells why."""
    client = hub.client(email=None)
    refusals = {
        client.login("nobody@x.example").json["error"],
        client.login(EMAIL, "wrong password").json["error"],
        client.login("nobody@x.example", "nobody").json["error"],
    }
    assert len(refusals) == 1


def test_half_a_character_in_a_message_is_mended_and_does_not_block_the_sync(hub: InProcessHub) -> None:
    client = hub.client()
    record = msgspec.json.encode(row("patients", "p", given_name="CUT")).replace(b"CUT", rb"a\ud83d")
    body = b'{"command":"sync_push","token":"%b","data":{"changes":{"patients":{"created":[%b]}}}}'
    inside = body % (str(client.token).encode(), record)
    assert client.post("/rpc/command", client.envelope(inside, Direction.COMMAND)).status == 200
    with hub.store.read() as db:
        assert "a\ufffd" in db.execute("SELECT data FROM patients").fetchone()[0]


def test_whole_emoji_and_escaped_backslashes_are_not_mended_away(hub: InProcessHub) -> None:
    client = hub.client()
    name = rb"\ud83d\ude00 \\ud83d \ud83d"
    record = b'{"id":"p","given_name":"%b"}' % name
    body = b'{"command":"sync_push","token":"%b","data":{"changes":{"patients":{"created":[%b]}}}}'
    client.post("/rpc/command", client.envelope(body % (str(client.token).encode(), record), Direction.COMMAND))
    with hub.store.read() as db:
        assert msgspec.json.decode(db.execute("SELECT data FROM patients").fetchone()[0])["given_name"] == (
            "😀 \\ud83d \ufffd"
        )


def test_a_key_pair_of_the_hub_is_never_given_out(hub: InProcessHub) -> None:
    private = hub.rpc._identity.keys.private_bytes()
    client = hub.client()
    assert wire.encode(private) not in str(client.shake()) + str(client.pull())
    assert KeyPair(private).public == hub.rpc._identity.keys.public


def test_s4_a_guess_is_bounded_also_when_many_come_at_once(hub: InProcessHub) -> None:
    client = hub.client(email=None)
    bodies = [
        client.envelope({"command": "login", "data": {"email": EMAIL, "password": "wrong"}}, Direction.COMMAND)
        for _ in range(20)
    ]
    with ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda body: client.post("/rpc/command", body).status, bodies))
    assert sorted(statuses) == [401] * 5 + [429] * 15
    assert client.login(EMAIL, PASSWORD).status == 429


def test_p1_a_hub_whose_card_keeps_nothing_takes_no_records_and_gives_those_it_has(hub: InProcessHub) -> None:
    client = hub.client()
    assert client.push(WIPED).status == 200
    hub.store.card = CardShape.FAILED
    assert client.push(changes("patients", created=[row("patients", "q")])).status == 503
    assert client.pull().status == 200
    assert facts.gather(hub.store).card is CardShape.FAILED
