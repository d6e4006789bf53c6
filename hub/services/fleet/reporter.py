"""Reports in the background, after the relay and never beside it."""

import asyncio
import threading
from collections.abc import Callable

import structlog

from hub.actions.box import telling
from hub.core.errors import HubError
from hub.core.log_events import LogEvent
from hub.services.fleet.client import FleetServer
from hub.services.fleet.report import report
from hub.store.database import Store

LOOK_S = 20.0

log = structlog.get_logger()


class Reporter:
    """``server`` is asked each time: another process may have enrolled the hub; it may raise OperatorError."""

    def __init__(
        self, store: Store, server: Callable[[], tuple[FleetServer, int] | None], *, look_s: float = LOOK_S
    ) -> None:
        self._store = store
        self._server = server
        self._look_s = look_s
        self._stop = threading.Event()
        self._failing = ""

    async def run(self) -> None:
        """Report until cancelled. The thread ends with the process: it may wait for a line for half a minute."""
        threading.Thread(target=self._watch, name="fleet", daemon=True).start()
        try:
            await asyncio.Event().wait()
        finally:
            self._stop.set()

    def look(self) -> None:
        """Report if it is time."""
        found = self._server()
        if found is None or not telling.is_due(self._store):
            return
        ended = report(self._store, *found)
        log.info(LogEvent.FLEET, outcome=ended.outcome, failures=ended.failures, bytes_today=ended.day_bytes)

    def _watch(self) -> None:
        while not self._stop.wait(self._look_s):
            try:
                self.look()
                self._failing = ""
            except HubError as error:
                if str(error) != self._failing:
                    self._failing = str(error)
                    log.warning(LogEvent.FLEET, outcome="not_started", reason=self._failing)
            except Exception as error:
                if type(error).__name__ != self._failing:
                    self._failing = type(error).__name__
                    log.exception(LogEvent.FLEET, outcome="broken", error=self._failing)
