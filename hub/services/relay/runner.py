"""Runs cycles one at a time, keeps how each ended, and says when the next is due."""

import fcntl
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from hub.actions.cloud import cycles
from hub.core.clock import Heard
from hub.core.cloud import cycle_outcome
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import Last, Link
from hub.services.relay import cycle
from hub.services.relay.client import Cloud
from hub.services.relay.cycle import Limits, Report, Steps
from hub.services.relay.rate_limit import RateLimit
from hub.store.database import Store

LOCK_NAME = "relay.lock"


class RelayRules(msgspec.Struct, frozen=True):
    """When and how much the hub may relay."""

    usual_s: float = 300
    requests_per_minute: int = 40
    """Of the 60 that the cloud counts for an address, which phones may share (CLOUD.md 2.4)."""
    hours_from: int = 0
    hours_to: int = 24
    """Local time; equal ends, and 0 to 24, mean always."""
    month_bytes: int = 0
    """0 for any number."""
    limits: Limits = Limits()


class Runner:
    """Runs the cycles of one hub."""

    def __init__(self, store: Store, rules: RelayRules, stop: threading.Event | None = None) -> None:
        """Prepare to run; ``stop`` ends a cycle at its next step."""
        self.rules = rules
        self._store = store
        self._data = store.path.parent
        self._limit = RateLimit(self._data, rules.requests_per_minute, stop)
        self._client: tuple[str, str, Cloud] | None = None
        self._random = random.SystemRandom()

    def run(self, *, is_patient: bool = False) -> Report | None:
        """Run a cycle; None if one was running already, and has ended by now. is_patient: nobody waits for it."""
        with cycle_lock(self._data) as is_free:
            if not is_free:
                return None
            self._limit.per_minute = self.rules.requests_per_minute
            steps = Steps(self._limit.check, partial(cycles.mark_running, self._store))
            report = cycle.run(self._store, self._client_for, self.rules.limits, steps, is_patient=is_patient)
            if report.outcome is not Outcome.STOPPED:
                self._keep(report)
            return report

    def withheld(self) -> Outcome | None:
        """Return why the hub may not relay now by its own rules; None if it may."""
        if not cycle_outcome.in_hours(time.localtime().tm_hour, self.rules.hours_from, self.rules.hours_to):
            return Outcome.OUT_OF_HOURS
        progress = cycles.progress(self._store)
        used = progress.month_bytes if progress.month == cycle.month(None) else 0
        return Outcome.OVER_BUDGET if self.rules.month_bytes and used >= self.rules.month_bytes else None

    def close(self) -> None:
        """Close the connection to the cloud."""
        if self._client:
            self._client[2].close()
            self._client = None

    def _client_for(self, link: Link, key: str) -> Cloud:
        """Return the client that was used last, if it still speaks to the same cloud."""
        if self._client and self._client[:2] == (link.url, key):
            return self._client[2]
        self.close()
        client = Cloud(link.url, key, self._limit)
        self._client = (link.url, key, client)
        return client

    def _keep(self, report: Report) -> None:
        last, now_ms = cycles.last_cycle(self._store)
        outcome = report.outcome
        # A line that breaks again and again, and carries something each time, is not given up bit by bit.
        failures = (1 if report.moved else last.failures + 1) if outcome.failed else 0
        next_s = cycle_outcome.delay_s(
            outcome,
            failures=failures,
            usual_s=self.rules.usual_s,
            draw=self._random.random(),
            retry_after_s=report.retry_after_s,
        )
        succeeded = last.succeeded_ms if outcome.failed or outcome is Outcome.BUSY else now_ms
        now = Last(
            tried_ms=now_ms,
            succeeded_ms=succeeded,
            outcome=outcome.word,
            sentence=f"{outcome.sentence} ({report.detail})" if report.detail else outcome.sentence,
            failures=failures,
            next_s=round(next_s),
            report=told(report),
            heard=Heard(report.cloud_ms, time.time_ns() // 1_000_000, now_ms) if report.cloud_ms else last.heard,
        )
        cycles.end_cycle(self._store, now)


@contextmanager
def cycle_lock(data: Path) -> Iterator[bool]:
    """Let one cycle run at a time on the hub that keeps its data in ``data``, whichever process runs it.

    Yields True at once when no cycle was running; False when one was, after its end: it was ours too.
    """
    with (data / LOCK_NAME).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield False
        else:
            yield True


def told(report: Report) -> dict[str, Any]:
    """Return a report for scripts."""
    fields = msgspec.to_builtins(msgspec.structs.replace(report, outcome=Outcome.DONE), enc_hook=str)
    row = {name: fields[name] for name in ("full", "pulled", "pushed", "again", "traffic", "ms")}
    return {"outcome": report.outcome.word, "detail": report.detail, **row}
