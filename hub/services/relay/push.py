"""Pushes what waits, confirms just what the cloud took, and isolates what it will not take (R1, R5)."""

from collections.abc import Callable

import msgspec

from hub.core.cloud import forms as cloud_forms
from hub.core.errors import BadRecord, CloudFailing, NoLine
from hub.core.reasons import Code, Reason
from hub.core.records.tables import TABLES, Table
from hub.services.relay.batch_size import Window
from hub.services.relay.batches import OLDEST_MS, Batches, Bounds, Item, Key, body_of
from hub.services.relay.client import Cloud, Verdict
from hub.store.box import counters
from hub.store.cloud import departures, id_mapping
from hub.store.cloud.departures import Waiting
from hub.store.database import Store

SUSPECTS_MAX = 20
"""More records that fail alone, and none known that succeeds: then the cloud is broken, not the records."""


class Sent(msgspec.Struct):
    """What became of a push, in records."""

    stored: int = 0
    held: int = 0
    waiting: int = 0
    """Records that wait for something else."""
    batches: int = 0


class Push:
    """One push of the outbox; ``sent`` tells what came of it, also after an error."""

    def __init__(self, store: Store, cloud: Cloud, bounds: Bounds, window: Window, step: Callable[[], None]) -> None:
        """Prepare it; ``step`` is called between requests and may raise to stop."""
        self.sent = Sent()
        self._window = window
        self._store = store
        self._cloud = cloud
        self._bounds = bounds
        self._step = step
        self._failed: set[Key] = set()
        self._suspects: list[Item] = []

    def run(self) -> None:
        """Push; raises CloudError when the cloud or the line gives up. What was sent until then is confirmed."""
        batches = Batches(self._store, self._cloud, self._bounds, self._window)
        for batch in batches:
            self._send(batch)
            while batches.held:
                self._hold(*batches.held.pop())
        while batches.held:
            self._hold(*batches.held.pop())
        self.sent.waiting += batches.waiting
        for item in self._suspects:
            self._hold_suspect(item)

    def _send(self, items: list[Item]) -> None:
        """Send a batch, without what names a record that just failed."""
        going, waits = [], []
        for item in items:
            failed = next((name for name in item.names() if name in self._failed), None)
            if failed is None:
                going.append(item)
            else:
                waits.append((item, failed[0]))
        if waits:
            self._explain(waits)
        if going and not self._stored(going):
            self._isolate(going)

    def _explain(self, waits: list[tuple[Item, str]]) -> None:
        """Note for what these records wait."""
        self.sent.waiting += len(waits)
        with self._store.write(durable=False) as tx:
            for item, parent in waits:
                departures.explain(tx, item.table, {item.row.num: Code.WAITS_FOR.of(parent=parent)})

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
        self._failed.add(item.key)
        if probe:
            self._hold_suspect(item)
            return
        self._suspects.append(item)
        if len(self._suspects) > SUSPECTS_MAX and not self.sent.stored:
            raise CloudFailing(f"the cloud refused {SUSPECTS_MAX} records one by one and took none")

    def _probe(self) -> bytes:
        """Return a push that changes nothing and fails where the cloud cannot store: an old version of its patient."""
        with self._store.read() as db:
            row, names = departures.known_patient(db, self._bounds.clinics), id_mapping.names(db)
        if row is None:
            return b""
        table = TABLES["patients"]
        try:
            body = cloud_forms.write(table, row.record, updated_ms=OLDEST_MS, names=names)
        except BadRecord:
            return b""
        return body_of([Item(table, row, body)])

    def _hold_suspect(self, item: Item) -> None:
        if not item.buried:
            self._hold(item.table, item.row, self._likely(item))

    def _stored(self, items: list[Item]) -> bool:
        """Send items in one request; returns whether the cloud stored them, and confirms them if so."""
        if self._ask(body_of(items), repeatable=not any(item.alone for item in items)) is not Verdict.STORED:
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

    def _ask(self, content: bytes, *, repeatable: bool = True) -> Verdict:
        """Send a request, and learn what the line carries."""
        self._step()
        try:
            verdict = self._cloud.push(content, repeatable=repeatable)
        except NoLine:
            self._window.broke(len(content))
            raise
        if verdict is Verdict.TOO_LARGE:
            self._window.broke(len(content))
        else:
            self._window.carried(len(content))
        return verdict

    def _hold(self, table: Table, row: Waiting, reason: Reason) -> None:
        with self._store.write() as tx:
            departures.hold(
                tx, table, row.num, row.record, reason, revision=row.revision, most=self._bounds.quarantine_max
            )
        self._failed.add((table.name, row.id))
        self.sent.held += 1

    def _likely(self, item: Item) -> Reason:
        """Guess why the cloud refused a record: it does not say."""
        if item.body is None:
            return Code.DELETE_REFUSED.of(table=item.table.name)
        with self._store.read() as db:
            unknown = sorted(departures.unknown(db, item.names()))
        if unknown:
            return Code.REFUSED_REFERENCE.of(table=item.table.name, parents=unknown)
        return Code.REFUSED.of(table=item.table.name)
