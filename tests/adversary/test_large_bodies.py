"""Large bodies go through one after the other, however many come at once, and strangers can send none (S8, S10)."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from hub.actions.phones import devices
from hub.web import body, spool
from tests.adversary.asgi import MIB, Asgi
from tests.adversary.test_memory import sealed_push
from tests.hubs import InProcessHub, ServedHub, changes, row

MOST = 4 * MIB
SMALL_ROOM = {"HIKMA_HUB_SYNC_PUSH_BYTES_MAX": str(MOST), "HIKMA_HUB_LIMITS_MEMORY_MB": "16"}


def unfinished(hub: ServedHub, client_id: str, declared: int, sent: int) -> socket.socket:
    """Begin a body that never ends."""
    made = socket.create_connection(("127.0.0.1", hub.port), timeout=20)
    start = b'{"client_id":"%s","payload":"' % client_id.encode()
    made.sendall(b"POST /rpc/command HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % declared + start)
    made.sendall(b"A" * (sent - len(start)))
    return made


def files(hub: ServedHub) -> list[str]:
    """Return the files in the hub's folder that it holds open though they have no name."""
    links = [entry.readlink() for entry in Path(f"/proc/{hub.pid}/fd").iterdir() if entry.is_symlink()]
    return [str(link) for link in links if str(link).startswith(str(hub.data)) and str(link).endswith("(deleted)")]


def test_six_large_pushes_at_once_all_go_through(serve: Callable[..., ServedHub]) -> None:
    hub = serve(**SMALL_ROOM)
    phones = [hub.client(f"phone-{number}") for number in range(6)]
    bodies = [sealed_push(phone, MOST // 2).replace(b"@", b"%d" % number) for number, phone in enumerate(phones)]
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda phone, sent: phone.transport.post("/rpc/command", sent)[0], phones, bodies))
    assert answers == [200] * 6
    assert files(hub) == []


def test_large_pushes_that_never_end_keep_no_other_one_waiting(serve: Callable[..., ServedHub]) -> None:
    hub = serve(**SMALL_ROOM)
    phone = hub.client("honest")
    with ExitStack() as held:
        for _ in range(6):  # whoever heard the id of a phone can send so much in its name
            held.enter_context(unfinished(hub, "honest", MOST, MOST // 4))
        assert phone.transport.post("/rpc/command", sealed_push(phone, MOST))[0] == 200


def test_a_body_of_records_of_exactly_the_bound_is_taken(serve: Callable[..., ServedHub]) -> None:
    hub = serve(HIKMA_HUB_SYNC_PUSH_BYTES_MAX=str(MIB))
    phone = hub.client()
    assert phone.transport.post("/rpc/command", sealed_push(phone, MIB))[0] == 200
    assert phone.transport.post("/rpc/command", sealed_push(phone, MIB + 2048))[0] == 413


@pytest.fixture
def asgi(hub: InProcessHub) -> Iterator[Asgi]:
    made = Asgi(hub)
    yield made
    made.close()


def send(asgi: Asgi, client_id: str, size: int) -> int:
    start = b'{"client_id":"%s","payload":"' % client_id.encode()
    whole = (start + b"A" * ((size - len(start) - 2) // 4 * 4) + b'"}').ljust(size)
    return asgi.send("POST", "/rpc/command", [whole[at : at + 8192] for at in range(0, size, 8192)])[0]


@pytest.mark.parametrize("size", [body.SMALL_BYTES, body.SMALL_BYTES + 1, MIB])
def test_strangers_and_phones_without_a_sign_in_are_read_no_further_than_16_kib(
    hub: InProcessHub, asgi: Asgi, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    hub.client("paired-only", email=None)
    signed_out = hub.client("signed-out")
    devices.end_sign_ins(hub.store, client_id=signed_out.client_id)
    monkeypatch.setattr(spool, "_write", lambda *_: pytest.fail("it was given room"))
    assert {send(asgi, who, size) for who in ("nobody", "paired-only", "signed-out")} == {401}
    assert asgi.send("POST", "/rpc/command", [b'{"payload":"', *[b"A" * 8192] * 100, b'","client_id":"x"}'])[0] == 401


def test_a_blocked_phone_is_told_so(hub: InProcessHub, asgi: Asgi) -> None:
    hub.client("blocked")
    devices.block(hub.store, "blocked")
    assert send(asgi, "blocked", MIB) in {401, 403}


def test_one_address_cannot_take_all_the_room_on_disk(
    hub: InProcessHub, asgi: Asgi, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.client("honest")
    monkeypatch.setattr(asgi._phones._spool, "_room_bytes", 2 * MIB - 1)
    assert send(asgi, "honest", MIB) == 503
    monkeypatch.setattr(asgi._phones._spool, "_room_bytes", 2 * MIB)
    assert send(asgi, "honest", MIB) == 401  # it is read, and no key opens it
    assert not asgi._phones._spool._taken


def test_a_full_disk_is_no_place_for_a_large_body(
    hub: InProcessHub, asgi: Asgi, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = hub.client("honest")
    monkeypatch.setattr(spool, "_LEFT_BYTES", 2**62)
    assert send(asgi, "honest", MIB) == 503
    assert client.push(changes("patients", created=[row("patients", "p")])).status == 200


def test_who_leaves_in_the_middle_leaves_nothing_behind(serve: Callable[..., ServedHub]) -> None:
    hub = serve(**SMALL_ROOM)
    phone = hub.client("honest")
    for _ in range(5):
        unfinished(hub, "honest", MOST, MIB).close()
    done = threading.Event()
    for _ in range(200):
        if not files(hub):
            break
        done.wait(0.05)
    assert files(hub) == []
    assert phone.pull().status == 200
