"""Assembles the hub from its settings and serves it."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path

import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar, Router

from hub.core.errors import Damaged
from hub.core.status import Facts
from hub.services import discovery, watchdog
from hub.services.discovery import Announcer
from hub.services.procedures.registry import Policy
from hub.services.rpc.dispatch import Bounds, Rpc
from hub.settings import Settings
from hub.store import facts, listening, proof
from hub.store.database import Store
from hub.store.listening import Listening
from hub.web import closed, health, page, refusals, rpc
from hub.web.gate import Gate

_MIB = 1024 * 1024
_BACKLOG = 512
_IN_FLIGHT = 256
"""Requests that are worked on at once; more wait in the kernel's queue."""
_HEADER_MS = 10_000

log = structlog.get_logger()


def create(store: Store, settings: Settings) -> Litestar:
    """Give the hub as an ASGI application."""
    limits = settings.limits
    phones_rpc = Rpc(store, _bounds(settings), _policy(settings))
    phones = rpc.Phones(
        phones_rpc,
        workers=limits.workers,
        gate=Gate(limits.memory_mb * _MIB),
        payload_max=settings.sync.push_bytes_max,
        page_bytes=settings.sync.page_bytes,
    )
    gather = partial(facts.gather, store)
    return _application(
        [
            rpc.router(phones),
            health.router(gather),
            health.metrics_router(store, phones_rpc, gather),
            page.router(settings.hub.name, gather),
        ],
        on_shutdown=[phones.close],
    )


def create_closed(settings: Settings, damage: tuple[str, ...]) -> Litestar:
    """Give what is left of the hub when its database is damaged: a page that says so, and 503 for phones."""

    def gather() -> Facts:
        return Facts(damage=damage, writable=False)

    return _application([closed.router(), health.router(gather), page.router(settings.hub.name, gather)])


def serve(data: Path, settings: Settings) -> None:
    """Serve until the process is told to stop; raises StoreError when the database cannot be opened."""
    try:
        store = Store(data)
    except Damaged as error:
        _serve_closed(settings, (str(error),))
        return
    try:
        damage = _check(store, settings)
        if damage:
            _serve_closed(settings, damage)
            return
        listening.keep(store, Listening(settings.server.host, settings.server.port))
        asyncio.run(_serve(create(store, settings), settings, _beside(store, settings)))
    finally:
        store.close()


def _serve_closed(settings: Settings, damage: tuple[str, ...]) -> None:
    log.error("damaged", findings=len(damage), first=damage[0])
    # It stores nothing, so there is nothing to prove, and starting again would not mend it.
    asyncio.run(_serve(create_closed(settings, damage), settings, [_watchdog(settings, lambda: True)]))


def _check(store: Store, settings: Settings) -> tuple[str, ...]:
    if settings.store.check_at_start == "off":
        return ()
    return tuple(store.check(full=settings.store.check_at_start == "full"))


def _application(routers: list[Router], on_shutdown: list[Callable[[], None]] | None = None) -> Litestar:
    return Litestar(
        route_handlers=routers,
        exception_handlers={Exception: refusals.refuse},
        on_shutdown=on_shutdown,
        openapi_config=None,
        request_max_body_size=None,  # hub.web.body holds each route to its own bound
    )


def _bounds(settings: Settings) -> Bounds:
    limits = settings.limits
    return Bounds(
        hub_name=settings.hub.name,
        always_open=settings.pairing.mode == "open",
        devices=limits.devices,
        sessions=limits.sessions,
        sessions_per_device=limits.sessions_per_device,
        handshakes_per_minute=limits.handshakes_per_minute,
    )


def _policy(settings: Settings) -> Policy:
    return Policy(
        page_bytes=settings.sync.page_bytes,
        quarantine_max=settings.limits.quarantine_records,
        token_days=settings.login.token_days,
        attempts=settings.login.attempts,
        wait_s=settings.login.wait_s,
        wait_max_s=settings.login.wait_max_s,
    )


def _beside(store: Store, settings: Settings) -> list[Callable[[], Coroutine[None, None, None]]]:
    """Give what runs beside the server, until it stops."""
    announcer = Announcer(
        store,
        discovery.Options(
            name=settings.hub.name,
            host=settings.server.host,
            port=settings.server.port,
            host_name=settings.discovery.host_name,
            always_open=settings.pairing.mode == "open",
        ),
    )
    announcing = [announcer.run] if settings.discovery.enabled else []
    return [_watchdog(settings, partial(proof.reaches_card, store)), *announcing]


def _watchdog(settings: Settings, prove: Callable[[], bool]) -> Callable[[], Coroutine[None, None, None]]:
    return partial(watchdog.keep, os.environ, (settings.server.host, settings.server.port), prove)


async def _serve(
    app: Litestar, settings: Settings, beside: Iterable[Callable[[], Coroutine[None, None, None]]] = ()
) -> None:
    server = Server(
        app,
        address=settings.server.host,
        port=settings.server.port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=_IN_FLIGHT,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MS),
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    log.info("serving", host=settings.server.host, port=settings.server.port)
    tasks = [asyncio.create_task(run()) for run in beside]
    try:
        await server.serve()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    log.info("stopped")
