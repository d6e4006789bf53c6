"""The phone's HTTP against a real server on loopback."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.simulator.transport import HttpTransport, NetworkLostError

SEEN: list[tuple[str, str, str | None, bytes]] = []


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing."""

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        SEEN.append((self.command, self.path, self.headers.get("Content-Type"), body))
        if self.path == "/cut":
            self.close_connection = True
            return
        if self.path == "/moved":
            self.send_response(307)
            self.send_header("Location", "/new")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        self.send_response(503 if self.path == "/busy" else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


@pytest.fixture
def url() -> Iterator[str]:
    SEEN.clear()
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def transport(url: str) -> Iterator[HttpTransport]:
    transport = HttpTransport(url)
    yield transport
    transport.close()


def test_a_get_and_a_post_arrive_as_the_app_sends_them(transport: HttpTransport) -> None:
    assert transport.get("/rpc/heartbeat") == (200, b"{}")
    assert transport.post("/rpc/query", b'{"a":1}') == (200, b"{}")
    assert SEEN == [("GET", "/rpc/heartbeat", None, b""), ("POST", "/rpc/query", "application/json", b'{"a":1}')]


def test_any_status_is_an_answer(transport: HttpTransport) -> None:
    assert transport.post("/busy", b"{}")[0] == 503


def test_a_307_is_followed_with_its_body(transport: HttpTransport) -> None:
    assert transport.post("/moved", b'{"a":1}')[0] == 200
    assert SEEN[-1] == ("POST", "/new", "application/json", b'{"a":1}')


def test_the_url_is_used_as_text_prefix_and_trailing_slash_included(url: str) -> None:
    transport = HttpTransport(f"{url}/p/TOKEN/")
    transport.get("/rpc/heartbeat")
    transport.close()
    assert SEEN[-1][1] == "/p/TOKEN//rpc/heartbeat"


def test_a_cut_answer_is_a_lost_network(transport: HttpTransport) -> None:
    with pytest.raises(NetworkLostError):
        transport.post("/cut", b"{}")


def test_a_refused_connection_is_a_lost_network() -> None:
    transport = HttpTransport("http://127.0.0.1:9")
    with pytest.raises(NetworkLostError):
        transport.get("/")
    transport.close()
