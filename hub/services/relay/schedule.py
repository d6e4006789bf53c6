"""Decides when to relay: every few minutes, at once when there is a line again or a phone has pushed, never twice."""

import asyncio
import contextlib
import threading
import time
import traceback
from pathlib import Path

import structlog
from apscheduler.schedulers.background import BackgroundScheduler

from hub.core.cloud.cycle_outcome import Outcome
from hub.core.errors import HubError
from hub.services.relay.cycle import Report
from hub.services.relay.runner import Rules, Runner
from hub.store.cloud import connection, departures
from hub.store.database import Store

LOOK_S = 3.0
QUIET_S = 5.0
"""A phone's push is relayed when nothing has been pushed for so long."""
PATIENCE_S = 30.0
"""But no later than this after the first one."""
_STOP_S = 5.0
_ROUTES = Path("/proc/net/route")
_DEFAULT_ROUTE = "00000000"

log = structlog.get_logger()


class Signs:
    """What the schedule goes by; times are of the monotonic clock, in seconds."""

    def __init__(self) -> None:
        """Begin with a cycle that is due."""
        self.next_s = 0.0
        self._not_before_s = 0.0
        self._newest = 0
        self._changed_s: float | None = None
        self._quiet_s = 0.0
        self._routed = True
        self._for_line = False

    def see(self, now_s: float, *, newest: int, routed: bool) -> bool:
        """Take in what there is to see, and tell whether a cycle is due.

        newest: revision of the newest change in the outbox.
        routed: there is a way out of the local network.
        """
        came_up = routed and not self._routed
        self._routed = routed
        if newest > self._newest:
            self._newest = newest
            self._quiet_s = now_s + QUIET_S
            self._changed_s = now_s if self._changed_s is None else self._changed_s
        if came_up and self._for_line:
            return True
        if now_s < self._not_before_s:
            return False
        pushed = self._changed_s is not None and (now_s >= self._quiet_s or now_s >= self._changed_s + PATIENCE_S)
        return now_s >= self.next_s or came_up or pushed

    def ran(self, now_s: float, *, wait_s: float, newest: int, obey: bool, for_line: bool = False) -> None:
        """Note that a cycle has ended.

        obey: not even a push makes the next one come sooner: it failed, or the cloud asked for the wait.
        for_line: there was no line; a new one ends the wait.
        """
        self._for_line = for_line
        self.next_s = now_s + wait_s
        self._not_before_s = self.next_s if obey else 0.0
        self._changed_s = None
        self._newest = max(self._newest, newest)


class Schedule:
    """Relays in the background from ``start`` to ``stop``; without a cloud it only looks whether there is one."""

    def __init__(self, store: Store, rules: Rules) -> None:
        """Prepare it."""
        self._store = store
        self._stop = threading.Event()
        self._runner = Runner(store, rules, self._stop)
        self._signs = Signs()
        self._cycle: threading.Thread | None = None
        self._scheduler = BackgroundScheduler(daemon=True)

    async def run(self) -> None:
        """Relay until cancelled."""
        self.start()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(self.stop)

    def start(self) -> None:
        """Begin to look."""
        self._runner.begin()
        self._scheduler.add_job(self._look, "interval", seconds=LOOK_S, coalesce=True, max_instances=1)
        self._scheduler.start()

    def stop(self) -> None:
        """End; a cycle under way ends at its next step, or with the process, which costs nothing but the step."""
        self._stop.set()
        self._scheduler.shutdown(wait=True)
        if self._cycle is not None:
            self._cycle.join(_STOP_S)
        if self._cycle is None or not self._cycle.is_alive():
            self._runner.close()

    def obey(self, rules: Rules) -> None:
        """Go by other rules from now on: the next cycle begins when they let it, and at once after a longer wait."""
        self._runner.rules = rules
        self._signs.next_s = min(self._signs.next_s, time.monotonic() + rules.usual_s)

    def _look(self) -> None:
        if self._cycle is not None and self._cycle.is_alive():
            return
        try:
            with self._store.read() as db:
                connected, newest = connection.link(db) is not None, departures.until(db)
            if not connected or not self._signs.see(time.monotonic(), newest=newest, routed=_is_routed()):
                return
            withheld = self._runner.withheld()
            if withheld:
                self._runner.note(withheld)
                return
        except HubError as error:
            log.warning("relay not started", reason=str(error))
            return
        # A thread of its own that ends with the process: a cycle may wait for the line longer than systemd waits.
        self._cycle = threading.Thread(target=self._run, args=(newest,), name="relay", daemon=True)
        self._cycle.start()

    def _run(self, newest: int) -> None:
        wait_s, obey, for_line = self._runner.rules.usual_s, False, False
        try:
            report = self._runner.run()
            if report is not None:
                _tell(report)
                with self._store.read() as db:
                    wait_s = connection.last(db).next_s or wait_s
                obey = report.outcome.failed or bool(report.retry_after_s)
                for_line = report.outcome is Outcome.NO_LINE
        except HubError as error:
            log.warning("relay", outcome="failed", detail=str(error))
        except Exception as error:  # noqa: BLE001  told by its place alone: its text may hold what is in a record
            at = traceback.extract_tb(error.__traceback__)[-1]
            log.warning(
                "relay", outcome="broken", error=type(error).__name__, at=f"{Path(at.filename).name}:{at.lineno}"
            )
            with contextlib.suppress(HubError):
                self._runner.begin()
        self._signs.ran(time.monotonic(), wait_s=wait_s, newest=newest, obey=obey, for_line=for_line)


def _is_routed() -> bool:
    """Return whether there is a default route; where nobody can tell there is one."""
    try:
        lines = _ROUTES.read_text("ascii").splitlines()[1:]
    except OSError:
        return True
    return any(line.split()[1:2] == [_DEFAULT_ROUTE] for line in lines)


def _tell(report: Report) -> None:
    tell = log.warning if report.outcome.failed else log.info
    tell(
        "relay",
        outcome=report.outcome.word,
        detail=report.detail or None,
        pulled=report.pulled.created + report.pulled.updated + report.pulled.deleted,
        pushed=report.pushed.stored,
        held=report.pushed.held,
        seen=report.pulled.seen,
        requests=report.traffic.requests,
        up=report.traffic.up,
        down=report.traffic.down,
        ms=report.ms,
    )
