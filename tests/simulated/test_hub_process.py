"""The child process of the show, with a stand-in for the hub's command line."""

import contextlib
import socket
import sys
from pathlib import Path

import pytest

from tests.simulator.hub_process import HubProcess, HubProcessError
from tests.simulator.transport import HttpTransport, NetworkLostError

STAND_IN = """
import json, sys
from http.server import BaseHTTPRequestHandler, HTTPServer

words = sys.argv[1:]
options = dict(zip(words, words[1:]))


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if self.path == "/readyz" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()


if words[0] == "serve":
    HTTPServer((options["--host"], int(options["--port"])), Handler).serve_forever()
elif words[0] == "fail":
    sys.exit("that went wrong")
elif words[0] == "chat":
    print("hello")
else:
    print(json.dumps({"words": words, "stdin": sys.stdin.read()}))
"""


@pytest.fixture
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def hub(tmp_path: Path, port: int) -> HubProcess:
    script = tmp_path / "stand_in.py"
    script.write_text(STAND_IN)
    program = (sys.executable, str(script))
    return HubProcess(tmp_path / "data", host="127.0.0.1", port=port, log=tmp_path / "log", program=program)


def answers(hub: HubProcess) -> bool:
    transport = HttpTransport(hub.url)
    with contextlib.closing(transport):
        try:
            return transport.get("/readyz")[0] == 200
        except NetworkLostError:
            return False


def test_the_hub_is_ready_inside_and_gone_after(hub: HubProcess) -> None:
    with hub:
        assert answers(hub)
    assert not answers(hub)


def test_the_hub_is_gone_after_an_error_too(hub: HubProcess) -> None:
    with pytest.raises(KeyboardInterrupt), hub:
        raise KeyboardInterrupt
    assert not answers(hub)


def test_a_hub_that_ends_at_once_is_told_with_its_last_words(hub: HubProcess, port: int) -> None:
    with socket.socket() as occupied:
        occupied.bind(("127.0.0.1", port))
        occupied.listen()
        with pytest.raises(HubProcessError, match="Address already in use"), hub:
            pass


def test_a_command_gets_the_data_directory_and_its_input(hub: HubProcess) -> None:
    answer = hub.do_json("user", "add", "--email", "a@b.c", stdin="secret\n")
    assert answer == {
        "words": ["user", "add", "--email", "a@b.c", "--json", "--data", str(hub.data)],
        "stdin": "secret\n",
    }


def test_a_failing_command_is_told_in_its_own_words(hub: HubProcess) -> None:
    with pytest.raises(HubProcessError, match="that went wrong"):
        hub.do("fail")


def test_a_command_that_prints_no_json_is_told(hub: HubProcess) -> None:
    with pytest.raises(HubProcessError, match="printed no JSON"):
        hub.do_json("chat")


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:1"), ("::1", "http://[::1]:1"), ("10.0.0.5", "http://10.0.0.5:1")],  # noqa: S104
)
def test_the_url_can_be_reached_from_this_machine(tmp_path: Path, host: str, url: str) -> None:
    assert HubProcess(tmp_path, host=host, port=1, log=tmp_path / "log").url == url
