"""Serves the hub: phones and pages over plain HTTP, the pages over TLS beside it where others can listen."""

import asyncio
import signal
import socket
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar
from litestar.types import ASGIApp

from hub.actions.box import certificate
from hub.app import reach
from hub.core import crowd
from hub.core.log_events import LogEvent
from hub.services.copy import shelf
from hub.services.discovery import links
from hub.settings import Settings
from hub.store.database import Store
from hub.web import refusals
from hub.web.frame import Pages

AGAIN_S = 60.0
"""What runs beside the servers has failed: so much later it is tried again, and it is well once it has run so long."""
_BACKLOG = 1024
_HEADER_MS = 5_000
"""The app opens a connection when it has something to ask."""
_HEAD_BYTES = 32 * 1024
"""Of a request before its body; browsers send some 2 KiB. Granian's own bound would be 400 KiB, for each stranger."""


log = structlog.get_logger()


async def serve(
    app: ASGIApp,
    settings: Settings,
    beside: Iterable[Callable[[], Coroutine[None, None, None]]] = (),
    site: tuple[Store, Pages] | None = None,
    spare: Litestar | None = None,
) -> None:
    """Serve until told to stop; ``beside`` runs meanwhile.

    spare: what other hubs find at the port for their copies.
    """
    servers = [_server(app, settings), *_tls_servers(app, settings, site)]
    if site and spare:
        servers += _spare_servers(spare, settings, site[0].path.parent)

    def stop() -> None:
        if site:
            site[1].watch.close()
        for server in servers:
            server.stop()  # type: ignore[no-untyped-call]  # Granian's

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    log.info(LogEvent.SERVING, host=settings.server.host, port=settings.server.port)
    failing = site[1].failing if site else set()
    tasks = [asyncio.create_task(_keep_running(run, failing)) for run in beside]
    try:
        await asyncio.gather(*(server.serve() for server in servers))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    log.info(LogEvent.SERVING_STOPPED)


async def _keep_running(run: Callable[[], Coroutine[None, None, None]], failing: set[Callable[..., object]]) -> None:
    """Run it, and once more after a while where it fails: phones are served on, and nobody else would hear of it."""
    while True:
        well = asyncio.get_running_loop().call_later(AGAIN_S, failing.discard, run)
        try:
            await run()
        except Exception as error:  # noqa: BLE001  told by its place alone: its text may hold what is in a record
            log.error(LogEvent.BESIDE_FAILED, error=type(error).__name__, where=refusals.where(error))  # noqa: TRY400
            failing.add(run)
        else:
            failing.discard(run)
            return
        finally:
            well.cancel()
        await asyncio.sleep(AGAIN_S)


def _server(app: ASGIApp, settings: Settings, **other: Any) -> Server:  # noqa: ANN401  what Granian takes
    given = {
        "port": settings.server.port,
        "interface": Interfaces.ASGI,
        "backpressure": crowd.TAKEN,
        **other,
    }
    return Server(
        app,
        address=settings.server.host,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MS, max_buffer_size=_HEAD_BYTES),
        log_enabled=False,
        **given,
    )


def _tls_servers(app: ASGIApp, settings: Settings, site: tuple[Store, Pages] | None) -> list[Server]:
    """Return the server of the pages over TLS, if other machines can reach the hub; phones never need it."""
    host, port = settings.server.host, settings.web.https_port
    if site is None or not port or links.is_loopback(host):
        return []
    if not _is_free(host, port):
        log.error(LogEvent.TLS_UNAVAILABLE, reason="port is taken", port=port)
        return []
    store, pages = site
    fingerprint = certificate.load(store, reach.configured(store, settings).host_name()).fingerprint
    at, key_at = certificate.paths(store)
    pages.https_port, pages.fingerprint = port, fingerprint
    log.info(LogEvent.TLS_SERVING, port=port, fingerprint=fingerprint)
    # The first server runs the application's start and end.
    return [
        _server(
            app,
            settings,
            port=port,
            interface=Interfaces.ASGINL,
            ssl_cert=at,
            ssl_key=key_at,
            backpressure=crowd.STRANGERS,  # with those of the phones, fewer than LimitNOFILE
        )
    ]


def _spare_servers(app: Litestar, settings: Settings, data: Path) -> list[Server]:
    host, port = settings.server.host, settings.copy.spare_port
    if not port or not _is_free(host, port):
        log.error(LogEvent.TLS_UNAVAILABLE, reason="port is taken", port=port)
        return []
    at, key_at = shelf.tls(data)
    return [_server(app, settings, port=port, interface=Interfaces.ASGINL, ssl_cert=at, ssl_key=key_at)]


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
