"""What runs beside the servers of a hub that keeps records."""

import asyncio
import contextlib
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from hub.app import beside, servers
from hub.core.records import codec
from hub.core.records.push_decision import Add
from hub.core.records.tables import TABLES
from hub.store.records import record_rows, unsearched
from tests.app.test_servers import local
from tests.web.site import Site


def test_patients_who_came_many_at_once_are_indexed_though_nobody_searches(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beside, "ANSWERED_S", 0.0)
    settings, table = local(), TABLES["patients"]
    site = Site(tmp_path / "data", settings=settings)

    def put(names: str) -> None:
        rows = [codec.build(table, {"id": f"{name}{number}"}) for name in names for number in range(500)]
        with site.store.write() as tx:
            record_rows.add(tx, table, [Add(row, *codec.write(row)) for row in rows], device=1)

    def is_indexed() -> bool:
        with site.store.read() as db:
            return unsearched.is_empty(db)

    def wait() -> None:
        deadline = time.monotonic() + 20
        while not is_indexed() and time.monotonic() < deadline:
            time.sleep(0.01)

    def push() -> None:
        wait()
        put("bcd")
        wait()
        os.kill(os.getpid(), signal.SIGTERM)

    async def serve() -> None:
        tasks = beside.every(site.store, site.live, site.pages, asyncio.Event())
        pushing = partial(asyncio.to_thread, push)
        await servers.serve(site.client.app, settings, [*tasks, pushing], (site.store, site.pages))

    with contextlib.closing(site.store):
        put("a")  # the power was cut before it was indexed
        assert not is_indexed()
        asyncio.run(serve())
        assert is_indexed()
        assert site.store.after_commit == []
