"""What the pairing code says."""

import msgspec
import pytest

from hub.core.phone import qr, wire
from hub.core.phone.keys import KeyPair


def test_the_code_holds_what_the_app_needs_and_nothing_more() -> None:
    pair = KeyPair()
    payload = qr.payload(host="192.168.4.1", port=4001, hub_id="hub-1", public=pair.public)
    assert msgspec.json.decode(msgspec.json.encode(payload)) == {
        "type": "sync_hub",
        "url": "http://192.168.4.1:4001",
        "id": "hub-1",
        "pk": wire.encode(pair.public),
    }


@pytest.mark.parametrize(
    ("host", "url"),
    [("hikma-hub.local", "http://hikma-hub.local:4001"), ("fd00::1", "http://[fd00::1]:4001")],
)
def test_names_and_ipv6_addresses_make_urls(host: str, url: str) -> None:
    assert qr.payload(host=host, port=4001, hub_id="h", public=KeyPair().public).url == url
