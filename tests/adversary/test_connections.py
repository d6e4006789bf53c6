"""However many connections strangers hold, phones are served beside them (S8, S10)."""

import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from hub.core.crowd import PER_ADDRESS
from tests.adversary.strangers import Strangers, crowd
from tests.adversary.test_memory import rss_bytes
from tests.hubs import EMAIL, Client, ServedHub, changes, joined, prepare, row
from tests.journeys.lan import until
from tests.simulator.transport import HttpTransport

__all__ = ["crowd"]

MIB = 1024 * 1024
PATIENCE_S = 15.0
"""Of a phone in these tests: far beyond what it takes, far below an outage."""


@pytest.fixture(scope="module")
def hub(crowd: Strangers, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedHub]:
    data = tmp_path_factory.mktemp("crowd") / "data"
    prepare(data)
    served = ServedHub(data, host=crowd.host)
    served.start()
    yield served
    served.close()


def sync(hub: ServedHub, client_id: str, token: str | None = None) -> tuple[float, str | None]:
    """Let a phone sync by a connection of its own; returns the seconds that it took, and its token."""
    started = time.monotonic()
    with closing(HttpTransport(hub.url, timeout_s=PATIENCE_S)) as transport:
        phone = joined(Client(transport, client_id), None if token else EMAIL)
        phone.token = token or phone.token
        record = row("patients", f"{client_id}-{started}")
        assert phone.push(changes("patients", created=[record])).status == 200
        assert phone.pull().status == 200
    return time.monotonic() - started, phone.token


def is_crowded(port: int) -> bool:
    """Whether the strangers have begun."""
    table = Path("/proc/self/net/tcp").read_text("ascii")
    return table.count(f":{port:04X} ") > PER_ADDRESS // 2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "addresses", "count"),
    [("idle", 1, 600), ("body", 1, 600), ("head", 40, 2400), ("events", 8, 600), ("form", 8, 600)],
)
def test_s10_phones_sync_whatever_strangers_hold_open(
    hub: ServedHub, crowd: Strangers, kind: str, addresses: int, count: int
) -> None:
    _, token = sync(hub, kind)
    before = hub.pid
    crowd.attack(kind, hub.port, addresses=addresses, count=count, seconds=6)
    until(lambda: is_crowded(hub.port), "the strangers are there")
    took = [sync(hub, kind, token)[0] for _ in range(4)]
    seen = crowd.end()
    assert sorted(took)[len(took) // 2] < PATIENCE_S / 2, (took, seen)
    assert hub.pid == before
    assert rss_bytes(hub, peak=True) < 352 * MIB
