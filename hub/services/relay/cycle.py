"""Carries out one relay cycle: who are we, what is new there, what is new here (R1-R8)."""

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import msgspec

from hub.actions.cloud import cycles
from hub.actions.cloud import link as cloud_link
from hub.core.cloud import pull_plan
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.cloud.link import ACTIVE, Link, Progress
from hub.core.cloud.pull_tally import PullTally
from hub.core.errors import (
    CloudBusy,
    CloudError,
    CloudFailing,
    KeyRefused,
    NoLine,
    NotTheCloud,
    TooLargeAnswer,
    TooSlow,
    Unavailable,
    Unreadable,
)
from hub.core.status.facts import FREE_BYTES_SPENT
from hub.services.relay import pull
from hub.services.relay.client import Cloud, CloudDevice, Traffic
from hub.services.relay.pull import MergedPull
from hub.services.relay.push import BatchSize, Push, Sent, Terms
from hub.services.relay.rate_limit import Stopped
from hub.store.database import Store

Failure: TypeAlias = CloudError | Unavailable
"""What went wrong with a pull, where a push may still go well."""
RETRY_EVERY_MS = 86_400_000
ALL = 1_000_000
RETRIED = 20
"""What is on hold is tried again once a day, a few at a time: each takes a dozen requests to be found again."""


class Limits(msgspec.Struct, frozen=True):
    """What a cycle may use."""

    batch_records: int = 500
    batch_bytes: int = 1024 * 1024


class Steps:
    """Where a cycle can be interrupted, and when it begins to move records."""

    def __init__(self, check: Callable[[], None], moves: Callable[[], None]) -> None:
        """Take what to call at every step, which may raise Stopped, and what to call once."""
        self._check = check
        self._moves = moves
        self._moving = False

    def step(self) -> None:
        """Do a step that moves records."""
        self._check()
        if not self._moving:
            self._moving = True
            self._moves()


class Report(msgspec.Struct):
    """What a cycle did."""

    outcome: Outcome
    detail: str = ""
    full: bool = False
    pulled: PullTally = msgspec.field(default_factory=PullTally)
    pushed: Sent = msgspec.field(default_factory=Sent)
    again: int = 0
    """Records that the cloud said success to and did not show: they are sent once more."""
    traffic: Traffic = msgspec.field(default_factory=Traffic)
    ms: int = 0
    retry_after_s: float = 0
    cloud_ms: int | None = None
    """The cloud's clock at the end."""

    @property
    def moved(self) -> bool:
        """Whether it brought anything further, however it ended."""
        return bool(self.pushed.stored or self.pulled.created or self.pulled.updated or self.pulled.seen)


def run(
    store: Store, speak: Callable[[Link, str], Cloud], limits: Limits, steps: Steps, *, is_patient: bool = False
) -> Report:
    """Carry out a cycle and keep how far it came; ``speak`` gives the client for a link and its key.

    is_patient: nobody waits for it, so that a pull may wait for the next one (pull_plan.can_wait).
    """
    started = time.monotonic()
    found, key, progress = cycles.begin(store)
    if found is None:
        return Report(Outcome.NO_CLOUD)
    report = Report(Outcome.DONE)
    try:
        client = speak(found, key)
        before = msgspec.structs.replace(client.traffic)
        cycle = _Cycle(store, client, found, progress, limits, steps, report)
        try:
            cycle.run(is_patient=is_patient)
        finally:
            report.traffic = _since(before, client.traffic)
            report.cloud_ms = client.now_ms()
            cycle.save()
    except (CloudError, Unavailable, Stopped) as error:
        report.outcome, report.detail = _outcome(error), str(error)
        report.retry_after_s = error.retry_after_s if isinstance(error, CloudBusy) else 0
    report.ms = round((time.monotonic() - started) * 1000)
    return report


def month(cloud_ms: int | None) -> str:
    """Return year and month, by the cloud's clock where it was heard: the hub's own may be wrong."""
    return time.strftime("%Y-%m", time.gmtime(cloud_ms / 1000 if cloud_ms is not None else time.time()))


class _Cycle:
    """A cycle under way: it alone moves on how far the relay has come."""

    def __init__(
        self,
        store: Store,
        client: Cloud,
        found: Link,
        progress: Progress,
        limits: Limits,
        steps: Steps,
        report: Report,
    ) -> None:
        self._store = store
        self._client = client
        self._link = found
        self._limits = limits
        self._steps = steps
        self._report = report
        self._progress = progress
        self._unsaved: dict[str, Any] = {}

    def run(self, *, is_patient: bool) -> None:
        self._introduce(self._client.verify())
        if self._link.status != ACTIVE:
            self._report.outcome, self._report.detail = Outcome.PAUSED, f"its status there is {self._link.status}"
            return
        if not self._link.clinics:
            self._report.outcome = Outcome.NO_CLINIC
            return
        if is_patient and self._can_wait():
            self._push(only_new=True)
            return
        if self._can_wait() and not self._is_full():
            failure = self._peek()
            self._push(only_new=failure is not None)
            if failure:
                raise failure
            return
        if self._progress.pull_failures:
            # The line may not hold for a whole pull again: what needs none uses it while it holds.
            self._push(only_new=True)
        failure = self._pull()
        if isinstance(failure, CloudBusy):
            raise failure
        self._push(only_new=failure is not None and not pull_plan.is_blind(self._progress, self._client.now_ms() or 0))
        if failure is None and self._report.pulled.lost:
            failure = self._pull_once(full=False)  # which of it the cloud had really lost is seen at once
        if failure:
            raise failure

    def save(self) -> None:
        """Keep what is not kept yet, and what the cycle cost. It may be lost: the next one does a little more then."""
        traffic, now = self._report.traffic, month(self._report.cloud_ms)
        before = self._progress.month_bytes if self._progress.month == now else 0
        self._note(month=now, month_bytes=before + traffic.up + traffic.down)
        cycles.advance(self._store, **self._unsaved)

    def _note(self, **changed: Any) -> None:  # noqa: ANN401  fields of Progress
        """Remember how much further it came, to be kept at the end of the cycle."""
        self._progress = msgspec.structs.replace(self._progress, **changed)
        self._unsaved |= changed

    def _introduce(self, device: CloudDevice) -> None:
        """Keep what the cloud says of this hub."""
        clinics = tuple(clinic.lower() for clinic in device.clinic_ids)
        told = msgspec.structs.replace(
            self._link, device=device.id, name=device.name, clinics=clinics, status=device.status
        )
        if told != self._link:
            cloud_link.update(self._store, told)
        self._link = told

    def _can_wait(self) -> bool:
        return pull_plan.can_wait(self._progress, self._client.now_ms() or 0)

    def _is_full(self) -> bool:
        now_ms = self._client.now_ms() or self._progress.cursor_cloud_ms
        return pull_plan.is_full(self._progress, self._link.clinics, now_ms)

    def _peek(self) -> Failure | None:
        """Merge what is new since a large push ended, for somebody who waits: the next pull brings all of it, once."""
        pulled = self._fetch(self._progress.pushed_cloud_ms + pull_plan.WHOLE_SECOND_MS, full=False)
        if isinstance(pulled, Failure):
            return pulled
        if pulled.asks:
            self._want_full("the cloud deleted what others stood with")
        return None

    def _pull(self) -> Failure | None:
        """Pull and merge; returns what went wrong with it."""
        full = self._is_full()
        failure = self._pull_once(full=full)
        if failure is None and not full and pull_plan.wanted_at_once(self._progress):
            return self._pull_once(full=True)
        return failure

    def _pull_once(self, *, full: bool) -> Failure | None:
        self._report.full |= full
        last_ms = pull.FROM_THE_START if full else max(self._progress.cursor_cloud_ms - pull_plan.OVERLAP_MS, 1)
        pulled = self._fetch(last_ms, full=full)
        if isinstance(pulled, Failure):
            return pulled
        self._arrived(pulled, full=full)
        return None

    def _fetch(self, last_ms: int, *, full: bool) -> MergedPull | Failure:
        """Merge what changed since; returns what went wrong with it."""
        try:
            with self._client.pull(last_ms) as body:
                pulled = pull.pull(self._store, body, full=full, step=self._step_of_pull)
        except (NoLine, CloudFailing, CloudBusy, Unavailable) as error:
            failed = pull_plan.failed(self._progress, self._client.now_ms() or 0)
            self._note(pull_failures=failed.pull_failures, pulls_fail_since_cloud_ms=failed.pulls_fail_since_cloud_ms)
            if full:
                self._note(full_failed_cloud_ms=self._client.now_ms() or 0)
            return error
        self._report.pulled += pulled.tally
        self._client.told(pulled.cloud_ms)
        return pulled

    def _step_of_pull(self) -> None:
        self._store.need_room(FREE_BYTES_SPENT)
        self._steps.step()

    def _arrived(self, pulled: MergedPull, *, full: bool) -> None:
        """Move the cursor, now that the merge is on disk (R7), and look after what ought to have come."""
        tally, progress = pulled.tally, self._progress
        cursor_ms = cycles.cursor(self._store, pulled.cloud_ms)
        self._note(cursor_cloud_ms=cursor_ms, clinics=self._link.clinics, pulls=progress.pulls + 1)
        self._note(pull_failures=0, pushed_bytes=0)
        if full:
            self._note(full_wanted="", full_cloud_ms=cursor_ms, full_failed_cloud_ms=0, later=tally.later)
        elif pulled.asks:
            self._want_full("the cloud deleted what others stood with")
        elif pull_plan.went_back(progress, pulled.cloud_ms):
            self._want_full("the cloud's clock was ahead")
        elif cycles.has_unshown(self._store, progress.pulls + 1):
            self._want_full("an edit that was sent is not shown")
        elif tally.moved_in:
            self._note(full_wanted="a patient came from another clinic")
        if not full and not tally.changed and not cycles.has_unproven(self._store):
            return
        if tally.restored or progress.lost:
            told, at_ms = pull_plan.lost(progress, tally.restored, cursor_ms)
            self._note(lost=told, lost_cloud_ms=at_ms)
        retry = ALL if tally.restored else 0
        if pulled.cloud_ms - progress.retried_cloud_ms >= RETRY_EVERY_MS:
            self._note(retried_cloud_ms=pulled.cloud_ms)
            retry = max(retry, RETRIED)
        self._report.again += cycles.finish_pull(self._store, full=full, retry=retry, **self._unsaved)
        self._unsaved = {}

    def _want_full(self, why: str) -> None:
        wanted = pull_plan.at_once(self._progress, why)
        self._note(
            full_wanted=wanted.full_wanted,
            full_cloud_ms=wanted.full_cloud_ms,
            full_failed_cloud_ms=wanted.full_failed_cloud_ms,
        )

    def _push(self, *, only_new: bool) -> None:
        if not cycles.has_waiting(self._store):
            return
        terms = Terms(
            clinics=frozenset(self._link.clinics),
            pulls=self._progress.pulls,
            only_new=only_new,
            most_records=self._limits.batch_records,
        )
        batch_size = BatchSize(self._progress.batch_bytes, self._limits.batch_bytes)
        before, up_before = batch_size.size_bytes, self._client.traffic.up
        push = Push(self._store, self._client, terms, batch_size, self._steps.step)
        self._report.pushed = push.sent
        try:
            push.run()
        finally:
            if push.sent.held and not self._progress.full_wanted:
                self._note(full_wanted="the cloud refused a record, perhaps for one that it has lost")
            up = self._progress.pushed_bytes + self._client.traffic.up - up_before
            self._note(pushed_bytes=up, pushed_cloud_ms=self._client.now_ms() or 0)
            if batch_size.size_bytes != before:
                self._note(batch_bytes=batch_size.size_bytes)


_OUTCOMES: tuple[tuple[type[Exception], Outcome], ...] = (
    (TooSlow, Outcome.TOO_SLOW),
    (NoLine, Outcome.NO_LINE),
    (KeyRefused, Outcome.KEY_REFUSED),
    (CloudBusy, Outcome.BUSY),
    (Stopped, Outcome.STOPPED),
    (Unavailable, Outcome.NO_PLACE),
    (NotTheCloud, Outcome.NOT_THE_CLOUD),
    (TooLargeAnswer, Outcome.TOO_LARGE),
    (Unreadable, Outcome.UNREADABLE),
)
"""What each error means for a cycle, the narrower before the wider; any other is the cloud failing."""


def _outcome(error: Exception) -> Outcome:
    return next((outcome for kind, outcome in _OUTCOMES if isinstance(error, kind)), Outcome.CLOUD_FAILING)


def _since(before: Traffic, now: Traffic) -> Traffic:
    return Traffic(now.requests - before.requests, now.up - before.up, now.down - before.down)
