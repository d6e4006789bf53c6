"""Puts together what the fleet hears of this hub: what is measured, where it goes, and by which settings."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

from hub import __version__, files
from hub.actions.box import samples, telling
from hub.app import status
from hub.app.live_settings import LiveSettings
from hub.core.errors import OperatorError, SettingError
from hub.core.fleet.health import Health, Machine, health
from hub.core.fleet.hour import Hour
from hub.core.fleet.reporting import ReportOutcome, Told
from hub.core.status.facts import Facts
from hub.services.fleet import report as reports
from hub.services.fleet.client import FleetServer, Reply, checked_token, checked_url
from hub.services.machine import card, measures
from hub.settings import FleetSettings
from hub.store.database import Store
from hub.web.pages.fleet import FleetShown

TOKEN_NAME = "fleet.token"  # noqa: S105  the name of a file
_LOOK_S = 60.0


class Sampler:
    """Keeps the worst of each hour, and a sample when it is over."""

    def __init__(self, store: Store, clock_s: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock_s = clock_s
        self._hour = Hour()
        self._looked_s = clock_s()

    def take(self, facts: Facts) -> None:
        """Take in the facts of now; raises Unavailable where a sample cannot be kept, which is then kept later."""
        self._hour = self._hour.take(facts)
        if self._clock_s() - self._looked_s < _LOOK_S:
            return
        self._looked_s = self._clock_s()
        if facts.ready and samples.is_due(self._store):
            samples.keep(self._store, measured(self._store, facts, self._hour))
            self._hour = Hour()


def measured(store: Store, facts: Facts, hour: Hour) -> Health:
    """Measure what a sample holds."""
    return health(facts, hour, samples.counted(store), _machine(store.path.parent), __version__)


def sample_now(store: Store) -> None:
    """Keep a sample of now."""
    facts = status.gathering(store).gather()
    samples.keep(store, measured(store, facts, Hour().take(facts)))


def server(data: Path, settings: FleetSettings) -> FleetServer | None:
    """Return where to report; None where that is nowhere. Raises OperatorError where the token cannot be read."""
    if not settings.url:
        return None
    return FleetServer(settings.url, _token(data, settings), Path(settings.ca_file) if settings.ca_file else None)


def current(store: Store, live: LiveSettings) -> tuple[FleetServer, int] | None:
    """Return where to report and how many bytes a day, as the settings file says now."""
    settings = live.fleet()
    found = server(store.path.parent, settings)
    return (found, settings.day_kb * 1000) if found else None


def enroll(store: Store, live: LiveSettings, url: str, token: str) -> Reply:
    """Report to this server from now on, and return what it says: it may be out of reach now.

    Raises OperatorError, and keeps nothing, where it refuses the token or is none.
    """
    data, settings = store.path.parent, live.fleet()
    found = FleetServer(checked_url(url), checked_token(token), Path(settings.ca_file) if settings.ca_file else None)
    reply = reports.try_out(found)
    if reply.outcome in {ReportOutcome.REFUSED, ReportOutcome.FAILING}:
        raise OperatorError(f"{reply.outcome.sentence} ({reply.detail})")
    files.replace(_token_path(data, settings), [f"{found.token}\n".encode()])
    if live.change(store, {"fleet.url": found.url}, also_closed=True):
        telling.forget(store)
    return reply


def leave(store: Store, live: LiveSettings) -> bool:
    """Report nowhere from now on; returns whether the hub reported anywhere."""
    settings = live.fleet()
    changed = live.change(store, {"fleet.url": ""}, also_closed=True)
    with contextlib.suppress(FileNotFoundError):
        _token_path(store.path.parent, settings).unlink()
    telling.forget(store)
    return bool(changed)


def shown(store: Store, live: LiveSettings) -> FleetShown | None:
    """Return what people see of it; None where the hub reports nowhere, or its settings cannot be read."""
    try:
        url = live.fleet().url
    except SettingError:
        return None
    now = telling.standing(store)

    def ago_s(at_ms: int) -> int | None:
        return (now.now_ms - at_ms) // 1000 if at_ms else None

    return FleetShown(url, now.told.outcome, ago_s(now.told.tried_ms), ago_s(now.told.succeeded_ms)) if url else None


def send(store: Store, live: LiveSettings) -> Told:
    """Take a sample and report now; raises OperatorError where the hub is not enrolled."""
    found = current(store, live)
    if found is None:
        raise OperatorError("this hub reports to no fleet server; see 'hikma-hub fleet enroll --help'")
    sample_now(store)
    return reports.report(store, *found)


def _machine(data: Path) -> Machine:
    now = measures.measure(data)
    return Machine(
        disk_bytes=now.disk_bytes,
        memory_free_bytes=now.memory_free_bytes,
        uptime_s=now.uptime_s,
        wear_percent=now.wear_percent,
        card_errors=card.errors(),
        kernel=now.kernel,
    )


def _token_path(data: Path, settings: FleetSettings) -> Path:
    return Path(settings.token_file) if settings.token_file else data / TOKEN_NAME


def _token(data: Path, settings: FleetSettings) -> str:
    path = _token_path(data, settings)
    try:
        return checked_token(path.read_text("ascii"))
    except (OSError, UnicodeDecodeError):
        raise OperatorError(f"the fleet token cannot be read from {path}; enroll the hub again") from None
