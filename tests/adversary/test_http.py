"""HTTP that no phone speaks: the hub answers or closes, keeps its room for the others, and tells nothing."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from typing import Any

import msgspec
import pytest

from hub.core.errors import Malformed, TooLarge
from hub.core.phone.cipher import Direction
from hub.web import body
from tests.hubs import Client, ServedHub, changes, prepare, row
from tests.simulator.transport import HttpTransport

MIB = 1024 * 1024
HEAD = b"Host: hikma-hub\r\nContent-Type: application/json\r\n"
CLOSED = b"<closed>"
LEAKS = (b"Traceback", b"sqlite", b"SELECT", b"msgspec", b"/hub/", b"File ", b"Error")


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    data = tmp_path_factory.mktemp("http") / "data"
    prepare(data)
    # An upload of the largest size is all the room there is, so that whoever takes it wrongly is noticed.
    served = ServedHub(data, {"HIKMA_HUB_SYNC_PUSH_BYTES_MAX": str(MIB), "HIKMA_HUB_LIMITS_MEMORY_MB": "16"})
    served.start()
    yield served
    served.close()


def connect(hub: ServedHub, sent: bytes) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", hub.port), timeout=15)
    made.sendall(sent)
    return made


def receive(made: socket.socket, *, until: bytes = b"") -> bytes:
    got = b""
    while not until or until not in got:
        try:
            piece = made.recv(65536)
        except ConnectionError:
            return got + CLOSED
        if not piece:
            return got + CLOSED
        got += piece
    return got


def talk(hub: ServedHub, request: bytes, body_bytes: bytes = b"") -> bytes:
    """Send a request, and give all that is answered until the hub closes."""
    with connect(hub, request + HEAD + b"Connection: close\r\n" + body_bytes) as made:
        return receive(made)


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def nurse(hub: ServedHub, client_id: str = "nurse") -> Client:
    """Return a signed-in phone whose patience is shorter than that of a hub that makes it wait."""
    transport = HttpTransport(hub.url, timeout_s=20.0)
    hub._transports.append(transport)
    client = Client(transport, client_id)
    assert client.shake().status == 200
    assert client.login().status == 200
    return client


@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        (b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n", b"abcdef"),
        (b"Content-Length: -5\r\n\r\n", b"abcdef"),
        (b"Content-Length: +5\r\n\r\n", b"abcde"),
        (b"Content-Length: 0x5\r\n\r\n", b"abcde"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n", b"abcde"),
        (b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n"),
        (
            b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n",
            b"3\r\nabc\r\n0\r\n\r\nGET /rpc/heartbeat HTTP/1.1",
        ),
        (b"Transfer-Encoding: xchunked\r\n\r\n", b"abc"),
        (b"Transfer-Encoding: chunked, identity\r\n\r\n", b"abc"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"ZZZ\r\nabc"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"ffffffffffffffffff\r\nabc"),
        (b"X: a\r\n folded: b\r\n\r\n", b""),
        (b"X\0: a\r\n\r\n", b""),
        (b"X : a\r\n\r\n", b""),
        (b"\x00\xff\r\n\r\n", b""),
        (b"".join(b"X-%d: y\r\n" % number for number in range(500)) + b"\r\n", b""),
        (b"X: " + b"y" * 500_000 + b"\r\n\r\n", b""),
    ],
)
def test_smuggled_lengths_and_odd_headers_are_refused(hub: ServedHub, headers: bytes, sent: bytes) -> None:
    answer = talk(hub, b"POST /rpc/query HTTP/1.1\r\n", headers + sent)
    assert answer == CLOSED or 400 <= status(answer) < 500
    assert answer.count(b"HTTP/1.1 ") <= 1


def test_s8_a_head_larger_than_any_browsers_is_refused(hub: ServedHub) -> None:
    assert status(talk(hub, b"GET /rpc/heartbeat HTTP/1.1\r\n", b"Cookie: " + b"y" * 12_000 + b"\r\n\r\n")) == 200
    assert status(talk(hub, b"GET /rpc/heartbeat HTTP/1.1\r\n", b"Cookie: " + b"y" * 200_000 + b"\r\n\r\n")) == 431


@pytest.mark.parametrize(
    "method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE", "OPTIONS", "CONNECT", "BREW", "post"]
)
@pytest.mark.parametrize("path", ["/rpc/query", "/rpc/handshake", "/api/login"])
def test_other_methods_do_nothing(hub: ServedHub, method: str, path: str) -> None:
    answer = talk(hub, f"{method} {path} HTTP/1.1\r\n".encode(), b"\r\n")
    assert status(answer) in {204, 400, 404, 405}


@pytest.mark.parametrize(
    "path",
    [
        "/" + "a" * 60_000,
        "/" + "a" * 200_000,
        "/rpc/query/",
        "//rpc/query",
        "/rpc/../rpc/query",
        "/%ff%fe",
        "/%00",
        "/%0d%0aX: y",
        "/..%2f..%2fetc%2fpasswd",
        "/static/../hub.db",
        "/static/x/..%2f..%2fapp.py",
        "http://other/rpc/query",
        "*",
        "/?" + "a" * 9000,
    ],
    ids=lambda path: path[:20],
)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_odd_paths_lead_nowhere(hub: ServedHub, method: bytes, path: str) -> None:
    answer = talk(hub, method + b" " + path.encode() + b" HTTP/1.1\r\n", b"Content-Length: 2\r\n\r\n{}")
    assert 200 <= status(answer) < 500
    assert b"root:" not in answer
    assert not any(leak in answer for leak in LEAKS)


@pytest.mark.slow
def test_headers_that_never_end_and_connections_kept_for_nothing_are_closed(hub: ServedHub) -> None:
    complete = b"GET /healthz HTTP/1.1\r\n" + HEAD + b"\r\n"
    unfinished = (b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\nX-a: ", b"POST /rpc/query HTTP/1.1\r\n")
    with ExitStack() as slow:
        connections = [slow.enter_context(connect(hub, sent)) for sent in (complete, *unfinished)]
        assert b" 200 " in receive(connections[0], until=b"alive")
        for connection in connections:
            assert receive(connection).endswith(CLOSED)


def test_a_body_over_the_bound_is_refused_by_what_it_says_and_by_what_comes(hub: ServedHub) -> None:
    nurse(hub, "large")
    large = b'{"client_id":"large","payload":"' + b"A" * (2 * MIB) + b'"}'
    for path, most in (("query", MIB), ("command", MIB), ("handshake", 4096)):
        said = talk(hub, b"POST /rpc/%s HTTP/1.1\r\n" % path.encode(), b"Content-Length: %d\r\n\r\n" % (most * 2))
        assert status(said) == 413
        with connect(
            hub, b"POST /rpc/%s HTTP/1.1\r\n" % path.encode() + HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
        ) as made:
            made.sendall(b"%x\r\n" % len(large))
            try:
                made.sendall(large)
            except ConnectionError:
                continue  # it was closed before all was sent
            assert status(receive(made, until=b"}")) == 413


def test_a_truncated_body_is_refused_and_stores_nothing(hub: ServedHub) -> None:
    client = nurse(hub, "truncated")
    for _ in range(30):
        made = connect(
            hub, b"POST /rpc/command HTTP/1.1\r\n" + HEAD + b"Content-Length: 900000\r\n\r\n" + b"A" * 100_000
        )
        made.close()
    assert client.pull().status == 200
    assert " status=500" not in hub.output()


@pytest.mark.parametrize(
    "request_head",
    [
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
        b"Content-Length: 1000000\r\n\r\n{",
        b"Content-Length: 100\r\n\r\n{",
        b"Content-Length: 100\r\nExpect: 100-continue\r\n\r\n",
    ],
)
@pytest.mark.parametrize("path", [b"query", b"command"])
def test_strangers_who_never_finish_their_body_take_no_room_from_phones(
    hub: ServedHub, path: bytes, request_head: bytes
) -> None:
    with ExitStack() as strangers:
        for _ in range(40):
            strangers.enter_context(connect(hub, b"POST /rpc/" + path + b" HTTP/1.1\r\n" + HEAD + request_head))
        client = nurse(hub)
        assert client.pull().status == 200
        big = [row("patients", f"p{number}", additional_data="x" * 2000) for number in range(200)]
        assert client.push(changes("patients", created=big)).status == 200


def test_phones_that_leave_in_the_middle_of_their_answer_give_the_room_back(hub: ServedHub) -> None:
    client = nurse(hub, "leaver")
    big = [row("patients", f"q{number}", additional_data="x" * 2000) for number in range(200)]
    assert client.push(changes("patients", created=big)).status == 200
    for number in range(8):
        phone = nurse(hub, f"leaver-{number}")
        sealed = phone.envelope({"query": "sync_pull", "params": {}, "token": phone.token}, Direction.QUERY)
        made = connect(
            hub, b"POST /rpc/query HTTP/1.1\r\n" + HEAD + b"Content-Length: %d\r\n\r\n" % len(sealed) + sealed
        )
        made.close()
    assert nurse(hub, "stayer").pull().status == 200


def test_refusals_tell_nothing_of_the_inside(hub: ServedHub) -> None:
    client = nurse(hub, "curious")
    answers = [
        client.transport.post("/rpc/query", b"{"),
        client.transport.post("/rpc/query", b'{"client_id":"x","payload":7}'),
        client.transport.post("/rpc/handshake", b'{"client_id":7}'),
        client.transport.post("/api/login", b'{"email":"a@b","password":"secret"}'),
        client.transport.get("/hub.db"),
    ]
    for code, answer in answers:
        assert 400 <= code < 500
        assert set(msgspec.json.decode(answer)) == {"success", "error", "message"}
        assert not any(leak in answer for leak in LEAKS)
    unauthorised = [
        client.transport.post("/rpc/query", msgspec.json.encode({"client_id": who, "payload": payload}))
        for who in ("curious", "nobody")
        for payload in ("", "A" * 16, "A" * 400)
    ]
    assert len(set(unauthorised)) == 1


class Trickle:
    """A request whose body comes in these pieces, and then stops coming."""

    def __init__(self, *pieces: bytes, **headers: str) -> None:
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self._pieces = pieces

    async def stream(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            await asyncio.sleep(0)
            yield piece
        await asyncio.Event().wait()


def read(request: Trickle, most: int) -> bytearray:
    given: Any = request
    return asyncio.run(body.read(given, most))


def test_a_body_that_stops_coming_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "_SILENCE_S", 0.01)
    with pytest.raises(Malformed):
        read(Trickle(b"{", b"a"), 100)


def test_a_body_that_comes_too_slowly_is_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(body, "_SILENCE_S", 0)  # the minute of grace is over
    with pytest.raises(Malformed):
        read(Trickle(*[b"x"] * 1_000_000), 1_000_000)


@pytest.mark.parametrize("declared", ["101", "9" * 5000, "٣٠٠"])
def test_a_body_that_says_that_it_is_too_large_is_not_read(declared: str) -> None:
    with pytest.raises(TooLarge):
        read(Trickle(content_length=declared), 100)


def test_a_body_longer_than_it_said_is_not_read_on() -> None:
    with pytest.raises(TooLarge):
        read(Trickle(b"x" * 10, b"x" * 10, content_length="15"), 100)
