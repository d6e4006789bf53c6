"""Replays, stolen tokens and other people's sessions are refused, alike from outside, and change nothing (S3, S5)."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from hub.core.errors import PhoneError, Unauthorised
from hub.core.phone import cipher, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import PublicKey, SessionKey
from hub.services.rpc.sessions import NONCES, Session, Sessions
from hub.store.people import users
from hub.store.phones import devices, sessions
from tests.adversary.hostile import contents
from tests.hubs import BOUNDS, Answer, Client, InProcessHub, RpcTransport, changes, row


@pytest.fixture
def client(hub: InProcessHub) -> Client:
    return hub.client()


def push_body(client: Client, token: str | None, row_id: str = "p") -> bytes:
    data = {"changes": changes("patients", created=[row("patients", row_id)])}
    return client.envelope({"command": "sync_push", "data": data, "token": token}, Direction.COMMAND)


def pull_body(client: Client, token: str | None) -> bytes:
    return client.envelope({"query": "sync_pull", "params": {}, "token": token}, Direction.QUERY)


class Wire(RpcTransport):
    """A transport that somebody listens to."""

    def __init__(self, hub: InProcessHub) -> None:
        super().__init__(hub)
        self.heard: list[tuple[str, bytes]] = []

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        self.heard.append((path, body))
        return super().post(path, body)


def test_a_replayed_message_is_refused_and_changes_nothing(hub: InProcessHub, client: Client) -> None:
    push, pull = push_body(client, client.token), pull_body(client, client.token)
    assert client.post("/rpc/command", push).status == 200
    assert client.post("/rpc/query", pull).status == 200
    before = contents(hub.store)
    assert client.post("/rpc/command", push).status == 409
    assert client.post("/rpc/query", pull).status == 409
    assert contents(hub.store) == before


def test_of_many_equal_messages_at_once_one_is_accepted(client: Client) -> None:
    body = push_body(client, client.token)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: client.post("/rpc/command", body).status, range(8)))
    assert sorted(answers) == [200, *[409] * 7]


def test_a_whole_captured_conversation_is_worth_nothing_after_a_restart(hub: InProcessHub) -> None:
    heard = Wire(hub)
    victim = Client(heard)
    victim.shake()
    victim.login()
    victim.push(changes("patients", created=[row("patients", "p")]))
    victim.pull()
    hub.restart()
    before = contents(hub.store)
    assert [hub.connect().post(path, body)[0] for path, body in heard.heard] == [200, 401, 401, 401]
    assert contents(hub.store) == before


def test_a_captured_handshake_of_an_ended_session_brings_no_key_back(hub: InProcessHub, client: Client) -> None:
    first, body = client.key, push_body(client, client.token)
    hub.rpc.sessions.drop("client-1")
    assert client.shake(client.pair).status == 200
    assert client.key != first
    before = contents(hub.store)
    assert client.post("/rpc/command", body).status == 401
    assert contents(hub.store) == before


def test_a_query_is_no_command_and_an_answer_is_no_request(hub: InProcessHub, client: Client) -> None:
    before = contents(hub.store)
    push = {"command": "sync_push", "data": {"changes": changes("patients", created=[row("patients", "p")])}}
    inside = {**push, "query": "sync_pull", "token": client.token}
    for path, direction in (
        ("/rpc/query", Direction.COMMAND),
        ("/rpc/command", Direction.QUERY),
        ("/rpc/command", Direction.COMMAND_RESPONSE),
        ("/rpc/query", Direction.QUERY_RESPONSE),
    ):
        assert client.post(path, client.envelope(inside, direction)).status == 401
    assert contents(hub.store) == before


def test_every_401_looks_alike(hub: InProcessHub, client: Client) -> None:
    other = hub.client("client-2")
    good = msgspec.json.decode(pull_body(client, client.token))
    payload = good["payload"]
    strange: list[dict[str, Any]] = [
        {**good, "client_id": "nobody"},
        {**good, "client_id": "client-2"},
        {**good, "payload": ""},
        {**good, "payload": payload[:-4]},
        {**good, "payload": payload[:40]},
        {**good, "payload": payload + "AAAA"},
        {**good, "payload": "A" * len(payload)},
        msgspec.json.decode(pull_body(client, None)),
        msgspec.json.decode(pull_body(client, "")),
        msgspec.json.decode(pull_body(client, "A" * 43)),
        msgspec.json.decode(pull_body(client, "'; DROP TABLE tokens; --")),
        msgspec.json.decode(pull_body(client, other.token)),
    ]
    assert {client.post("/rpc/query", msgspec.json.encode(body)).status for body in strange} == {401}
    assert client.query("ping").status == 200


def test_a_token_works_on_its_own_phone_alone(hub: InProcessHub, client: Client) -> None:
    thief = hub.client("client-2", email=None)
    thief.token = client.token
    assert thief.pull().status == 401
    assert thief.push(changes("patients", created=[row("patients", "p")])).status == 401
    assert client.pull().status == 200


def test_a_session_works_for_its_own_phone_alone(hub: InProcessHub, client: Client) -> None:
    thief = hub.client("client-2", email=None)
    thief.client_id = client.client_id  # seals with its own key, in the other's name
    assert thief.query("ping").status == 401


def test_one_phone_may_use_its_token_in_each_of_its_sessions(client: Client) -> None:
    first = client.key
    client.shake()
    assert client.pull().status == 200
    client.key = first
    assert client.pull().status == 200


def test_revoking_a_phone_ends_its_sessions_its_token_and_its_handshakes(hub: InProcessHub, client: Client) -> None:
    with hub.store.write() as tx:
        devices.revoke(tx, client.client_id)
    assert client.push(changes("patients", created=[row("patients", "p")])).status == 403
    assert client.query("ping").status == 403
    assert client.shake().status == 403
    other = hub.client("client-2", email=None)
    other.token = client.token
    assert other.pull().status == 401
    assert len(hub.rpc.sessions) == 1
    assert not contents(hub.store)["patients"]


def test_disabling_a_user_ends_their_tokens_on_every_phone(hub: InProcessHub, client: Client) -> None:
    second = hub.client("client-2")
    with hub.store.write() as tx:
        users.disable(tx, hub.user)
    for phone in (client, second):
        assert phone.pull().status == 401
        assert phone.login().status == 401


def test_a_user_who_is_disabled_by_the_cloud_is_refused_though_the_token_is_still_there(
    hub: InProcessHub, client: Client
) -> None:
    with hub.store.write() as tx:
        users.put(tx, msgspec.structs.replace(hub.user, is_deleted=True))
    assert client.pull().status == 401


def test_a_revoked_token_is_refused_at_once(hub: InProcessHub, client: Client) -> None:
    with hub.store.write() as tx:
        assert sessions.revoke_tokens(tx, user_id=hub.user.id) == 1
    assert client.pull().status == 401


def test_two_threads_may_wear_out_one_session() -> None:
    live = Sessions(most=10, most_per_device=2)
    session = Session(PublicKey(bytes(32)), SessionKey(bytes(32)), PublicKey(bytes(32)))
    live.add("1", session)
    session.nonces.update(number.to_bytes(12, "big") for number in range(NONCES))
    for nonce in (b"x" * 12, b"y" * 12):
        with pytest.raises(Unauthorised):
            live.spend_nonce("1", session, nonce)
    assert len(live) == 0


def test_sessions_may_be_ended_while_others_use_them() -> None:
    live = Sessions(most=8, most_per_device=4)
    failures: list[Exception] = []

    def use(device: str) -> None:
        for number in range(300):
            session = Session(PublicKey(number.to_bytes(32, "big")), SessionKey(bytes(32)), PublicKey(bytes(32)))
            try:
                live.add(device, session)
                live.spend_nonce(device, session, number.to_bytes(12, "big"))
                live.drop(str(number % 4))
            except PhoneError:
                pass
            except Exception as error:  # noqa: BLE001  any other is what this looks for
                failures.append(error)

    threads = [threading.Thread(target=use, args=(str(device),)) for device in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    assert len(live) <= 8


def test_an_answer_opens_with_its_own_session_alone(hub: InProcessHub, client: Client) -> None:
    status, raw = hub.connect().post("/rpc/query", pull_body(client, client.token))
    sealed = wire.decode(msgspec.json.decode(raw)["payload"].encode())
    assert status == 200
    other = hub.client("client-2", email=None)
    for key, direction in ((other.key, Direction.QUERY_RESPONSE), (client.key, Direction.COMMAND_RESPONSE)):
        with pytest.raises(Unauthorised):
            cipher.open_sealed(key, sealed, direction)
    assert Answer(status, cipher.open_sealed(client.key, sealed, Direction.QUERY_RESPONSE)).json.startswith(b"{")


def test_s8_handshakes_of_strangers_end_no_session_of_who_is_about_to_sign_in(hub: InProcessHub) -> None:
    hub.restart(bounds=msgspec.structs.replace(BOUNDS, sessions=50))
    waiting = Client(RpcTransport(hub, "192.0.2.200"), "about-to-sign-in")
    assert waiting.shake().status == 200
    for number in range(300):
        flood = Client(RpcTransport(hub, f"192.0.2.{number % 20}"), f"flood-{number % 40}")
        assert flood.shake().status == 200
    assert len(hub.rpc.sessions) == 50
    assert waiting.login().status == 200


def test_s8_who_heard_a_phones_id_cannot_flush_its_sessions(hub: InProcessHub) -> None:
    hub.restart(bounds=msgspec.structs.replace(BOUNDS, sessions_per_device=16))
    victim = Client(RpcTransport(hub, "192.0.2.200"), "victim")
    victim.shake()
    victim.login()
    for number in range(5):
        victim.shake()
        for thief in range(100):
            Client(RpcTransport(hub, f"192.0.2.{thief % 10}"), "victim").shake()
        assert victim.pull().status == 200, number


def test_sessions_that_have_proven_themselves_give_way_only_to_others_that_do() -> None:
    live = Sessions(most=4, most_per_device=4)
    keys = [PublicKey(number.to_bytes(32, "big")) for number in range(8)]
    for device, key in enumerate(keys[:4]):
        live.spend_nonce(
            str(device), live.add(str(device), Session(key, SessionKey(bytes(32)), key, address="a")), bytes(12)
        )
    live.add("9", Session(keys[4], SessionKey(bytes(32)), keys[4], address="b"))
    assert [len(live.of(device)) for device in "01239"] == [0, 1, 1, 1, 1]
    live.add("9", Session(keys[5], SessionKey(bytes(32)), keys[5], address="b"))
    assert [len(live.of(device)) for device in "01239"] == [0, 1, 1, 1, 1]
    assert [session.client_public for session in live.of("9")] == [keys[5]]


def test_s10_many_calls_at_once_lose_none_of_their_sessions() -> None:
    """Sixty threads shake hands and call, two calls each: a call's session is there when its message comes."""
    live, lost = Sessions(most=4096, most_per_device=128), list[int]()
    keys = iter([PublicKey(number.to_bytes(32, "big")) for number in range(2000)])
    lock = threading.Lock()

    def call(number: int) -> None:
        for _ in range(2):
            with lock:
                key = next(keys)
            mine = live.add("1", Session(key, SessionKey(bytes(32)), key, address="phone"))
            barrier.wait()  # all have shaken hands before any calls
            if mine not in live.of("1"):
                lost.append(number)
            live.spend_nonce("1", mine, bytes(12))

    barrier = threading.Barrier(60)
    with ThreadPoolExecutor(60) as pool:
        for _ in range(3):
            list(pool.map(call, range(60)))
    assert lost == []


def test_s10_handshakes_of_a_hundred_addresses_end_no_session_of_where_the_phone_is() -> None:
    live = Sessions(most=4096, most_per_device=16)
    keys = [PublicKey(number.to_bytes(32, "big")) for number in range(300)]
    for key in keys[:3]:
        live.spend_nonce("1", live.add("1", Session(key, SessionKey(bytes(32)), key, address="phone")), bytes(12))
    waiting = live.add("1", Session(keys[3], SessionKey(bytes(32)), keys[3], address="phone"))
    for number, key in enumerate(keys[4:]):
        live.add("1", Session(key, SessionKey(bytes(32)), key, address=f"stranger-{number % 100}"))
    there = live.of("1")
    assert waiting in there
    assert {keys[0], keys[1], keys[2]} <= {session.client_public for session in there}
