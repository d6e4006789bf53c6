"""Every attack at once, by strangers, a signed-in phone and the cloud, while a phone syncs beside (S8, S10)."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import repeat
from pathlib import Path

import pytest

from hub.services.relay import connect
from hub.store.database import Store
from tests.adversary.evil_cloud import JSON, evil_cloud
from tests.adversary.flood import KINDS, VICTIM
from tests.adversary.insider import Insider
from tests.adversary.strangers import Strangers, crowd
from tests.adversary.test_connections import PATIENCE_S, is_crowded
from tests.adversary.test_memory import rss_bytes
from tests.hubs import EMAIL, Client, ServedHub, changes, joined, prepare, row
from tests.journeys.lan import until
from tests.simulator import processes
from tests.simulator.transport import HttpTransport
from tests.store import pushes

__all__ = ["crowd"]

MEMORY_MAX = 352 * 1024 * 1024
"""MemoryMax of hikma-hub.service."""
SECONDS = 4.0


@pytest.fixture
def tls_port() -> int:
    return processes.free_port()


@pytest.fixture
def hub(crowd: Strangers, tmp_path: Path, tls_port: int) -> Iterator[ServedHub]:
    """Return a hub whose cloud has turned into one that answers without end."""
    prepare(tmp_path / "data")
    with evil_cloud() as cloud, closing(Store(tmp_path / "data")) as store:
        connect.connect(store, cloud.url, "hh_1")
        cloud.pull = (200, JSON, lambda: repeat(b"[" * 4096))
        served = ServedHub(tmp_path / "data", {"HIKMA_HUB_WEB_HTTPS_PORT": str(tls_port)}, host=crowd.host)
        served.start()
        yield served
        served.close()


@pytest.mark.slow
def test_s10_all_attacks_at_once_lose_nothing_and_the_hub_lives(
    hub: ServedHub, crowd: Strangers, tls_port: int, record_property: Callable[[str, object], None]
) -> None:
    before, token, kept = hub.pid, signed_in(hub), set[str]()
    crowd.attack(",".join(KINDS), hub.port, tls_port=tls_port, addresses=40, count=20, seconds=SECONDS)
    until(lambda: is_crowded(hub.port), "the strangers are there")
    end = time.monotonic() + SECONDS
    with Insider(hub) as insider:
        while time.monotonic() < end:
            kept.add(sync(hub, token))
    said = crowd.end()
    heard = dict(insider.heard)
    record_property("seen", {"syncs": len(kept), "peak": rss_bytes(hub, peak=True) >> 20, "insider": heard})
    record_property("strangers", said)
    assert hub.pid == before
    assert rss_bytes(hub, peak=True) < MEMORY_MAX
    with closing(Store(hub.data)) as store:
        assert kept <= pushes.live(store, "patients")
    assert insider.heard[200], insider.heard
    assert {kind for kind in KINDS if f"'{kind} opened'" in said} == {*KINDS}


def signed_in(hub: ServedHub) -> str | None:
    with closing(HttpTransport(hub.url)) as transport:
        return joined(Client(transport, VICTIM), EMAIL).token


def sync(hub: ServedHub, token: str | None) -> str:
    """Let a phone push and pull by a connection of its own; returns the id of the record that the hub acknowledged."""
    with closing(HttpTransport(hub.url, timeout_s=PATIENCE_S)) as transport:
        phone = joined(Client(transport, VICTIM), None)
        phone.token = token
        record_id = f"kept-{time.monotonic()}"
        assert phone.push(changes("patients", created=[row("patients", record_id)])).status == 200
        assert phone.pull().status == 200
    return record_id
