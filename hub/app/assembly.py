"""Assembles the hub from its settings and serves it."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import structlog
from litestar import Litestar, Response
from litestar.handlers import HTTPRouteHandler
from litestar.utils.sync import ensure_async_callable

from hub.actions.box import facts, listening, samples, serving
from hub.actions.box.listening import Listening
from hub.actions.people import setup
from hub.app import backup, beside, copying, one_hub, recovery, rules, servers, spare, support, web_wiring
from hub.app.live_settings import LiveSettings
from hub.app.opening import opened
from hub.core.log_events import LogEvent
from hub.core.status.card import CardShape
from hub.core.status.facts import Facts
from hub.services.copy import shelf
from hub.services.copy.writer import CopyWriter
from hub.services.machine.connections import Connections
from hub.services.rpc.dispatch import Rpc
from hub.services.status import file
from hub.services.status.watch import StatusWatch
from hub.settings import Settings
from hub.store.database import FILE_NAME, Store
from hub.web import closed, health, look, pages, probes, refusals, rpc
from hub.web.body import AnyRequest
from hub.web.byte_budget import ByteBudget
from hub.web.frame import Pages
from hub.web.gatekeeper import SignInNeeded
from hub.web.pace import Paced
from hub.web.pages import problem, public

_MIB = 1024 * 1024
_STARTING_S = 3.0
Refusing: TypeAlias = dict[type[Exception] | int, Callable[[AnyRequest, Any], Response[bytes]]]
"""What answers which failure."""
Greet: TypeAlias = Callable[[Store, Settings], None]

log = structlog.get_logger()


def create(store: Store, live: LiveSettings) -> tuple[Litestar, Pages, Rpc]:
    """Return the hub as an ASGI application, its pages, and the hub as phones see it."""
    settings = live.settings
    limits = settings.limits
    phones_rpc = Rpc(store, rules.bounds(settings), rules.policy(settings))
    shown = web_wiring.pages(store, live, phones_rpc)
    phones = rpc.Phones(
        phones_rpc,
        shown.passwords,
        folder=store.path.parent,
        workers=limits.workers,
        budget=ByteBudget(limits.memory_mb * _MIB),
        payload_max=settings.sync.push_bytes_max,
        page_bytes=settings.sync.page_bytes,
    )
    gather = partial(facts.gather, store, count=facts.uncounted)
    for_browsers = [
        *health.handlers(gather, shown.failing),
        *health.metrics_handlers(store, phones_rpc, gather, _metrics_token_file(settings)),
        *look.handlers(),
        *pages.handlers(shown, store, web_wiring.powers(store, live, phones_rpc)),
    ]
    check = ensure_async_callable(web_wiring.own_names(store, settings).check)
    for handler in for_browsers:  # a router around them would be copied, and take as long as all the rest
        handler.before_request = check
    refusing: Refusing = {Exception: problem.explain(shown), SignInNeeded: problem.ask}
    handlers = [*rpc.handlers(phones), *probes.handlers(), *for_browsers]
    return _application(handlers, refusing, [phones.close, shown.close]), shown, phones_rpc


def create_closed(data: Path, settings: Settings, facts_now: Facts) -> Litestar:
    """Return what is left of the hub when it has no database to use: a page that says so, and 503 for phones."""

    def gather() -> Facts:
        return facts_now

    page = public.closed_handlers(
        settings.hub.name,
        settings.hub.language,
        gather,
        lambda: support.build(data, settings, None, facts_now.damage),
    )
    handlers = [*closed.handlers(), *probes.handlers(), *health.handlers(gather), *look.handlers(), *page]
    return _application(handlers, {Exception: refusals.refuse})


def serve(
    data: Path,
    read: Callable[[], LiveSettings],
    greet: Greet = lambda _store, _settings: None,
    card: CardShape = CardShape.SOUND,
) -> None:
    """Serve until the process is told to stop; a new hub that becomes another one, or a spare, starts again as that.

    read: reads the settings at each start. greet: is called once the hub can be set up. card: what first boot found.
    Raises StoreError when the database cannot be opened, OperatorError where another hub serves it.
    """
    with one_hub.alone(data):
        if card is CardShape.GONE and not _is_hub(data):
            _serve_closed(data, read().settings, Facts(card=card, writable=False))
            return
        served = None
        while served != recovery.form(data):
            recovery.take(data)
            served = recovery.form(data)
            _serve(data, read(), greet, card)


def _is_hub(data: Path) -> bool:
    """Whether a hub is there, or waits to be put there: one whose data was gone may have been restored since."""
    return (data / FILE_NAME).exists() or recovery.is_ready(data)


def _serve(data: Path, live: LiveSettings, greet: Greet, card: CardShape) -> None:
    settings = live.settings
    with _starting(settings):
        store, damage = opened(data, settings, card)
    if store is None:
        _serve_damaged(data, settings, damage)
        return
    with contextlib.ExitStack() as stack:
        stack.callback(store.close)
        if damage:
            _serve_damaged(data, settings, damage)
            return
        listening.keep(store, Listening(settings.server.host, settings.server.port))
        backup.sweep(data)
        samples.note_start(store)
        serving.go_on(store)
        setup.code(store)  # it can be shown from the first start on
        greet(store, settings)
        stack.callback(_copying(store, live).close)
        application, shown, phones_rpc = create(store, live)
        ports = {settings.server.port, settings.web.https_port}
        crowd = Connections(ports, phones_rpc.sessions.heard_at)
        becoming = partial(recovery.stop_when_changed, data, recovery.form(data))
        begun = asyncio.Event()
        application.on_startup.append(begun.set)
        tasks: list[beside.Beside] = [*beside.every(store, live, shown, begun), shown.watch.run, crowd.keep, becoming]
        paced = Paced(application, phones_rpc.sessions.heard_at)
        asyncio.run(servers.serve(paced, settings, tasks, (store, shown), _spare(store)))


def _copying(store: Store, live: LiveSettings) -> CopyWriter:
    """Begin to keep the copy, if there is to be one, now or later."""
    writer = copying.writer(store, live.path, hub_name=live.settings.hub.name)
    writer.start()
    return writer


def _spare(store: Store) -> Litestar | None:
    key = shelf.key(store.path.parent)
    return spare.application(store, key) if key else None


def _serve_damaged(data: Path, settings: Settings, damage: tuple[str, ...]) -> None:
    log.error(LogEvent.DATABASE_DAMAGED, findings=len(damage), first=damage[0])
    _serve_closed(data, settings, Facts(damage=damage, writable=False))


def _serve_closed(data: Path, settings: Settings, facts_now: Facts) -> None:
    watch = StatusWatch(facts_now, lambda: facts_now, partial(_tell, settings))
    # It stores nothing, so there is nothing to prove, and starting again would not mend it.
    tasks = [beside.guarding(settings, lambda: True), watch.run]
    asyncio.run(servers.serve(create_closed(data, settings, facts_now), settings, tasks))


@contextlib.contextmanager
def _starting(settings: Settings) -> Iterator[None]:
    """Tell meanwhile that the hub starts: checking a large database takes longer than a silence may."""
    done = threading.Event()

    def tell() -> None:
        while True:
            _tell(settings, Facts(ready=False))
            if done.wait(_STARTING_S):
                return

    teller = threading.Thread(target=tell, name="starting", daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()


def _tell(settings: Settings, now: Facts) -> None:
    """Write status.json where its folder is there."""
    with contextlib.suppress(FileNotFoundError):
        file.write(Path(settings.box.status_file), settings.hub.name, now)


def _metrics_token_file(settings: Settings) -> Path | None:
    name = settings.web.metrics_token_file
    return Path(name) if name else None


def _application(
    handlers: list[HTTPRouteHandler],
    refusing: Refusing,
    on_shutdown: list[Callable[[], None]] | None = None,
) -> Litestar:
    return Litestar(
        route_handlers=handlers,
        exception_handlers=refusing,
        on_shutdown=on_shutdown,
        openapi_config=None,
        logging_config=None,  # hub.cli.logs says what is logged, and how
        request_max_body_size=None,  # hub.web.body holds each route to its own bound
    )
