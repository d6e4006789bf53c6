"""What strangers send begins no line in the log, and what nurses send is not in it (S6)."""

import socket
from collections.abc import Callable, Iterator

import pytest
import structlog

from hub.cli import logs
from hub.settings import LogSettings
from tests.hubs import EMAIL, PASSWORD, Client, ServedHub, changes, row

EVIL = "\n\r\x1b[31m\x07 event=serving level=error"
LINE_CHARS = 1000


@pytest.fixture
def configured() -> Iterator[None]:
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("configured")
@pytest.mark.parametrize("kind", ["logfmt", "json"])
def test_no_value_begins_a_line_or_reaches_for_the_terminal(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure(LogSettings(format="json" if kind == "json" else "logfmt"))
    structlog.get_logger().info("refused", path=EVIL, reason="\u2028\x85\u202eü")
    printed = capsys.readouterr().out
    assert printed.count("\n") == 1
    assert printed.rstrip("\n").isprintable()


@pytest.mark.parametrize("kind", ["logfmt", "json"])
def test_the_log_of_a_busy_day_holds_no_secret_and_no_line_of_a_stranger(
    serve: Callable[..., ServedHub], kind: str
) -> None:
    hub = serve(HIKMA_HUB_LOG_LEVEL="debug", HIKMA_HUB_LOG_FORMAT=kind)
    client = Client(hub.connect(), "c'lient =evil")
    client.shake(device_name="name" + EVIL)
    client.login(EMAIL, "guess no 1")
    client.login("mallory@example.com" + EVIL, PASSWORD)
    assert client.login().status == 200
    patient = row("patients", "patient-id-1", given_name="Fatima", phone="0791234567")
    assert client.push(changes("patients", created=[patient, {"id": 7, "given_name": "Yusuf"}])).status == 200
    client.pull()
    client.query("no_such" + EVIL)
    client.push({"Zaynab" + EVIL: {"created": [{"id": "Khadija"}]}})
    client.command("login", {"email": 7, "password": "hunter22"})
    client.post("/api/login", b'{"email":"omar@clinic.example","password":"in the clear"}')
    for path in (b"/%0aevent=serving%0d%1b[31m", b"/a\x80", b"/" + b"a" * 50_000):
        with socket.create_connection(("127.0.0.1", hub.port), timeout=10) as made:
            made.sendall(b"GET " + path + b" HTTP/1.1\r\nHost: hikma-hub\r\nX-Evil: Layla\r\nConnection: close\r\n\r\n")
            while made.recv(65536):
                pass
    printed = hub.output()
    hub.stop()
    secrets = [client.token or "", client.key.hex(), EMAIL, PASSWORD, "guess no 1", "mallory", "hunter22"]
    secrets += ["Fatima", "0791234567", "Yusuf", "Zaynab", "Khadija", "omar", "in the clear", "Layla"]
    assert not [secret for secret in secrets if secret in printed]
    for line in printed.splitlines():
        assert line.isprintable()
        assert len(line) < LINE_CHARS
        assert line.startswith("timestamp=" if kind == "logfmt" else '{"'), line
    assert len(printed.splitlines()) == len(printed.split("\n")) - 1
    started = "event=serving " if kind == "logfmt" else '"event": "serving"'
    assert printed.count(started) == 1
