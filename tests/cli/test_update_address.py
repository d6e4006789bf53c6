"""An update at an https:// address, installed by a real RAUC; that of a machine without nbd fetches it whole before."""

import functools
import os
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from hub.core.update.wishes import Install, Look, Source
from tests.outside import tool
from tests.updates import TwoSystems

NEWER = "99.0.0"
_KIND = ("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2")
_NAME = ("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost")


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def box(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoSystems]:
    """Return a card whose RAUC trusts the authority of these tests."""
    if os.geteuid() != 0:
        pytest.skip("only root mounts")
    made = TwoSystems(tmp_path_factory.mktemp("far"))
    made.prepare()
    key, certificate = made.root / "web.key", made.root / "web.pem"
    openssl = tool("openssl", "apt install openssl")
    subprocess.run([openssl, *_KIND, *_NAME, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    made.trust(certificate)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def url(box: TwoSystems) -> Iterator[str]:
    """Return the address of a server with an update."""
    bundle = box.bundle(NEWER)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(box.root)))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(box.root / "web.pem", box.root / "web.key")
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}/{bundle.name}"
    server.shutdown()
    server.server_close()


def test_the_address_is_asked_and_what_is_there_is_installed(
    box: TwoSystems, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(box.root / "web.pem"))
    (found,) = box.wish(Look(address=True), HIKMA_HUB_UPDATE_URL=url).found
    assert (found.source, found.version, found.refused) == (Source.ADDRESS, NEWER, "")
    assert found.size_bytes == (box.root / url.rpartition("/")[2]).stat().st_size
    assert box.restarts == []
    assert box.wish(Look(), HIKMA_HUB_UPDATE_URL=url).found == (found,), "what is known of it stays"
    told = box.wish(Install(Source.ADDRESS), HIKMA_HUB_UPDATE_URL=url)
    assert told.failed is None
    assert box.restarts == ["reboot --reboot-argument=0 tryboot"]


def test_an_address_that_does_not_answer_or_shows_a_strangers_certificate_is_told(box: TwoSystems, url: str) -> None:
    no_address = (
        "https://localhost:99999/update.raucb",
        "https://[::/update.raucb",
        "https://localhost:x/update.raucb",
    )
    for wrong in (url, "https://localhost:1/update.raucb", *no_address):
        (found,) = box.wish(Look(address=True), HIKMA_HUB_UPDATE_URL=wrong).found
        assert found.refused == "no_line"
        failed = box.wish(Install(Source.ADDRESS), HIKMA_HUB_UPDATE_URL="https://localhost:1/update.raucb").failed
        assert failed is not None
        assert failed.refused == "no_line"


def test_a_line_that_is_paid_by_volume_is_not_used(box: TwoSystems, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (busctl := box.root / "bin/busctl").write_text("#!/bin/sh\necho u 1\n")
    busctl.chmod(0o755)
    monkeypatch.setenv("PATH", f"{box.root}/bin:{os.environ['PATH']}")
    before = len(box.restarts)
    try:
        (found,) = box.wish(Look(address=True), HIKMA_HUB_UPDATE_URL=url).found
        failed = box.wish(Install(Source.ADDRESS), HIKMA_HUB_UPDATE_URL=url).failed
    finally:
        busctl.unlink()
    assert found.refused == "metered"
    assert failed is not None
    assert failed.refused == "metered"
    assert len(box.restarts) == before


@pytest.mark.parametrize("wrong", ["http://a/b", "ftp://a", "https://", "https://a b", "file:///etc/passwd"])
def test_nothing_but_https_is_an_address(box: TwoSystems, wrong: str) -> None:
    box.desk.ask(Look(address=True))
    assert "an https:// address" in box.hub("grant", HIKMA_HUB_UPDATE_URL=wrong).refused
    box.places.wish.unlink(missing_ok=True)
