"""Pushes what waits, confirms just what the cloud took, and isolates what it will not take (R1, R5)."""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from hub.actions.cloud import outgoing
from hub.actions.cloud.outgoing import Bounds
from hub.core.cloud import batches
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.batches import OLDEST_MS, Batches, Candidates, Hold, Item, Queued, Wait
from hub.core.cloud.outbox import Key, OutboxRecord
from hub.core.cloud.tables import PUSH_ORDER
from hub.core.errors import BadRecord, CloudFailing, NoLine
from hub.core.reasons import Reason
from hub.services.relay.client import Cloud, Verdict
from hub.store.database import Store

SUSPECTS_MAX = 20
"""More records that fail alone, and none known that succeeds: then the cloud is broken, not the records."""


FIRST_BYTES = 64 * 1024
"""Eight seconds at 64 kbit/s: a line that nothing is known of may be that slow and break at any moment."""
LEAST_BYTES = 16 * 1024
"""A line that cannot carry this is not helped by less."""


class Terms(msgspec.Struct, frozen=True):
    """What a push may carry, and what is known when it begins."""

    clinics: frozenset[str]
    """The hub's clinics in the cloud."""
    pulls: int
    """How many pulls were complete by now."""
    only_new: bool
    """Leave edits out: they must not go without what the cloud has now (R3)."""
    most_records: int
    """In one request."""


class Sent(msgspec.Struct):
    """What became of a push, in records."""

    stored: int = 0
    held: int = 0
    waiting: int = 0
    """Records that wait for something else."""
    batches: int = 0


class BatchSize:
    """How large a request may be, so that it fits into the line's good moments (R6); to be kept for the next cycle.

    As TCP does it: little at first, twice as much after a success, half after a failure.
    """

    def __init__(self, size_bytes: int, most_bytes: int) -> None:
        """Go on from a size of before, 0 for none; ``most_bytes`` is what the hub would send on any line."""
        self._most = most_bytes
        self.size_bytes = min(size_bytes or FIRST_BYTES, most_bytes)

    def carried(self, size_bytes: int) -> None:
        """Note that a request of this size got its answer."""
        self.size_bytes = max(self.size_bytes, min(2 * size_bytes, self._most))

    def broke(self, size_bytes: int) -> None:
        """Note that a request of this size got none, or was too large for someone on the way."""
        self.size_bytes = max(size_bytes // 2, LEAST_BYTES)


class Push:
    """One push of the outbox; ``sent`` tells what came of it, also after an error."""

    def __init__(
        self, store: Store, cloud: Cloud, terms: Terms, batch_size: BatchSize, step: Callable[[], None]
    ) -> None:
        """Prepare it; ``step`` is called between requests and may raise to stop."""
        self.sent = Sent()
        self._batch_size = batch_size
        self._store = store
        self._cloud = cloud
        self._terms = terms
        self._step = step
        self._failed: set[Key] = set()
        self._suspects: list[Item] = []
        self._until, self._tables, self._conditions = outgoing.begin(store, terms.clinics, terms.most_records)

    def run(self) -> None:
        """Push; raises CloudError when the cloud or the connection fails. What was sent until then is confirmed."""
        queue = Batches(self._conditions)
        for candidates in self._candidates():
            self._decided(queue.add(candidates, self._cloud.now_ms()))
            while request := queue.full(self._batch_size.size_bytes):
                self._send(request.items)
        while request := queue.rest(self._batch_size.size_bytes):
            self._send(request.items)
        for item in self._suspects:
            self._hold_suspect(item)

    def _candidates(self) -> Iterator[Candidates]:
        """Read what waits: parents first, deletes last and children first."""
        tables = [table for table in PUSH_ORDER if table.name in self._tables]
        for table in tables:
            after = 0
            while found := outgoing.candidates(self._store, table, self._bounds(), after=after):
                yield found
                after = found.records[-1].num
        for table in reversed(() if self._terms.only_new else tables):
            after = 0
            while found := outgoing.candidates(self._store, table, self._bounds(), after=after, deleted=True):
                yield found
                after = found.records[-1].num

    def _bounds(self) -> Bounds:
        most_bytes = 2 * self._batch_size.size_bytes
        return Bounds(self._until, self._terms.only_new, self._terms.most_records, most_bytes)

    def _decided(self, decisions: Sequence[Queued | Hold | Wait]) -> None:
        """Keep why records do not go."""
        outgoing.explain(self._store, decisions)
        for decision in decisions:
            match decision:
                case Hold():
                    self._hold(decision.of, decision.reason)
                case Wait():
                    self.sent.waiting += 1
                case Queued():
                    pass

    def _send(self, items: Sequence[Item]) -> None:
        """Send a request, without what names a record that just failed."""
        going, waits = batches.without(items, self._failed)
        if waits:
            self._decided(waits)
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
        """Hold a record that fails alone, and again while another push succeeds; raises CloudFailing where all fail.

        Where the hub knows no record that the cloud would take, it is held only when another one has been stored.
        """
        probe = self._probe()
        if self._ask(probe or b"{}") is not Verdict.STORED:
            raise CloudFailing("the cloud fails at everything that is pushed")
        if self._stored([item]):
            return
        self._failed.add(item.of.key)
        if probe:
            self._hold_suspect(item)
            return
        self._suspects.append(item)
        if len(self._suspects) > SUSPECTS_MAX and not self.sent.stored:
            raise CloudFailing(f"the cloud refused {SUSPECTS_MAX} records one by one and took none")

    def _probe(self) -> bytes:
        """Return a push that changes nothing and fails where the cloud cannot store: an old version of its patient."""
        known = outgoing.patient_in_cloud(self._store, self._terms.clinics)
        if known is None:
            return b""
        try:
            names, zone = self._conditions.names, self._conditions.zone
            body = cloud_forms.write(known.table, known.record, updated_ms=OLDEST_MS, names=names, zone=zone)
        except BadRecord:
            return b""
        return batches.body_of([Item(known, body)])

    def _hold_suspect(self, item: Item) -> None:
        if not item.for_others:
            self._hold(item.of, outgoing.likely(self._store, item))

    def _stored(self, items: Sequence[Item]) -> bool:
        """Send items in one request; returns whether the cloud stored them, and confirms them if so."""
        repeatable = not any(item.goes_alone for item in items)
        if self._ask(batches.body_of(items), repeatable=repeatable) is not Verdict.STORED:
            return False
        own = [item for item in items if not item.for_others]
        outgoing.confirm(self._store, own, self._terms.pulls)
        self.sent.stored += len(own)
        self.sent.batches += 1
        return True

    def _ask(self, content: bytes, *, repeatable: bool = True) -> Verdict:
        """Send a request, and learn what the connection carries."""
        self._step()
        try:
            verdict = self._cloud.push(content, repeatable=repeatable)
        except NoLine:
            self._batch_size.broke(len(content))
            raise
        if verdict is Verdict.TOO_LARGE:
            self._batch_size.broke(len(content))
        else:
            self._batch_size.carried(len(content))
        return verdict

    def _hold(self, record: OutboxRecord, reason: Reason) -> None:
        outgoing.hold(self._store, record, reason)
        self._failed.add(record.key)
        self.sent.held += 1
