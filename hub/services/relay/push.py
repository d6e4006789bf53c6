"""Pushes what waits, confirms just what the cloud took, and isolates what it will not take (R1, R5)."""

from collections.abc import Callable

import msgspec

from hub.core.errors import CloudFailing, NoLine
from hub.core.tables import Table
from hub.services.relay.batches import Batches, Bounds, Item, Key, body_of
from hub.services.relay.client import Cloud, Verdict
from hub.store import counters, departures
from hub.store.database import Store
from hub.store.departures import Waiting

BATCH_BYTES_MIN = 32 * 1024
"""A line that cannot carry this is not helped by less."""
SUSPECTS_MAX = 20
"""More records that fail alone, and none that succeeds: then it is the cloud that is broken, not the records."""


class Sent(msgspec.Struct):
    """What became of a push, in records."""

    stored: int = 0
    held: int = 0
    waiting: int = 0
    """Records that wait for something else."""
    batches: int = 0
    carried_bytes: int = 0
    """The largest request to try next time; 0 for no limit of the line's own."""


class Push:
    """One push of the outbox; ``sent`` tells what came of it, also after an error."""

    def __init__(self, store: Store, cloud: Cloud, bounds: Bounds, step: Callable[[], None]) -> None:
        """Prepare it; ``step`` is called between requests and may raise to stop."""
        self.sent = Sent()
        self._store = store
        self._cloud = cloud
        self._bounds = bounds
        self._step = step
        self._failed: set[Key] = set()
        self._suspects: list[Item] = []

    def run(self) -> None:
        """Push; raises CloudError when the cloud or the line gives up. What was sent until then is confirmed."""
        batches = Batches(self._store, self._cloud, self._bounds)
        for batch in batches:
            self._send(batch)
            while batches.held:
                self._hold(*batches.held.pop())
        while batches.held:
            self._hold(*batches.held.pop())
        self.sent.waiting += batches.waiting
        for item in self._suspects:
            self._hold(item.table, item.row, self._likely(item))

    def _send(self, items: list[Item]) -> None:
        """Send a batch, without what names a record that just failed."""
        going = [item for item in items if self._failed.isdisjoint(item.names())]
        self.sent.waiting += len(items) - len(going)
        if going and not self._stored(going):
            self._isolate(going)

    def _isolate(self, items: list[Item]) -> None:
        """Find what fails in a batch that failed: send it in halves, the halves of a failing one in halves again.

        The cloud stores what stands before the failing record and says nothing of it; sending it again is harmless.
        """
        while len(items) > 1:
            left, right = items[: len(items) // 2], items[len(items) // 2 :]
            if not self._stored(left):
                self._isolate(left)
                self._send(right)
                return
            items = right  # it must be in here, unless the cloud only stumbled: the last one is asked alone
        if not self._stored(items):
            self._suspect(items[0])

    def _suspect(self, item: Item) -> None:
        """Note a record that fails alone, and again while another push succeeds; raises CloudFailing where all fail."""
        if self._ask(b"{}") is not Verdict.STORED:
            message = "the cloud fails at everything that is pushed"
            raise CloudFailing(message)
        if self._stored([item]):
            return
        self._failed.add(item.key)
        self._suspects.append(item)
        if len(self._suspects) > SUSPECTS_MAX and not self.sent.stored:
            message = f"the cloud refused {SUSPECTS_MAX} records one by one and took none"
            raise CloudFailing(message)

    def _stored(self, items: list[Item]) -> bool:
        """Send items in one request; tells whether the cloud stored them, and confirms them if so."""
        if self._ask(body_of(items)) is not Verdict.STORED:
            return False
        tables: dict[Table, list[Item]] = {}
        own = [item for item in items if not item.buried]
        for item in own:
            tables.setdefault(item.table, []).append(item)
        with self._store.write() as tx:
            counters.add(tx, relayed=len(own))
            for table, sent in tables.items():
                for shown in (True, False):
                    rows = [item.row for item in sent if item.shown is shown]
                    departures.confirm(tx, table, rows, pulls=self._bounds.pulls, shown=shown)
        self.sent.stored += len(own)
        self.sent.batches += 1
        return True

    def _ask(self, content: bytes) -> Verdict:
        """Send a request, and learn what the line carries."""
        self._step()
        try:
            verdict = self._cloud.push(content)
        except NoLine:
            self.sent.carried_bytes = max(len(content) // 2, BATCH_BYTES_MIN)
            raise
        if verdict is Verdict.TOO_LARGE:
            self.sent.carried_bytes = max(len(content) // 2, BATCH_BYTES_MIN)
        elif not self.sent.carried_bytes:
            self.sent.carried_bytes = max(self._bounds.size_bytes, 2 * len(content))
        return verdict

    def _hold(self, table: Table, row: Waiting, reason: str) -> None:
        with self._store.write() as tx:
            departures.hold(
                tx, table, row.num, row.record, reason, revision=row.revision, most=self._bounds.quarantine_max
            )
        self._failed.add((table.name, row.id))
        self.sent.held += 1

    def _likely(self, item: Item) -> str:
        """Guess why the cloud refused a record: it does not say."""
        if item.body is None:
            return "the cloud does not delete it, perhaps because another record there names it"
        with self._store.read() as db:
            unknown = sorted(departures.unknown(db, item.names()))
        if unknown:
            return f"the cloud refuses it, perhaps because of its {', '.join(unknown)}, which this hub does not know"
        return "the cloud refuses it and does not say why; perhaps a value is too long or of the wrong kind"
