"""Plans what goes to the cloud in one request: parents first, and only what the cloud would keep (R2).

Every waiting record that is added is queued, put on hold, or waits for something else. What is queued comes out again
in requests, in the order in which it went in.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, tzinfo

import msgspec

from hub.core.cloud import forms as cloud_forms
from hub.core.cloud import values as cloud_values
from hub.core.cloud.outbox import Key, OutboxRecord
from hub.core.cloud.tables import OWN_REQUEST, PUSHED
from hub.core.errors import BadRecord
from hub.core.reasons import Code, Reason
from hub.core.records.table import Table
from hub.core.records.tables import TABLES

OLDEST_MS = 1.0
"""Older than whatever the cloud can hold: stamped so, a record is inserted or nothing happens (CLOUD.md 4.5)."""

_DAY_MS = 86_400_000
_SEPARATORS = 3
"""Bytes that a record takes in a request beside its own."""


class Item(msgspec.Struct, frozen=True):
    """A record in a request; ``body`` None for a delete."""

    of: OutboxRecord
    body: bytes | None = None
    updated_ms: float = OLDEST_MS
    """As ``body`` says it."""
    for_others: bool = False
    """Deleted, and goes only because a live record names it: the cloud inserts it where it never had it."""
    doubts: frozenset[Key] = frozenset()
    """What may make the cloud refuse it: what it names and the hub does not know, or itself after a refusal."""

    @property
    def size(self) -> int:
        """How many bytes it adds to a request."""
        return len(self.body or self.of.id) + _SEPARATORS

    @property
    def goes_alone(self) -> bool:
        """Whether no other may be repeated with it: the cloud would make a further visit each time (CLOUD.md 4.5)."""
        return self.body is not None and self.of.makes_visit


class Queued(msgspec.Struct, frozen=True):
    """A record that can go, and will be in one of the next requests."""

    of: OutboxRecord


class Hold(msgspec.Struct, frozen=True):
    """A record that the cloud would not take as it is."""

    of: OutboxRecord
    reason: Reason


class Wait(msgspec.Struct, frozen=True):
    """A record that waits for something else."""

    of: OutboxRecord
    reason: Reason


class Drop(msgspec.Struct, frozen=True):
    """The end of a record that the cloud can never have had: there is nothing to delete."""

    of: OutboxRecord


class Send(msgspec.Struct, frozen=True):
    """What is to go in one request."""

    items: tuple[Item, ...]


Decision = Queued | Hold | Wait | Drop


class Candidates(msgspec.Struct, frozen=True):
    """Some waiting records of one table, and what the hub knows of those that they name."""

    records: Sequence[OutboxRecord]
    deleted: bool = False
    """They are tombstones."""
    not_in_cloud_yet: frozenset[Key] = frozenset()
    """Live records that they, or the tombstones, name."""
    unknown: frozenset[Key] = frozenset()
    """Whom and what they name anew, and the hub does not know."""
    tombstones: Sequence[OutboxRecord] = ()
    """Deleted records that they name, each behind those that it names itself."""


class Conditions(msgspec.Struct, frozen=True):
    """What holds for a whole push."""

    clinics: frozenset[str]
    """The hub's clinics in the cloud."""
    names: Mapping[str, str] = {}
    """Ids of users and clinics made on this hub -> their ids in the cloud."""
    unmatched: Mapping[str, Reason] = {}
    """Ids of users and clinics that the cloud does not know -> why what names them waits."""
    zone: tzinfo = UTC
    """The clinic's time zone, in which days were picked."""
    most_records: int = 500
    """In one request."""


class Batches:
    """The records that are queued for the next requests."""

    def __init__(self, conditions: Conditions) -> None:
        self._conditions = conditions
        self._queue: list[Item] = []
        self._doubtful: list[Item] = []
        self._trusted: set[Key] = set()
        self._tombstones: set[Key] = set()

    def add(self, candidates: Candidates, cloud_ms: int | None) -> list[Decision]:
        """Decide about each record, in its order; ``cloud_ms`` is the cloud's clock, None where it was not heard."""
        if candidates.deleted:
            return [self._add_delete(record) for record in candidates.records]
        absent = candidates.not_in_cloud_yet - {item.of.key for item in self._queue}
        absent |= self._add_tombstones(candidates.tombstones, absent)
        unknown = candidates.unknown - {("clinics", clinic) for clinic in self._conditions.clinics}
        unknown -= self._trusted
        return [self._add(record, absent, unknown, cloud_ms) for record in candidates.records]

    def full(self, size_bytes: int) -> Send | None:
        """Take the next request of at most ``size_bytes`` that nothing more can join; None if there is none yet."""
        size = 0
        for place, item in enumerate(self._queue):
            if place and (item.goes_alone or size + item.size > size_bytes or self._closes(place)):
                return self._take(place)
            if item.goes_alone:
                return self._take(1)
            size += item.size
        return None

    def rest(self, size_bytes: int) -> Send | None:
        """Take the next request, when nothing more will be added; None at the end."""
        return self.full(size_bytes) or (self._take(len(self._queue)) if self._queue else None)

    def doubtful(self) -> list[list[Item]]:
        """Take what the cloud may refuse, to be tried when all else was sent: what shares a doubt together."""
        groups: dict[frozenset[Key], list[Item]] = {}
        for item in self._doubtful:
            groups.setdefault(item.doubts, []).append(item)
        self._doubtful = []
        return list(groups.values())

    def trust(self, doubts: Iterable[Key], items: Iterable[Item]) -> None:
        """Queue what was doubtful, now that the cloud took another one with the same doubts."""
        self._trusted.update(doubts)
        self._queue += items

    def _take(self, count: int) -> Send:
        taken, self._queue = self._queue[:count], self._queue[count:]
        return Send(tuple(taken))

    def _closes(self, place: int) -> bool:
        """Whether the request must end before this item: it is full, or the order in the cloud would change."""
        last, item = self._queue[place - 1], self._queue[place]
        own = last.of.table is not item.of.table and item.of.table.name == OWN_REQUEST
        return place >= self._conditions.most_records or own or (last.body is None) != (item.body is None)

    def _add(
        self, record: OutboxRecord, absent: frozenset[Key], unknown: frozenset[Key], cloud_ms: int | None
    ) -> Queued | Hold | Wait:
        reason = self._waits_for(record, absent)
        if reason:
            return Wait(record, reason)
        try:
            self._check_clinic(record)
            _check_visit(record, unknown)
            stamp = updated_ms(record, cloud_ms)
            self._put(Item(record, self._body(record, stamp), stamp, doubts=doubts(record, unknown)))
        except BadRecord as error:
            return Hold(record, error.reason)
        return Queued(record)

    def _put(self, item: Item) -> None:
        (self._doubtful if item.doubts else self._queue).append(item)

    def _add_delete(self, record: OutboxRecord) -> Queued | Drop:
        if not cloud_values.is_uuid(record.id):
            return Drop(record)
        self._put(Item(record, doubts=doubts(record, frozenset())))
        return Queued(record)

    def _add_tombstones(self, tombstones: Iterable[OutboxRecord], absent: frozenset[Key]) -> set[Key]:
        """Queue deleted records that live ones name, each once in a push; returns which must wait themselves.

        The vitals of a visit outlive it, and the cloud takes none of a visit that it never had (CLOUD.md 4.4). When
        the next pull shows the visit there, its end is sent.
        """
        waiting: set[Key] = set()
        for record in tombstones:
            if record.key in self._tombstones:
                continue
            if not absent.union(waiting).isdisjoint(record.names()):
                waiting.add(record.key)
                continue
            self._tombstones.add(record.key)
            try:
                self._queue.append(Item(record, self._body(record, OLDEST_MS, deleted=True), for_others=True))
            except BadRecord:
                continue  # what names it fails, and says so
        return waiting

    def _waits_for(self, record: OutboxRecord, absent: frozenset[Key]) -> Reason | None:
        for target, value in record.names():
            if value in self._conditions.unmatched:
                return self._conditions.unmatched[value]
            if (target, value) in absent:
                return Code.WAITS_FOR.of(parent=target)
        return None

    def _check_clinic(self, record: OutboxRecord) -> None:
        column = record.table.clinic
        clinic = record.record.text(column)
        if column and clinic and self._conditions.names.get(clinic, clinic).lower() not in self._conditions.clinics:
            raise BadRecord(Code.CLINIC_ELSEWHERE.of(table=record.table.name, column=column))

    def _body(self, record: OutboxRecord, updated: float, *, deleted: bool = False) -> bytes:
        return cloud_forms.write(
            record.table,
            record.record,
            updated_ms=updated,
            names=self._conditions.names,
            zone=self._conditions.zone,
            deleted=deleted,
        )


def _check_visit(record: OutboxRecord, unknown: frozenset[Key]) -> None:
    """Raise BadRecord for an event for which the cloud would make up a visit, in another clinic (CLOUD.md 4.7)."""
    if record.table.name == "events":
        visit = record.record.text("visit_id")
        if visit is None or ("visits", visit) in unknown:
            code = Code.VISIT_UNKNOWN if visit else Code.VISIT_MISSING
            raise BadRecord(code.of(table=record.table.name, column="visit_id"))


def without(items: Sequence[Item], failed: set[Key]) -> tuple[list[Item], list[Wait]]:
    """Take out of a request what names a record that just failed, and what names that; returns what may go, and waits.

    failed: what the cloud does not have; new records that wait are added.
    """
    going, waits = [], []
    for item in items:
        parent = next((key for key in item.of.names() if key in failed), None)
        if parent is None:
            going.append(item)
        else:
            if item.of.is_new:
                failed.add(item.of.key)
            waits.append(Wait(item.of, Code.WAITS_FOR.of(parent=parent[0])))
    return going, waits


def refusal(item: Item) -> Reason:
    """Guess why the cloud refused a record: it does not say."""
    table = item.of.table.name
    if item.body is None:
        return Code.DELETE_REFUSED.of(table=table)
    unknown = sorted({name for name, _ in item.doubts - {item.of.key}})
    return Code.REFUSED_REFERENCE.of(table=table, parents=unknown) if unknown else Code.REFUSED.of(table=table)


def doubts(record: OutboxRecord, unknown: frozenset[Key]) -> frozenset[Key]:
    """Return what may make the cloud refuse a record; ``unknown``: what the hub does not know."""
    named_anew = frozenset(names_anew(record)) & unknown
    return named_anew or (frozenset({record.key}) if record.entry.was_refused else frozenset())


def names_anew(record: OutboxRecord) -> Iterator[Key]:
    """Name what a record refers to, and its state in the cloud does not."""
    for column, target in record.table.references.items():
        value = record.record.text(column)
        if value and record.entry.holds(column):
            yield target, value


def named(records: Iterable[OutboxRecord]) -> dict[Table, set[str]]:
    """Return what records name in the tables that go to the cloud."""
    found: dict[Table, set[str]] = {}
    for record in records:
        for target, value in record.names():
            if TABLES.get(target) in PUSHED:
                found.setdefault(TABLES[target], set()).add(value)
    return found


def naming_anew(records: Iterable[OutboxRecord]) -> list[OutboxRecord]:
    """Return those that may name what the cloud has never heard of: new ones, and edits of what they name."""
    return [
        record
        for record in records
        if record.entry.columns is None or not record.entry.columns.isdisjoint(record.table.references)
    ]


def updated_ms(record: OutboxRecord, cloud_ms: int | None) -> float:
    """Return a time that the guard (CLOUD.md 4.5) lets pass over what this hub has seen there, and over nothing newer.

    An edit was merged with the row that the cloud last showed, and goes just beyond it: what the cloud holds since
    then, and has perhaps not shown because the record moved to another clinic, refuses it. Of what was never seen
    nothing is overwritten, but for a visit that the cloud made up itself (CLOUD.md 4.7). A clock that is ahead must
    not lock a new record against others.
    """
    own: float = record.record.row.updated_at
    if record.is_new and record.entry.tries and record.table.name == "visits" and cloud_ms is not None:
        return max(own + 1, cloud_ms)
    if record.seen_ms is not None and (record.is_edited or not record.is_new):
        return record.seen_ms + 1
    if record.seen_ms is not None or not record.is_new:
        return OLDEST_MS
    if cloud_ms is None:
        return own + record.is_edited
    if record.is_edited:
        return cloud_ms if own > cloud_ms + _DAY_MS and not record.entry.tries else max(own + 1, cloud_ms)
    return min(own, cloud_ms)


def body_of(items: Iterable[Item]) -> bytes:
    """Write a request's body: the tables at top level, three lists each (CLOUD.md 4)."""
    tables: dict[str, dict[str, list[bytes]]] = {}
    for item in items:
        lists = tables.setdefault(item.of.table.name, {"created": [], "updated": [], "deleted": []})
        if item.body is None:
            lists["deleted"].append(msgspec.json.encode(item.of.id.lower()))
        else:
            lists["created" if item.of.is_new else "updated"].append(item.body)
    return b"{" + b",".join(b'"%s":%s' % (name.encode(), _lists(lists)) for name, lists in tables.items()) + b"}"


def _lists(lists: Mapping[str, list[bytes]]) -> bytes:
    return b"{" + b",".join(b'"%s":[%s]' % (name.encode(), b",".join(rows)) for name, rows in lists.items()) + b"}"
