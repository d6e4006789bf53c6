"""The pages over TLS, from a real hub that other machines can reach."""

import hashlib
import http.client
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.hubs import ServedHub, prepare
from tests.simulator.processes import free_port


class OpenHub(ServedHub):
    """A hub that listens on every address."""

    def __init__(self, data: Path) -> None:
        self.https_port = free_port()
        super().__init__(
            data,
            {"HIKMA_HUB_WEB_HTTPS_PORT": str(self.https_port), "HIKMA_HUB_DISCOVERY_ENABLED": "false"},
            host="0.0.0.0",  # noqa: S104  a hub's own default
        )

    def certificate(self) -> bytes:
        """Return the certificate that the pages are served under."""
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.https_port), timeout=10) as plain,
            context.wrap_socket(plain) as line,
        ):
            found = line.getpeercert(binary_form=True)
        assert found
        return found

    def get(self, path: str) -> tuple[int, str]:
        """Load a page over TLS."""
        context = ssl._create_unverified_context()  # noqa: S323  the hub signs for itself
        connection = http.client.HTTPSConnection("127.0.0.1", self.https_port, timeout=10, context=context)
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode()
        connection.close()
        return answer.status, text


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenHub]:
    data = tmp_path_factory.mktemp("open") / "data"
    prepare(data)
    made = OpenHub(data)
    made.start()
    yield made
    made.close()


def test_the_pages_are_served_over_tls_and_take_a_password_there(hub: OpenHub) -> None:
    status, text = hub.get("/setup")
    assert status == 200
    assert 'name="code"' in text


def test_the_fingerprint_at_the_box_is_the_one_that_a_browser_shows(hub: OpenHub) -> None:
    shown = hub.cli("fingerprint").stdout.strip()
    assert shown.replace(":", "").lower() == hashlib.sha256(hub.certificate()).hexdigest()


def test_the_page_that_leads_to_tls_shows_the_fingerprint_of_the_certificate(hub: OpenHub) -> None:
    from_afar = {"accept": "text/html", "x-forwarded-proto": "http", "x-forwarded-for": "192.0.2.9"}
    text = httpx.get(f"{hub.url}/setup", headers=from_afar, trust_env=False).text
    assert "Your browser will warn you once" in text
    assert hub.cli("fingerprint").stdout.strip() in text


def test_the_certificate_survives_a_restart(hub: OpenHub) -> None:
    before = hub.certificate()
    hub.stop()
    hub.start()
    assert hub.certificate() == before


def test_a_port_that_is_taken_does_not_keep_phones_from_the_hub(hub: OpenHub, tmp_path: Path) -> None:
    second = OpenHub(tmp_path / "data")
    second._environ["HIKMA_HUB_WEB_HTTPS_PORT"] = str(hub.https_port)
    second.start()
    try:
        assert second.connect().get("/rpc/heartbeat")[0] == 200
        assert "tls.unavailable" in second.output()
    finally:
        second.close()
