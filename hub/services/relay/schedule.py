"""Starts relay cycles: every few minutes, soon after a phone has pushed, at once when there is a line, never twice.

APScheduler keeps the time. Its job ``cycle`` has a date, because the wait depends on how the last cycle ended; whatever
happens moves that date (core.cloud.cycle_plan). Its job ``look`` sees what no event tells: a way out of the local
network (Python cannot listen to netlink by itself) and changes made by other processes, such as the command line.
"""

import asyncio
import contextlib
import threading
import time
import traceback
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.base import JobLookupError
from apscheduler.schedulers.background import BackgroundScheduler

from hub.actions.cloud import cycles
from hub.core.cloud import cycle_outcome
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.cycle_plan import CyclePlan
from hub.core.cloud.link import Last
from hub.core.errors import HubError
from hub.core.log_events import LogEvent
from hub.services.relay.cycle import Report
from hub.services.relay.runner import RelayRules, Runner
from hub.store.database import Store

LOOK_S = 10.0
_CLOCK_S = 30.0
_JUMP_S = 2.0
_STOP_S = 5.0
_ROUTES = Path("/proc/net/route")
_DEFAULT_ROUTE = "00000000"

log = structlog.get_logger()


class Schedule:
    """Relays in the background from ``start`` to ``stop``; without a cloud it only looks whether there is one."""

    def __init__(self, store: Store, rules: RelayRules) -> None:
        self._store = store
        self._stop = threading.Event()
        self._runner = Runner(store, rules, self._stop)
        self._cycle: threading.Thread | None = None
        self._is_running = False
        self._scheduler = BackgroundScheduler(
            daemon=True,
            timezone=UTC,
            executors={"default": ThreadPoolExecutor(1)},
            # More than one, so that a wake during a look is another look after it: there is one thread.
            job_defaults={"coalesce": True, "max_instances": 3, "misfire_grace_time": None},
        )
        self._lock = threading.RLock()
        self._plan = CyclePlan()
        self._newest = 0
        self._cloud: tuple[str, str] | None = None
        self._tried_ms = 0
        self._routed = True
        self._woken = False
        self._clocks_apart_s = _clocks_apart_s()

    async def run(self) -> None:
        """Relay until cancelled."""
        self.start()
        try:
            while True:
                await asyncio.sleep(_CLOCK_S)
                self.follow_clock()
        finally:
            await asyncio.to_thread(self.stop)

    def start(self) -> None:
        """Begin."""
        with contextlib.suppress(HubError):  # a full disk; the next cycle notes how it ends all the same
            cycles.clear_interrupted(self._store)
            self._tried_ms = cycles.standing(self._store).last.tried_ms
        self._scheduler.add_job(self._look, "interval", seconds=LOOK_S, id="look", next_run_time=_wall(0))
        self._scheduler.start()
        self._store.after_commit.append(self.wake)

    def stop(self) -> None:
        """End; a cycle under way ends at its next step, or with the process, which costs nothing but the step."""
        with self._lock:  # whoever plans has planned: APScheduler would wait for a job that waits to add one
            self._stop.set()
        with contextlib.suppress(ValueError):
            self._store.after_commit.remove(self.wake)
        self._scheduler.shutdown(wait=True)
        if self._cycle is not None:
            self._cycle.join(_STOP_S)
        if self._cycle is None or not self._cycle.is_alive():
            self._runner.close()

    def apply(self, rules: RelayRules) -> None:
        """Go by other rules from now on: the next cycle begins when they let it, and at once after a longer wait."""
        self._runner.rules = rules
        with self._lock:
            self._follow(self._plan.rules_changed(time.monotonic(), rules.usual_s))

    def wake(self) -> None:
        """Look now: something was committed."""
        if not self._woken and not self._stop.is_set():
            self._woken = True
            self._look_now()

    def follow_clock(self) -> None:
        """Keep the waits as long as they were meant to be, though the wall clock that APScheduler goes by was set.

        A Pi has no battery clock: it may wake up last week, until a time server puts that right.
        """
        apart_s = _clocks_apart_s()
        if abs(apart_s - self._clocks_apart_s) > _JUMP_S:
            self._clocks_apart_s = apart_s
            self._look_now()
            with self._lock:
                self._follow(self._plan)

    def _look_now(self) -> None:
        with contextlib.suppress(JobLookupError):  # it is being stopped
            self._scheduler.modify_job("look", next_run_time=_wall(0))

    def _follow(self, plan: CyclePlan) -> None:
        """Take a plan, and give the next cycle its date."""
        self._plan = plan
        if self._cloud and not self._is_running and not self._stop.is_set():
            when = _wall(max(0.0, plan.due_s - time.monotonic()))
            self._scheduler.add_job(self._begin, "date", run_date=when, id="cycle", replace_existing=True)

    def _look(self) -> None:
        """See what has changed since the last look, and plan anew if anything has."""
        self._woken = False
        try:
            now = cycles.standing(self._store)
        except HubError as error:
            log.warning(LogEvent.RELAY_NOT_STARTED, reason=str(error))
            return
        with self._lock:
            if self._is_running:
                return
            cloud = (now.link.url, now.key) if now.link else None
            plan = self._seen(self._plan, cloud, now.newest_revision, now.last)
            if plan != self._plan:
                self._follow(plan)

    def _seen(self, plan: CyclePlan, cloud: tuple[str, str] | None, newest: int, last: Last) -> CyclePlan:
        now_s, routed = time.monotonic(), _is_routed()
        if last.tried_ms != self._tried_ms:  # "Sync now" or the command line ran a cycle
            plan = self._after(plan, last)
        if newest > self._newest:
            self._newest = newest
            plan = plan.pushed(now_s)
        if routed and not self._routed:
            plan = plan.line_came_up(now_s)
        self._routed = routed
        if cloud != self._cloud:
            self._cloud = cloud
            plan = CyclePlan(next_s=now_s)
        return plan

    def _after(self, plan: CyclePlan, last: Last) -> CyclePlan:
        """Return the plan after the cycle that ended as ``last`` says."""
        self._tried_ms = last.tried_ms
        return plan.ended(
            time.monotonic(),
            wait_s=last.next_s or self._runner.rules.usual_s,
            is_firm=last.outcome == Outcome.BUSY.word or cycle_outcome.trouble(last.outcome) is not None,
            awaits_line=last.outcome == Outcome.NO_LINE.word,
        )

    def _begin(self) -> None:
        """Begin a cycle, if the hub may relay now."""
        with self._lock:
            if self._cloud is None or self._is_running or self._stop.is_set():
                return
            try:
                withheld = self._runner.withheld()
                if withheld:
                    cycles.note_withheld(self._store, withheld)
                    self._follow(self._plan.postponed(time.monotonic()))
                    return
            except HubError as error:
                log.warning(LogEvent.RELAY_NOT_STARTED, reason=str(error))
                self._follow(self._plan.postponed(time.monotonic()))
                return
            self._plan = self._plan.begun()
            # A thread that ends with the process, which those of APScheduler do not: a cycle may wait for the line
            # longer than systemd waits.
            self._is_running = True
            self._cycle = threading.Thread(target=self._run, name="relay", daemon=True)
            self._cycle.start()

    def _run(self) -> None:
        last: Last | None = None
        try:
            report = self._runner.run(is_patient=True)
            if report is not None:
                _tell(report)
            last = cycles.standing(self._store).last
        except HubError as error:
            log.warning(LogEvent.RELAY, outcome="failed", detail=str(error))
        except Exception as error:  # noqa: BLE001  told by its place alone: its text may hold what is in a record
            at = traceback.extract_tb(error.__traceback__)[-1]
            log.warning(
                LogEvent.RELAY, outcome="broken", error=type(error).__name__, at=f"{Path(at.filename).name}:{at.lineno}"
            )
            with contextlib.suppress(HubError):
                cycles.clear_interrupted(self._store)
        with self._lock:
            self._is_running = False
            usual = self._plan.ended(time.monotonic(), wait_s=self._runner.rules.usual_s)
            self._follow(self._after(self._plan, last) if last else usual)
        self.wake()  # what was committed meanwhile


def _wall(seconds: float) -> datetime:
    """Return the time of day in so many seconds."""
    return datetime.now(UTC) + timedelta(seconds=seconds)


def _clocks_apart_s() -> float:
    return time.time() - time.monotonic()


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
        LogEvent.RELAY,
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
