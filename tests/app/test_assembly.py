"""What is left of a hub that has no database to use."""

from litestar.testing import TestClient

from hub.app import assembly
from hub.core.status.card import CardShape
from hub.core.status.state import Facts
from hub.settings import Settings


def test_a_hub_whose_data_is_gone_says_so_and_takes_nothing_from_phones() -> None:
    application = assembly.create_closed(Settings(), Facts(card=CardShape.GONE, writable=False))
    with TestClient(application) as browser:
        assert "cannot be found on its card" in browser.get("/").text.replace("&#39;", "'")
        assert browser.get("/readyz").status_code == 503
        assert browser.post("/rpc/handshake", content=b"{}").status_code == 503
