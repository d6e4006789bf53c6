"""What was recorded on the Wi-Fi opens with nothing that is found on the hub later (S1, S3)."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from hub.actions.box import identity
from hub.actions.phones import pairing
from hub.app import backup
from hub.core.errors import Unauthorised
from hub.core.phone import cipher, keys, wire
from hub.core.phone.cipher import Direction
from hub.core.phone.keys import KeyPair, PublicKey
from hub.services.rpc.sessions import UNUSED_S, USED_S
from tests.hubs import PASSWORD, Client, InProcessHub, RpcTransport, changes, row


class Recorder(RpcTransport):
    """Somebody who records the Wi-Fi: requests with their answers."""

    def __init__(self, hub: InProcessHub) -> None:
        super().__init__(hub)
        self.heard: list[tuple[str, bytes, bytes]] = []

    def post(self, path: str, body: bytes) -> tuple[int, bytes]:
        status, answer = super().post(path, body)
        self.heard.append((path, body, answer))
        return status, answer


@pytest.fixture
def heard(hub: InProcessHub) -> Recorder:
    recorder = Recorder(hub)
    client = Client(recorder)
    client.shake()
    assert client.login().status == 200
    client.shake()
    assert client.push(changes("patients", created=[row("patients", "p", given_name="Amina")])).status == 200
    assert client.pull().status == 200
    return recorder


def spy_on_keys(monkeypatch: pytest.MonkeyPatch) -> list[KeyPair]:
    """Return what collects every key pair that is made."""
    made: list[KeyPair] = []
    init = KeyPair.__init__

    def noted(self: KeyPair, private: bytes | None = None) -> None:
        init(self, private)
        made.append(self)

    monkeypatch.setattr(KeyPair, "__init__", noted)
    return made


def test_s1_a_recorded_sign_in_and_record_do_not_open_with_the_key_that_is_on_the_card(
    hub: InProcessHub, heard: Recorder
) -> None:
    stolen = identity.load(hub.store).keys
    found = []
    for path, body, answer in heard.heard:
        if path == "/rpc/handshake":
            theirs = wire.public_key(msgspec.json.decode(body)["client_public_key"])
            told = wire.public_key(msgspec.json.decode(answer)["hub_public_key"])
            found += [
                keys.session_key(stolen.agree(theirs), hub_public=public, client_public=theirs)
                for public in (told, stolen.public)
            ]
    tried = 0
    for path, body, _ in heard.heard:
        if path != "/rpc/handshake":
            sealed = wire.decode(msgspec.json.decode(body)["payload"].encode())
            direction = Direction.QUERY if path.endswith("query") else Direction.COMMAND
            for key in found:
                tried += 1
                with pytest.raises(Unauthorised):
                    cipher.open_sealed(key, sealed, direction)
    assert tried == 3 * 4


def test_s1_no_key_of_a_handshake_or_a_session_is_ever_in_a_file_or_a_backup(
    hub: InProcessHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = spy_on_keys(monkeypatch)
    client = hub.client()
    assert client.push(changes("patients", created=[row("patients", "p")])).status == 200
    secrets = [pair.private_bytes() for pair in made] + [bytes(client.key)]
    assert len(secrets) >= 3
    sealed = backup.encrypted(hub.store, "a long passphrase", hub.data / "hub.toml")
    restored = tmp_path / "restored"
    backup.restore(sealed, restored, "a long passphrase")
    files = [path for folder in (hub.data, restored) for path in folder.rglob("*") if path.is_file()]
    assert len(files) >= 2
    own = identity.load(hub.store).keys.private_bytes()
    contents = [path.read_bytes() for path in files]
    assert any(own in content for content in contents), "the search finds what is there"
    assert not [secret for secret in secrets for content in contents if secret in content]


def test_s1_each_handshake_has_its_own_key_and_the_code_that_phones_scan_stays(hub: InProcessHub) -> None:
    pk = identity.load(hub.store).keys.public
    client = hub.client(email=None)
    told = [wire.public_key(client.shake().json["hub_public_key"]) for _ in range(5)]
    hub.restart()
    told += [wire.public_key(client.shake().json["hub_public_key"]) for _ in range(5)]
    assert len({pk, *told}) == 11
    assert identity.load(hub.store).keys.public == pk


def test_a_handshake_whose_answer_was_lost_gets_the_same_answer_again(hub: InProcessHub) -> None:
    client = hub.client()
    first = client.shake()
    key = client.key
    assert (client.shake(client.pair), client.key) == (first, key)
    assert client.pull().status == 200


def test_equal_handshakes_at_once_begin_one_session(hub: InProcessHub) -> None:
    pair = KeyPair()
    clients = [Client(hub.connect()) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda client: client.shake(pair), clients))
    assert len({str(answer) for answer in answers}) == 1
    assert len(hub.rpc.sessions) == 1
    assert clients[-1].login().status == 200


def test_no_sync_fails_while_other_handshakes_draw_new_keys(hub: InProcessHub) -> None:
    slow = hub.client("slow")
    for number in range(50):
        hub.client(f"quick-{number % 5}").pull()
        assert slow.pull().status == 200


def test_a_model_phone_notices_nothing_of_new_keys(hub: InProcessHub) -> None:
    phone = hub.phone()
    for _ in range(3):
        phone.sync()
        hub.restart()
    phone.sync()


def test_a_session_is_forgotten_an_hour_after_its_last_message(hub: InProcessHub) -> None:
    client, now_s = hub.client(), hub.rpc.sessions.clock()
    hub.rpc.sessions.clock = lambda: now_s + USED_S - 60
    assert client.pull().status == 200
    hub.rpc.sessions.clock = lambda: now_s + 2 * USED_S - 120
    assert client.pull().status == 200
    hub.rpc.sessions.clock = lambda: now_s + 3 * USED_S
    assert client.pull().status == 401
    client.shake()
    assert client.pull().status == 200
    assert len(hub.rpc.sessions) == 1


def test_a_paired_phone_may_wait_hours_for_somebody_to_sign_in_but_not_for_ever(hub: InProcessHub) -> None:
    client, now_s = hub.client(email=None), hub.rpc.sessions.clock()
    hub.rpc.sessions.clock = lambda: now_s + UNUSED_S - 60
    assert client.login().status == 200
    other, now_s = hub.client("other", email=None), hub.rpc.sessions.clock()
    hub.rpc.sessions.clock = lambda: now_s + UNUSED_S + 60
    assert other.login().status == 401


def test_an_app_that_asks_gets_a_proof_that_only_this_hub_can_make(hub: InProcessHub) -> None:
    pk = identity.load(hub.store).keys.public
    client = Client(hub.connect())
    told = client.shake(prove=True).json
    public, proof = wire.public_key(told["hub_public_key"]), bytes(wire.decode(told["hub_proof"].encode()))
    assert keys.is_proven(proof, client.pair, identity=pk, hub_public=public)
    between = KeyPair()
    forged = keys.identity_proof(between, hub_public=between.public, client_public=client.pair.public)
    for wrong, hub_public in ((proof, between.public), (forged, between.public), (forged, public), (b"", public)):
        assert not keys.is_proven(wrong, client.pair, identity=pk, hub_public=hub_public)
    other = KeyPair()
    assert not keys.is_proven(proof, other, identity=pk, hub_public=public)


def test_todays_app_which_does_not_ask_is_told_what_it_was_always_told(hub: InProcessHub) -> None:
    assert hub.client(email=None).shake().json.keys() == {"success", "hub_public_key", "hub_id", "hub_name"}


def test_the_proof_is_as_it_is_written_down() -> None:
    hub_pair, client = KeyPair(bytes(range(32))), KeyPair(bytes(range(32, 64)))
    fresh = PublicKey(bytes(range(64, 96)))
    proof = keys.identity_proof(hub_pair, hub_public=fresh, client_public=client.public)
    assert proof.hex() == "12c009345f92a5c132c1702742648d14ab045689116baabbbd678d72068c2baf"


def test_p9_a_phone_that_paired_before_goes_on_with_pairing_closed_and_a_new_key(hub: InProcessHub) -> None:
    client = hub.client()
    pairing.close(hub.store)
    hub.restart()
    assert client.shake().status == 200
    assert client.login(password=PASSWORD).status == 200
