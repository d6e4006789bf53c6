"""Pushes what waits, confirms just what the cloud took, and isolates what it will not take (R1, R5)."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from hub.actions.cloud import outgoing
from hub.actions.cloud.outgoing import Bounds
from hub.core.cloud import batches
from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.batches import OLDEST_MS, Batches, Candidates, Decision, Drop, Hold, Item, Queued, Wait
from hub.core.cloud.outbox import Key, OutboxRecord
from hub.core.cloud.tables import PUSHED
from hub.core.errors import BadRecord, CloudFailing, NoLine
from hub.core.reasons import Reason
from hub.services.relay.client import Cloud, Verdict
from hub.store.database import Store

SUSPECTS_MAX = 20
"""More records that fail alone, and none known that succeeds: then the cloud is broken, not the records."""
FAILURES_MAX = 10
"""After so many requests in a row that it refused, the cloud is asked whether it takes anything at all."""
DOUBTFUL_MAX = 30
"""Requests of a push for what the cloud may refuse again; the rest waits for the next one (R6)."""
ALIKE = 2
"""So many that share a doubt are refused, and the others are not asked for."""

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
        """What failed alone: it is asked for once more."""
        self._refused: list[Item] = []
        """What is to be held, when the cloud takes others."""
        self._refusals = 0
        """How many requests in a row the cloud refused."""
        self._asked = 0
        """How many requests were for what is doubtful."""
        self._until, self._tables, self._conditions = outgoing.begin(store, terms.clinics, terms.most_records)

    def run(self) -> None:
        """Push; raises CloudError when the cloud or the connection fails. What was sent until then is confirmed."""
        queue = Batches(self._conditions)
        for candidates in self._candidates():
            self._decided(queue.add(candidates, self._cloud.now_ms()))
            for alike in queue.doubtful():
                self._flush(queue)  # what they name
                self._try(queue, alike)
            while request := queue.full(self._batch_size.size_bytes):
                self._send(request.items)
        self._flush(queue)
        self._judge()

    def _flush(self, queue: Batches) -> None:
        while request := queue.rest(self._batch_size.size_bytes):
            self._send(request.items)

    def _candidates(self) -> Iterator[Candidates]:
        """Read what waits: parents first, deletes last and children first."""
        tables = [table for table in PUSHED if table.name in self._tables]
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

    def _decided(self, decisions: Sequence[Decision]) -> None:
        """Keep why records do not go."""
        outgoing.explain(self._store, decisions)
        for decision in decisions:
            match decision:
                case Hold():
                    self._hold(decision.of, decision.reason)
                case Wait():
                    self.sent.waiting += 1
                case Queued() | Drop():
                    pass

    def _send(self, items: Sequence[Item]) -> None:
        """Send a request, without what names a record that just failed."""
        going = self._without_failed(items)
        if going and not self._stored(going):
            self._isolate(going)

    def _without_failed(self, items: Sequence[Item]) -> list[Item]:
        going, waits = batches.without(items, self._failed)
        if waits:
            self._decided(waits)
        return going

    def _isolate(self, items: list[Item]) -> None:
        """Find what fails in a batch that failed: send smaller and smaller beginnings of it, one alone at last.

        Behind a record that fails alone go twice as many as were stored since the one before: where all fail, that
        is one request for each. The cloud stores what stands before the failing record and says nothing of it;
        sending it again is harmless.
        """
        failing, stored = len(items), 0  # the first ``failing`` hold one that fails, 0: that is not known
        while items:
            size = max(failing // 2 if failing else min(2 * stored, len(items)), 1)
            was_alone = failing == 1 and not stored
            if not was_alone and self._stored(items[:size]):
                failing, stored = max(failing - size, 0), stored + size
            elif size > 1:
                failing = size
                continue
            else:
                self._suspect(items[0])
                failing, stored = 0, 0
            items = self._without_failed(items[size:])

    def _try(self, queue: Batches, alike: list[Item]) -> None:
        """Send one that is doubtful alone; the others go when it is stored, and on hold when two are refused."""
        going, refused = self._without_failed(alike), list[Item]()
        while going and len(refused) < ALIKE and self._asked < DOUBTFUL_MAX:
            first, going = going[0], going[1:]
            self._asked += 1
            if self._stored([first]):
                queue.trust(first.doubts, going)
                break
            refused.append(first)
        self._failed |= {item.of.key for item in refused}
        if len(refused) == ALIKE:
            self._prove()
            self._hold_all([*refused, *going])
        elif refused and refused[0].of.entry.was_refused:
            self._refused += refused
        else:
            self._suspects += refused

    def _suspect(self, item: Item) -> None:
        """Note a record that failed alone; raises CloudFailing where all seem to."""
        self._failed.add(item.of.key)
        self._suspects.append(item)
        if len(self._suspects) > SUSPECTS_MAX and not self.sent.stored and not self._probe():
            raise CloudFailing(f"the cloud refused {SUSPECTS_MAX} records one by one and took none")

    def _judge(self) -> None:
        """Hold what failed once more, or alone and again, when the cloud takes others; of many some in the next push.

        Where the hub knows no record that the cloud would take, that is when another one has been stored.
        """
        if not self._suspects and not self._refused:
            return
        self._prove()
        for item in self._suspects[:DOUBTFUL_MAX]:
            if not self._stored([item]):
                self._refused.append(item)
        outgoing.suspect(self._store, self._suspects[DOUBTFUL_MAX:])
        self._prove()
        self._hold_all(self._refused)

    def _hold_all(self, items: Iterable[Item]) -> None:
        for item in items:
            if not item.for_others:
                self._hold(item.of, batches.refusal(item))

    def _prove(self) -> None:
        """Make sure after a refusal that the cloud takes anything at all; raises CloudFailing where it does not."""
        if self._refusals and self._ask(self._probe() or b"{}") is not Verdict.STORED:
            raise CloudFailing("the cloud fails at everything that is pushed")

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

    def _stored(self, items: Sequence[Item]) -> bool:
        """Send items in one request; returns whether the cloud stored them, and confirms them if so."""
        repeatable = not any(item.goes_alone for item in items)
        if self._ask(batches.body_of(items), repeatable=repeatable) is not Verdict.STORED:
            if self._refusals >= FAILURES_MAX:
                self._prove()
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
        self._refusals = 0 if verdict is Verdict.STORED else self._refusals + 1
        return verdict

    def _hold(self, record: OutboxRecord, reason: Reason) -> None:
        outgoing.hold(self._store, record, reason)
        self._failed.add(record.key)
        self.sent.held += 1
