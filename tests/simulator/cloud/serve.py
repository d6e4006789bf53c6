"""Serves a stand-in on loopback with Granian, closing idle connections as the cloud does."""

import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar

from tests.simulator.processes import free_port

HOST = "127.0.0.1"

_IDLE_MS = 5_000  # CLOUD.md 0: Granian counts the wait for a next request's head against the same limit
_START_S = 10.0


def server(app: Litestar, port: int) -> Server:
    """Make a server of ``app`` for the running event loop; ``await server.serve()`` serves until ``stop()``."""
    return Server(
        app,
        HOST,
        port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=_IDLE_MS),
        websockets=False,
        log_enabled=False,
    )


@contextmanager
def running(app: Litestar, port: int = 0) -> Iterator[str]:
    """Serve ``app`` in a thread of this process and yield its URL; port 0 takes a free one."""
    port = port or free_port()
    loop = asyncio.new_event_loop()
    served = server(app, port)
    thread = threading.Thread(target=loop.run_until_complete, args=(served.serve(),), daemon=True)
    thread.start()
    listening(port)
    try:
        yield f"http://{HOST}:{port}"
    finally:
        loop.call_soon_threadsafe(served.stop)
        thread.join()
        loop.close()


def listening(port: int) -> None:
    """Return once ``port`` takes connections; OSError when it does not within seconds."""
    until = time.monotonic() + _START_S
    while True:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)
        else:
            return
