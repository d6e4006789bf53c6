"""What runs beside the servers."""

import asyncio
import contextlib
import os
import signal
import time
from functools import partial
from pathlib import Path

import httpx
import msgspec
import pytest
from structlog.testing import capture_logs

from hub.app import assembly, servers
from hub.core.log_events import LogEvent
from hub.core.status.facts import Facts
from hub.settings import Settings
from tests.simulator.processes import free_port
from tests.web.site import Site


def local() -> Settings:
    settings = Settings()
    served = msgspec.structs.replace(settings.server, host="127.0.0.1", port=free_port())
    return msgspec.structs.replace(settings, server=served)


def test_what_fails_beside_the_servers_is_told_by_its_place_and_runs_again_while_phones_are_served_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "AGAIN_S", 0.0)
    settings = local()
    begun = []

    async def fails_twice() -> None:
        begun.append(True)
        if len(begun) < 3:
            raise ValueError("Amina")
        os.kill(os.getpid(), signal.SIGTERM)

    with capture_logs() as told:
        app = assembly.create_closed(tmp_path, settings, Facts())
        asyncio.run(servers.serve(app, settings, [fails_twice]))
    failed = [entry for entry in told if entry["event"] == LogEvent.BESIDE_FAILED]
    assert [(entry["error"], entry["where"].split(" > ")[-1].split(":")[0]) for entry in failed] == [
        ("ValueError", "test_servers.py")
    ] * 2
    assert "Amina" not in str(told)
    assert len(begun) == 3


@pytest.mark.parametrize(("again_s", "runs", "says"), [(3600.0, 1, "failing"), (0.0, 2, "well")])
def test_a_hub_that_is_ready_says_whether_what_runs_beside_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, again_s: float, runs: int, says: str
) -> None:
    monkeypatch.setattr(servers, "AGAIN_S", again_s)
    settings, begun = local(), []
    site = Site(tmp_path / "data", settings=settings)
    ready = f"http://127.0.0.1:{settings.server.port}/readyz"

    async def fails_once() -> None:
        begun.append(True)
        if len(begun) == 1:
            raise ImportError
        await asyncio.Event().wait()

    def ask() -> None:
        with httpx.Client(trust_env=False, transport=httpx.HTTPTransport(retries=9)) as client:
            while len(begun) < runs or client.get(ready).json()["beside"] != says:
                time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGTERM)

    with contextlib.closing(site.store):
        asyncio.run(
            servers.serve(
                site.client.app, settings, [fails_once, partial(asyncio.to_thread, ask)], (site.store, site.pages)
            )
        )
