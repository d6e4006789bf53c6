"""Carries out one relay cycle: who are we, what is new there, what is new here (R1-R8)."""

import time
from collections.abc import Callable

import msgspec

from hub.actions.cloud import queue
from hub.actions.cloud.incoming import Tally
from hub.core.cloud.cycle_outcome import Outcome
from hub.core.errors import CloudBusy, CloudError, CloudFailing, KeyRefused, NoLine, Unavailable
from hub.services.relay import pull
from hub.services.relay.batch_size import Window
from hub.services.relay.client import Cloud, Device, Traffic
from hub.services.relay.pull import Pulled
from hub.services.relay.push import Push, Sent, Terms
from hub.services.relay.rate_limit import Stopped
from hub.store.cloud import connection, id_mapping, outbox
from hub.store.cloud.connection import Link, Progress
from hub.store.database import Store

PULL_FAILURES = 3
"""After so many pulls in a row that failed edits are pushed without one (R3); new records never wait for it."""
RETRY_EVERY_MS = 86_400_000
RETRIED = 20
"""What was held back is tried again once a day, a few at a time: each takes a dozen requests to be found again."""
FULL_EVERY_MS = 86_400_000
"""A patient who came from another clinic is worth a full pull, but not every few minutes."""


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
    pulled: Tally = msgspec.field(default_factory=Tally)
    pushed: Sent = msgspec.field(default_factory=Sent)
    again: int = 0
    """Records that the cloud said success to and did not show: they are sent once more."""
    traffic: Traffic = msgspec.field(default_factory=Traffic)
    ms: int = 0
    retry_after_s: float = 0
    cloud_ms: int | None = None
    """The cloud's clock at the end."""
    progress: Progress | None = None
    """How far it came, where that has not been kept yet: a cursor that may be lost."""

    @property
    def moved(self) -> bool:
        """Return whether it brought anything further, however it ended."""
        return bool(self.pushed.stored or self.pulled.created or self.pulled.updated or self.pulled.seen)


def run(store: Store, speak: Callable[[Link, str], Cloud], limits: Limits, steps: Steps) -> Report:
    """Carry out a cycle and keep how far it came; ``speak`` gives the client for a link and its key."""
    started = time.monotonic()
    with store.read() as db:
        link, key = connection.link(db), connection.api_key(db)
    if link is None:
        return Report(Outcome.NO_CLOUD)
    report = Report(Outcome.DONE)
    try:
        client = speak(link, key)
        before = msgspec.structs.replace(client.traffic)
        try:
            _Cycle(store, client, link, limits, steps, report).run()
        finally:
            report.traffic = _since(before, client.traffic)
            report.cloud_ms = client.now_ms()
    except (CloudError, Unavailable, Stopped) as error:
        report.outcome, report.detail = _outcome(error), str(error)
        report.retry_after_s = error.retry_after_s if isinstance(error, CloudBusy) else 0
    report.ms = round((time.monotonic() - started) * 1000)
    return report


class _Cycle:
    """A cycle under way."""

    def __init__(self, store: Store, client: Cloud, link: Link, limits: Limits, steps: Steps, report: Report) -> None:
        self._store = store
        self._client = client
        self._link = link
        self._limits = limits
        self._steps = steps
        self._report = report
        with store.read() as db:
            self._progress = connection.progress(db)

    def run(self) -> None:
        self._introduce(self._client.verify())
        if self._link.status != connection.ACTIVE:
            self._report.outcome, self._report.detail = Outcome.PAUSED, f"its status there is {self._link.status}"
            return
        if not self._link.clinics:
            self._report.outcome = Outcome.NO_CLINIC
            return
        if self._progress.pull_failures:
            # The line may not hold for a whole pull again: what needs none uses it while it holds.
            self._push(only_new=True)
        failure = self._pull()
        if isinstance(failure, CloudBusy):
            raise failure
        self._push(only_new=failure is not None and self._progress.pull_failures < PULL_FAILURES)
        if failure:
            raise failure

    def _introduce(self, device: Device) -> None:
        """Keep what the cloud says of this hub; new clinics may take what was held back for the old ones."""
        clinics = tuple(clinic.lower() for clinic in device.clinic_ids)
        told = msgspec.structs.replace(
            self._link, device=device.id, name=device.name, clinics=clinics, status=device.status
        )
        if told == self._link:
            return
        with self._store.write() as tx:
            connection.told(tx, told)
            if set(clinics) != set(self._link.clinics):
                queue.release_all(tx)
        self._link = told

    def _pull(self) -> CloudError | None:
        """Pull and merge; returns what went wrong with the pull where a push may still go well."""
        full = self._is_full()
        self._report.full = full
        last_ms = pull.FROM_THE_START if full else max(self._progress.cursor_cloud_ms - pull.OVERLAP_MS, 1)
        try:
            with self._client.pull(last_ms) as body:
                pulled = pull.pull(self._store, body, full=full, step=self._steps.step)
        except (NoLine, CloudFailing, CloudBusy, Unavailable) as error:
            self._keep(pull_failures=self._progress.pull_failures + 1)
            if isinstance(error, Unavailable):
                return CloudFailing(error.reason)
            return error
        self._report.pulled = pulled.tally
        self._client.told(pulled.cloud_ms)
        self._arrived(pulled, full=full)
        return None

    def _arrived(self, pulled: Pulled, *, full: bool) -> None:
        """Move the cursor, now that the merge is on disk (R7), and look after what ought to have come."""
        tally, progress = pulled.tally, self._progress
        clinics = self._link.clinics
        with self._store.read() as db:
            counts = outbox.counts(db, progress.pulls)
        waits = counts["sent"] or counts["held"]
        wanted = "a patient came from another clinic" if tally.moved_in else progress.full_wanted
        idle = tally == Tally(unchanged=tally.unchanged, foreign=tally.foreign) and not full and not waits
        self._progress = msgspec.structs.replace(
            progress,
            cursor_cloud_ms=pulled.cloud_ms,
            clinics=clinics,
            full_cloud_ms=pulled.cloud_ms if full else progress.full_cloud_ms,
            full_wanted="" if full else wanted,
            pulls=progress.pulls + 1,
            pull_failures=0,
        )
        if idle:
            # Kept together with how the cycle ended. It may be lost: then the next one asks for a little more.
            self._report.progress = self._progress
            return
        with self._store.write() as tx:
            if pulled.cloud_ms - progress.retried_cloud_ms >= RETRY_EVERY_MS:
                queue.release_all(tx, RETRIED)
                self._progress = msgspec.structs.replace(self._progress, retried_cloud_ms=pulled.cloud_ms)
            id_mapping.match_clinics(tx, clinics)
            self._report.again = queue.send_overdue(tx, self._progress.pulls)
            connection.advance(tx, self._progress)

    def _push(self, *, only_new: bool) -> None:
        terms = Terms(
            clinics=frozenset(self._link.clinics),
            pulls=self._progress.pulls,
            only_new=only_new,
            most_records=self._limits.batch_records,
        )
        window = Window(self._progress.batch_bytes, self._limits.batch_bytes)
        before = window.size_bytes
        push = Push(self._store, self._client, terms, window, self._steps.step)
        self._report.pushed = push.sent
        try:
            push.run()
        finally:
            if window.size_bytes != before:
                self._keep(batch_bytes=window.size_bytes)

    def _is_full(self) -> bool:
        """Return whether everything is to be pulled: at first, for new clinics, and when someone wants it (R7)."""
        progress = self._progress
        if not progress.cursor_cloud_ms or set(progress.clinics) != set(self._link.clinics):
            return True
        return bool(progress.full_wanted) and progress.cursor_cloud_ms - progress.full_cloud_ms >= FULL_EVERY_MS

    def _keep(self, **changed: int) -> None:
        new = msgspec.structs.replace(self._progress, **changed)
        if new != self._progress:
            self._progress = new
            self._report.progress = None
            with self._store.write(durable=False) as tx:
                connection.advance(tx, new)


def _outcome(error: Exception) -> Outcome:
    match error:
        case NoLine():
            return Outcome.NO_LINE
        case KeyRefused():
            return Outcome.KEY_REFUSED
        case CloudBusy():
            return Outcome.BUSY
        case Stopped():
            return Outcome.STOPPED
        case Unavailable():
            return Outcome.NO_PLACE
        case _:
            return Outcome.CLOUD_FAILING


def _since(before: Traffic, now: Traffic) -> Traffic:
    return Traffic(now.requests - before.requests, now.up - before.up, now.down - before.down)
