"""What runs beside the servers."""

import asyncio
import os
import signal
from pathlib import Path

import msgspec
from structlog.testing import capture_logs

from hub.app import assembly, servers
from hub.core.log_events import LogEvent
from hub.core.status.facts import Facts
from hub.settings import Settings
from tests.simulator.processes import free_port


def test_what_fails_beside_the_servers_is_told_by_its_place_and_phones_are_served_on(tmp_path: Path) -> None:
    settings = Settings()
    served = msgspec.structs.replace(settings.server, host="127.0.0.1", port=free_port())
    settings = msgspec.structs.replace(settings, server=served)
    went_on = []

    async def fails() -> None:
        raise ValueError("Amina")

    async def ends() -> None:
        for _ in range(100):
            await asyncio.sleep(0)
        went_on.append(True)
        os.kill(os.getpid(), signal.SIGTERM)

    with capture_logs() as told:
        app = assembly.create_closed(tmp_path, settings, Facts())
        asyncio.run(servers.serve(app, settings, [fails, ends]))
    [failed] = [entry for entry in told if entry["event"] == LogEvent.BESIDE_FAILED]
    assert (failed["error"], failed["where"].split(":")[0]) == ("ValueError", "test_servers.py")
    assert "Amina" not in str(told)
    assert went_on
