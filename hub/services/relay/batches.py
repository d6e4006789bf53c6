"""Puts what waits into batches: parents first, in the cloud's forms, and only what the cloud would keep (R2)."""

from collections.abc import Iterator, Mapping

import msgspec

from hub.core.cloud import forms as cloud_forms
from hub.core.cloud.tables import OWN_REQUEST, PUSH_ORDER, REFERENCES, keeping
from hub.core.errors import BadRecord
from hub.core.reasons import Code, Reason
from hub.core.records.tables import TABLES, Table
from hub.services.relay.batch_size import Window
from hub.services.relay.client import Cloud
from hub.store.cloud import departures, id_mapping
from hub.store.cloud.departures import Waiting
from hub.store.database import Store

_DAY_MS = 86_400_000
OLDEST_MS = 1.0
"""Older than whatever the cloud can hold: stamped so, a record is inserted or nothing happens (CLOUD.md 4.5)."""

Key = tuple[str, str]
"""Table and id."""


class Bounds(msgspec.Struct, frozen=True):
    """What may go in one request."""

    records: int
    clinics: frozenset[str]
    pulls: int
    """How many pulls were complete by now."""
    quarantine_max: int
    only_new: bool
    """Leave edits out: they must not go without what the cloud has now (R3)."""


class Item(msgspec.Struct, frozen=True):
    """A record on its way; ``body`` None for a delete."""

    table: Table
    row: Waiting
    body: bytes | None = None
    buried: bool = False
    """Goes only because a live record names it; the cloud stores it where it never had it, and is told of its end."""

    @property
    def key(self) -> Key:
        """Return table and id."""
        return self.table.name, self.row.id

    @property
    def size(self) -> int:
        """Return what it adds to a request."""
        return len(self.body or self.row.id) + 3

    @property
    def alone(self) -> bool:
        """Return whether it goes by itself: repeated, it would make another visit (CLOUD.md 4.5)."""
        visit = keeping(self.table).visit
        return self.body is not None and visit is not None and not self.row.record.text(visit)

    def names(self) -> Iterator[Key]:
        """Return what it names."""
        for column, target in REFERENCES.items():
            value = self.row.record.text(column)
            if value:
                yield target, value

    @property
    def shown(self) -> bool:
        """Return whether a pull will bring it back (CLOUD.md 2.2, 4.5, 4.6)."""
        if (self.body is None or self.row.columns is not None) and not keeping(self.table).edits_return:
            return False
        return self.body is None or not self.table.clinic or self.row.record.text(self.table.clinic) is not None


class _WaitError(Exception):
    """A record waits for something else; ``reason`` says for what."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(str(reason))
        self.reason = reason


class Batches:
    """What waits in the outbox at one moment."""

    def __init__(self, store: Store, cloud: Cloud, bounds: Bounds, window: Window) -> None:
        """Look at the outbox as it is now: what comes later goes in the next cycle, behind its parents."""
        self.held: list[tuple[Table, Waiting, Reason]] = []
        """What the cloud would not take, with the reason; to be held back."""
        self.waiting = 0
        """What waits for something else."""
        self._store = store
        self._cloud = cloud
        self._bounds = bounds
        self._window = window
        self._open: list[Item] = []
        self._raised: set[Key] = set()
        with store.read() as db:
            self._until = departures.until(db)
            self._names = id_mapping.names(db)
            self._unmatched = id_mapping.unmatched(db)

    def __iter__(self) -> Iterator[list[Item]]:
        """Return the batches; each must be sent before the next is asked for."""
        size = 0
        for item in self._items():
            if self._open and (item.alone or size + item.size > self._window.size_bytes or self._closes(item)):
                yield self._taken()
                size = 0
            self._open.append(item)
            size += item.size
            if item.alone:
                yield self._taken()
                size = 0
        if self._open:
            yield self._taken()

    def _taken(self) -> list[Item]:
        taken, self._open = self._open, []
        return taken

    def _closes(self, item: Item) -> bool:
        """Return whether the open batch must go before this: it is full, or the order in the cloud would change."""
        last = self._open[-1]
        between = last.table is not item.table and item.table.name == OWN_REQUEST
        return len(self._open) >= self._bounds.records or between or (last.body is None) != (item.body is None)

    def _items(self) -> Iterator[Item]:
        for table in PUSH_ORDER:
            for page in self._pages(table, deleted=False):
                yield from self._ready(table, page)
        if self._bounds.only_new:
            return
        for table in reversed(PUSH_ORDER):
            for page in self._pages(table, deleted=True):
                yield from (Item(table, row) for row in page if cloud_forms.is_uuid(row.id))

    def _pages(self, table: Table, *, deleted: bool) -> Iterator[list[Waiting]]:
        after = 0
        while True:
            with self._store.read() as db:
                page = departures.page(
                    db,
                    table,
                    after=after,
                    until=self._until,
                    deleted=deleted,
                    only_new=self._bounds.only_new,
                    most=self._bounds.records,
                    most_bytes=2 * self._window.size_bytes,
                )
            if not page:
                return
            yield page
            after = page[-1].num

    def _ready(self, table: Table, page: list[Waiting]) -> list[Item]:
        """Return what of a page can go; note why the rest cannot."""
        with self._store.read() as db:
            unborn = departures.unborn(db, page) - {item.key for item in self._open}
            visits = {visit for row in page if (visit := row.record.text("visit_id"))} if table.name == "events" else ()
            strangers = departures.strangers(db, TABLES["visits"], visits)
        naming = [row for row in page if row.columns is None or not row.columns.isdisjoint(REFERENCES)]
        items = list(self._buried(naming))
        reasons: dict[int, Reason | None] = {}
        for row in page:
            reason = None
            try:
                self._check(table, row, unborn, strangers)
                body = cloud_forms.write(table, row.record, updated_ms=self._updated_ms(row), names=self._names)
                items.append(Item(table, row, body))
            except _WaitError as waits:
                reason = waits.reason
                self.waiting += 1
            except BadRecord as error:
                self.held.append((table, row, error.reason))
                continue
            if reason != row.reason:
                reasons[row.num] = reason
        if reasons:
            with self._store.write(durable=False) as tx:
                departures.explain(tx, table, reasons)
        return items

    def _buried(self, rows: list[Waiting]) -> Iterator[Item]:
        """Return the deleted records that live ones name, what they name themselves first.

        The vitals of a visit outlive it, and the cloud takes none of a visit that it never had (CLOUD.md 4.4). When
        the next pull shows the visit there, its end is sent.
        """
        with self._store.read() as db:
            graves = departures.graves(db, rows)
        for table, row in graves:
            if (table.name, row.id) in self._raised:
                continue
            self._raised.add((table.name, row.id))
            yield from self._buried([row])
            try:
                body = cloud_forms.write(table, row.record, updated_ms=OLDEST_MS, names=self._names)
            except BadRecord:
                continue  # what names it fails, and says so
            yield Item(table, row, body, buried=True)

    def _check(self, table: Table, row: Waiting, unborn: set[Key], strangers: set[str]) -> None:
        """Raise what keeps a record here: _WaitError for now, BadRecord until it changes."""
        item = Item(table, row)
        for target, value in item.names():
            if value in self._unmatched:
                raise _WaitError(self._unmatched[value])
            if (target, value) in unborn:
                raise _WaitError(Code.WAITS_FOR.of(parent=target))
        clinic = row.record.text(table.clinic)
        if table.clinic and clinic and self._names.get(clinic, clinic).lower() not in self._bounds.clinics:
            raise BadRecord(Code.CLINIC_ELSEWHERE.of(table=table.name, column=table.clinic))
        if table.name == "events" and (visit := row.record.text("visit_id") or "") in {"", *strangers}:
            code = Code.VISIT_UNKNOWN if visit else Code.VISIT_MISSING
            raise _WaitError(code.of(table=table.name, column="visit_id"))

    def _updated_ms(self, row: Waiting) -> float:
        """Return a time that the guard lets pass (CLOUD.md 4.5).

        An edit was merged with what the cloud has, and must be newer than it: newer than the record says, and than
        the moment at which the cloud stored it. A clock that is ahead must not lock the record against others.
        """
        own: float = row.record.row.updated_at
        now_ms = self._cloud.now_ms()
        if now_ms is None:
            return own + bool(row.columns is not None or row.edited)
        if row.columns is None and not row.edited and not row.tries:
            return min(own, now_ms)
        if own > now_ms + _DAY_MS and not row.tries:
            return now_ms
        return max(own + 1, now_ms)


def body_of(items: list[Item]) -> bytes:
    """Write a request's body: the tables at top level, three lists each (CLOUD.md 4)."""
    tables: dict[str, dict[str, list[bytes]]] = {}
    for item in items:
        lists = tables.setdefault(item.table.name, {"created": [], "updated": [], "deleted": []})
        if item.body is None:
            lists["deleted"].append(msgspec.json.encode(item.row.id.lower()))
        else:
            lists["created" if item.row.columns is None else "updated"].append(item.body)
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), _lists(lists)) for name, lists in tables.items()) + b"}"


def _lists(lists: Mapping[str, list[bytes]]) -> bytes:
    return b"{" + b",".join(b'"%s":[%s]' % (name.encode(), b",".join(rows)) for name, rows in lists.items()) + b"}"
