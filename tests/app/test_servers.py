"""What runs beside the servers."""

import asyncio
import os
import signal
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from hub.app import assembly, servers
from hub.core.log_events import LogEvent
from hub.core.status.facts import Facts
from hub.settings import Settings
from tests.simulator.processes import free_port


def test_what_fails_beside_the_servers_is_told_by_its_place_and_runs_again_while_phones_are_served_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(servers, "AGAIN_S", 0.0)
    settings = Settings()
    served = msgspec.structs.replace(settings.server, host="127.0.0.1", port=free_port())
    settings = msgspec.structs.replace(settings, server=served)
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
