"""Whatever a peer can make grow stays within its bound, and the hub goes on answering the others (S8)."""

import gc
import tracemalloc
from collections import Counter

import msgspec
import pytest

from hub.core.phone import wire
from hub.services.rpc import throttle
from hub.services.rpc.sessions import NONCES
from hub.store.phones import sessions
from tests.hubs import BOUNDS, Client, InProcessHub, RpcTransport

HANDSHAKES = 10_000
KEYS = [wire.encode(number.to_bytes(31, "big") + b"\x40") for number in range(1, HANDSHAKES + 1)]
"""Public keys that no private one was needed for: 32 bytes that are no low-order point."""


def shake(transport: RpcTransport, client_id: str, key: str, **more: object) -> int:
    body = msgspec.json.encode({"client_id": client_id, "client_public_key": key, **more})
    return transport.post("/rpc/handshake", body)[0]


def count(hub: InProcessHub, table: str) -> int:
    with hub.store.read() as db:
        return int(db.execute(f"SELECT count(*) FROM [{table}]").fetchone()[0])


def kept_bytes() -> int:
    gc.collect()
    return tracemalloc.get_traced_memory()[0]


@pytest.mark.slow
def test_10_000_handshakes_of_one_phone_leave_bounded_sessions_and_memory(hub: InProcessHub) -> None:
    transport = hub.connect()
    hub.client()
    tracemalloc.start()
    try:
        for key in KEYS[:1000]:
            assert shake(transport, "client-1", key) == 200
        early = kept_bytes()
        for key in KEYS[1000:]:
            assert shake(transport, "client-1", key) == 200
        assert kept_bytes() - early < 200_000
    finally:
        tracemalloc.stop()
    assert len(hub.rpc.sessions) == BOUNDS.sessions_per_device
    assert count(hub, "devices") == 1
    assert hub.client("client-1").pull().status == 200


@pytest.mark.slow
def test_10_000_strangers_at_an_open_door_leave_bounded_devices_and_sessions(hub: InProcessHub) -> None:
    nurse = hub.client("the-nurse")
    strangers = [RpcTransport(hub, f"198.51.100.{number}") for number in range(100)]
    answers = Counter(
        shake(strangers[number % len(strangers)], f"stranger-{number}", key) for number, key in enumerate(KEYS)
    )
    assert set(answers) == {200}
    assert count(hub, "devices") == 1
    assert len(hub.rpc.sessions) <= BOUNDS.sessions
    assert nurse.shake().status == 200
    assert nurse.pull().status == 200


@pytest.mark.slow
@pytest.mark.parametrize("addresses", [1, 49, 500])
def test_s8_a_flood_while_pairing_is_open_keeps_no_new_phone_out_nor_pushes_it_out(
    hub: InProcessHub, addresses: int
) -> None:
    """One signs in within a minute, in which each address of the flood sends what it may, two take three minutes."""
    hub.restart(bounds=msgspec.structs.replace(BOUNDS, sessions=520))
    flood = [RpcTransport(hub, f"198.51.{number // 250}.{number % 250}") for number in range(addresses)]

    def pour(minute: int) -> None:
        for number in range(minute * 530, (minute + 1) * 530):
            assert shake(flood[number % addresses], f"stranger-{number}", KEYS[number]) == 200
        talker = Client(flood[0], f"talker-{minute}")
        assert (talker.shake().status, talker.query("ping").status) == (200, 200)

    def scans(address: str, client_id: str) -> Client:
        phone = Client(RpcTransport(hub, address), client_id)
        assert phone.shake().status == 200
        return phone

    pour(0)
    slow = [scans("192.0.2.1", "slow"), scans("192.0.2.2", "slower")]
    pour(1)
    quick = scans("192.0.2.3", "quick")
    pour(2)
    assert quick.login().status == 200
    pour(3)
    assert [phone.login().status for phone in slow] == [200, 200]
    assert [phone.pull().status for phone in (quick, *slow)] == [200] * 3
    assert (count(hub, "devices"), len(hub.rpc.sessions)) == (3, 520)


def test_s8_a_flood_at_an_open_door_makes_the_hub_write_nothing(hub: InProcessHub) -> None:
    log = hub.data / "hub.db-wal"
    before = log.read_bytes()
    answers = [shake(hub.connect(), f"stranger-{number}", key) for number, key in enumerate(KEYS[:200])]
    assert answers == [200] * 200
    assert log.read_bytes() == before


def test_strangers_at_a_closed_door_leave_nothing(hub: InProcessHub) -> None:
    with hub.store.write() as tx:
        tx.db.execute("DELETE FROM hub WHERE key = 'pairing_until'")
    transport = hub.connect()
    for number, key in enumerate(KEYS[:300]):
        assert shake(transport, f"stranger-{number}", key) == 403
    assert (count(hub, "devices"), count(hub, "spent_keys"), len(hub.rpc.sessions)) == (0, 0, 0)


def test_handshakes_beyond_the_bound_are_told_when_to_come_again(hub: InProcessHub) -> None:
    hub.restart(bounds=msgspec.structs.replace(BOUNDS, handshakes_per_minute=60))
    answers = [shake(hub.connect(), "client-1", key) for key in KEYS[:100]]
    assert answers[:60] == [200] * 60
    assert set(answers[65:]) == {429}
    assert shake(RpcTransport(hub, "192.0.2.99"), "client-1", KEYS[200]) == 200


def test_addresses_without_end_fill_no_memory() -> None:
    bounded = throttle.Throttle(60)
    for number in range(throttle.ADDRESSES * 2):
        bounded.take(f"address-{number}", 1.0)
    assert len(bounded._buckets) == throttle.ADDRESSES


def test_messages_without_end_wear_a_session_out(hub: InProcessHub) -> None:
    client = hub.client(email=None)
    answers = [client.query("ping").status for _ in range(NONCES + 2)]
    assert answers == [200] * NONCES + [401, 401]
    assert client.shake().status == 200
    assert client.query("ping").status == 200


def test_phones_that_were_here_once_leave_no_locks(hub: InProcessHub) -> None:
    for number in range(20):
        assert hub.client(f"client-{number}").pull().status == 200
    assert not hub.rpc._device_locks


def test_sign_ins_without_end_leave_a_bounded_number_of_tokens(hub: InProcessHub) -> None:
    client = hub.client()
    for _ in range(sessions.TOKENS_PER_DEVICE + 5):
        assert client.login().status == 200
    assert count(hub, "tokens") == sessions.TOKENS_PER_DEVICE


def test_failed_sign_ins_without_end_leave_a_bounded_number_of_counters(
    hub: InProcessHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "ATTEMPT_KEYS", 50)
    with hub.store.write() as tx:
        for number in range(100):
            sessions.note_failure(tx, [f"account:{number}", f"device:{number}", "address:1"])
    assert count(hub, "attempts") == 50


@pytest.mark.parametrize(
    "client_id",
    [
        "",
        " " * 0,
        "x" * 129,
        "a\nb",
        "a\rb",
        "a\0b",
        "\x1b[31m",
        "é",
        "🏥",
        "\u202eabc",
        None,
        7,
        [],
        {"id": "x"},
        True,
    ],
)
def test_an_odd_client_id_is_malformed_and_pairs_nobody(hub: InProcessHub, client_id: object) -> None:
    body = msgspec.json.encode({"client_id": client_id, "client_public_key": KEYS[0]})
    assert hub.connect().post("/rpc/handshake", body)[0] == 400
    assert count(hub, "devices") == 0


@pytest.mark.parametrize(
    "client_id", ["x", "x" * 128, " ", "'; DROP TABLE devices; --", '"', "a=b", "../../etc", "%00", "{}"]
)
def test_a_client_id_of_printable_ascii_is_as_good_as_a_uuid(hub: InProcessHub, client_id: str) -> None:
    assert hub.client(client_id).pull().status == 200


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Nurse's phone", "Nurse's phone"),
        ("هاتف العيادة", "هاتف العيادة"),
        ("", "Phone 1"),
        (None, "Phone 1"),
        ("\n\x1b\0", "Phone 1"),
        ("a\nlevel=error\x1b[31m", "alevel=error[31m"),
        ("\u202eevil", "evil"),
    ],
)
def test_a_device_name_holds_nothing_that_reaches_for_the_terminal(
    hub: InProcessHub, given: str | None, kept: str
) -> None:
    phone = Client(hub.connect())
    assert phone.shake(device_name=given).status == 200
    assert phone.login().status == 200
    with hub.store.read() as db:
        assert db.execute("SELECT name FROM devices").fetchone()[0] == kept


@pytest.mark.parametrize("name", ["x" * 81, 7, [], {}])
def test_a_device_name_that_is_none_is_malformed(hub: InProcessHub, name: object) -> None:
    assert Client(hub.connect()).shake(device_name=name).status == 400
    assert count(hub, "devices") == 0
