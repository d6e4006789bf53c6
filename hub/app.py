"""Assembles the hub from its settings and serves it."""

import asyncio
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import structlog
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server
from litestar import Litestar, Response, Router

from hub.core.errors import Damaged, HubError
from hub.core.status import Facts
from hub.services import discovery, status_file, watchdog
from hub.services.discovery import Announcer, links
from hub.services.discovery.reach import Reach
from hub.services.machine.switch import Switch
from hub.services.procedures.registry import Policy
from hub.services.relay.connect import connect
from hub.services.relay.cycle import Limits
from hub.services.relay.runner import Rules, Runner
from hub.services.relay.schedule import Schedule
from hub.services.rpc.dispatch import Bounds, Rpc
from hub.settings import Settings
from hub.store import certificate, cloud, facts, identity, listening, proof, setup
from hub.store.database import Store
from hub.store.listening import Listening
from hub.web import closed, health, look, pages, refusals, rpc
from hub.web.body import AnyRequest
from hub.web.desk import Desk, Options, Relay
from hub.web.gate import Gate
from hub.web.gathering import Gathering
from hub.web.pages import problem, public
from hub.web.watch import Watch

_MIB = 1024 * 1024
_BACKLOG = 512
_IN_FLIGHT = 256
"""Requests that are worked on at once; more wait in the kernel's queue."""
_HEADER_MS = 10_000

log = structlog.get_logger()


def create(store: Store, settings: Settings) -> tuple[Litestar, Desk]:
    """Give the hub as an ASGI application, and the desk that receives its visitors."""
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
    desk = _desk(store, settings, phones_rpc)
    routers = [
        rpc.router(phones),
        health.router(gather),
        health.metrics_router(store, phones_rpc, gather),
        look.router(),
        pages.router(desk),
    ]
    return _application(routers, refuse=problem.explain(desk), on_shutdown=[phones.close]), desk


def _desk(store: Store, settings: Settings, phones_rpc: Rpc) -> Desk:
    """Give what the pages share."""
    with store.read() as db:
        phones_rpc.name = identity.name(db) or settings.hub.name
    path = Path(settings.box.status_file)

    gathering = Gathering(store)

    def publish(now: Facts) -> None:
        gathering.keep(now)
        status_file.write(path, phones_rpc.name, now)

    return Desk(
        store,
        phones_rpc,
        Watch(gathering.gather(), gathering.gather, publish),
        switch=Switch(settings.box.restart_command, settings.box.shutdown_command),
        relay=_relay(store, settings),
        options=_options(store, settings),
    )


def _options(store: Store, settings: Settings) -> Options:
    ways = _ways(store, settings)
    return Options(
        data=store.path.parent,
        port=settings.server.port,
        plain_sign_in=settings.web.plain_sign_in,
        idle_minutes=settings.web.idle_minutes,
        show_lights=settings.web.show_lights,
        pairing_minutes=settings.pairing.minutes,
        pairing_always=settings.pairing.mode == "open",
        quarantine_max=settings.limits.quarantine_records,
        attempts=settings.login.attempts,
        wait_s=settings.login.wait_s,
        wait_max_s=settings.login.wait_max_s,
        host=ways.host,
        moved=ways.moved,
        listed=tuple(_listed(settings)),
    )


def _ways(store: Store, settings: Settings) -> Reach:
    server = Listening(settings.server.host, settings.server.port)
    by_name = settings.pairing.address == "name"
    return Reach(store, server, wanted=settings.discovery.host_name, by_name=by_name)


def _relay(store: Store, settings: Settings) -> Relay:
    """Give what the page can do about the cloud."""

    def disconnect() -> None:
        with store.write() as tx:
            cloud.disconnect(tx)

    def cycle() -> None:
        runner = Runner(store, relay_rules(settings))
        try:
            runner.run()
        except HubError as error:
            log.warning("relay", outcome="failed", detail=str(error))
        finally:
            runner.close()

    return Relay(
        connect=partial(connect, store),
        disconnect=disconnect,
        sync=lambda: threading.Thread(target=cycle, name="relay by hand", daemon=True).start(),
    )


def _listed(settings: Settings) -> Iterator[tuple[str, str, str, bool]]:
    """Give every setting as section, key, value, and whether the value is the default."""
    default = msgspec.to_builtins(Settings())
    for section, keys in msgspec.to_builtins(settings).items():
        for key, value in keys.items():
            text = str(value).lower() if isinstance(value, bool) else str(value)
            yield section, key, text or '""', value == default[section][key]


def create_closed(settings: Settings, damage: tuple[str, ...]) -> Litestar:
    """Give what is left of the hub when its database is damaged: a page that says so, and 503 for phones."""

    def gather() -> Facts:
        return Facts(damage=damage, writable=False)

    page = public.closed_router(settings.hub.name, gather)
    return _application([closed.router(), health.router(gather), look.router(), page])


def serve(data: Path, settings: Settings) -> None:
    """Serve until the process is told to stop; raises StoreError when the database cannot be opened."""
    _tell(settings, Facts(ready=False))
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
        setup.code(store)  # it can be shown from the first start on
        application, desk = create(store, settings)
        beside = [*_beside(store, settings), desk.watch.run]
        asyncio.run(_serve(application, settings, beside, desk))
    finally:
        store.close()


def _serve_closed(settings: Settings, damage: tuple[str, ...]) -> None:
    log.error("damaged", findings=len(damage), first=damage[0])
    facts_now = Facts(damage=damage, writable=False)
    watch = Watch(facts_now, lambda: facts_now, partial(_tell, settings))
    # It stores nothing, so there is nothing to prove, and starting again would not mend it.
    beside = [_watchdog(settings, lambda: True), watch.run]
    asyncio.run(_serve(create_closed(settings, damage), settings, beside))


def _tell(settings: Settings, now: Facts) -> None:
    """Write status.json where its folder is there."""
    with contextlib.suppress(FileNotFoundError):
        status_file.write(Path(settings.box.status_file), settings.hub.name, now)


def _check(store: Store, settings: Settings) -> tuple[str, ...]:
    if settings.store.check_at_start == "off":
        return ()
    return tuple(store.check(full=settings.store.check_at_start == "full"))


def _application(
    routers: list[Router],
    *,
    refuse: Callable[[AnyRequest, Exception], Response[bytes]] = refusals.refuse,
    on_shutdown: list[Callable[[], None]] | None = None,
) -> Litestar:
    return Litestar(
        route_handlers=routers,
        exception_handlers={Exception: refuse},
        on_shutdown=on_shutdown,
        openapi_config=None,
        logging_config=None,  # hub.cli.logs says what is logged, and how
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


def relay_rules(settings: Settings) -> Rules:
    """Give what the settings say of the relay."""
    relay = settings.relay
    return Rules(
        usual_s=relay.minutes * 60,
        requests_per_minute=relay.requests_per_minute,
        hours_from=relay.hours_from,
        hours_to=relay.hours_to,
        month_bytes=relay.month_mb * 1_000_000,
        limits=Limits(
            batch_records=relay.batch_records,
            batch_bytes=relay.batch_bytes,
            quarantine_max=settings.limits.quarantine_records,
        ),
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
    relaying = Schedule(store, relay_rules(settings))
    return [_watchdog(settings, partial(proof.reaches_card, store)), *announcing, relaying.run]


def _watchdog(settings: Settings, prove: Callable[[], bool]) -> Callable[[], Coroutine[None, None, None]]:
    return partial(watchdog.keep, os.environ, (settings.server.host, settings.server.port), prove)


async def _serve(
    app: Litestar,
    settings: Settings,
    beside: Iterable[Callable[[], Coroutine[None, None, None]]] = (),
    desk: Desk | None = None,
) -> None:
    servers = [_server(app, settings), *_tls_servers(app, settings, desk)]

    def stop() -> None:
        if desk:
            desk.watch.close()
        for server in servers:
            server.stop()  # type: ignore[no-untyped-call]  # Granian's

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    log.info("serving", host=settings.server.host, port=settings.server.port)
    tasks = [asyncio.create_task(run()) for run in beside]
    try:
        await asyncio.gather(*(server.serve() for server in servers))
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    log.info("stopped")


def _server(app: Litestar, settings: Settings, **other: Any) -> Server:  # noqa: ANN401  what Granian takes
    given = {"port": settings.server.port, "interface": Interfaces.ASGI, **other}
    return Server(
        app,
        address=settings.server.host,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        backpressure=_IN_FLIGHT,
        http1_settings=HTTP1Settings(header_read_timeout=_HEADER_MS),
        log_enabled=False,
        **given,
    )


def _tls_servers(app: Litestar, settings: Settings, desk: Desk | None) -> list[Server]:
    """Give the server of the pages over TLS, if other machines can reach the hub; phones never need it."""
    host, port = settings.server.host, settings.web.https_port
    if desk is None or not port or links.is_loopback(host):
        return []
    if not _is_free(host, port):
        log.error("no pages over TLS", reason="port is taken", port=port)
        return []
    fingerprint = certificate.load(desk.store, _ways(desk.store, settings).host_name()).fingerprint
    at, key_at = certificate.paths(desk.store)
    desk.https_port = port
    log.info("serving pages over TLS", port=port, fingerprint=fingerprint)
    # The first server runs the application's start and end.
    return [_server(app, settings, port=port, interface=Interfaces.ASGINL, ssl_cert=at, ssl_key=key_at)]


def _is_free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True
