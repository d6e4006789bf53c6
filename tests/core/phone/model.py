"""A hub and a phone without a database: rows as values, the ledger as the hub keeps it, what the phone has."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice, takewhile
from typing import NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone import past, pull_page
from hub.core.phone.ledger import StoredLedger
from hub.core.phone.open_ledger import OpenLedger
from hub.core.phone.opening import StartOver
from hub.core.phone.pull_order import Sighting, apart_ms, most_urgent_first
from hub.core.phone.pull_page import Bundle, PullPage
from hub.core.phone.sheets import (
    DELIVERIES,
    ChangedRow,
    Delivery,
    Fork,
    Head,
    Outdated,
    Sheet,
    SuspectRecord,
    known_revision,
)
from hub.core.records.access import Owner
from hub.core.records.table import Rank, Table
from hub.core.records.tables import TABLES

PHONE = 1
START_MS = 1_800_000_000_000
NAMES = ("patients", "visits")
BLANK = 0
"""In the place of the revision of what a phone has as a blank row."""


class Row(NamedTuple):
    """A record on the hub; its text is its revision, so that the phone's tells which version it has."""

    created: int
    revision: int
    device: int
    origin: int
    clinic: str
    is_deleted: bool = False


class Due(NamedTuple):
    """A record that may be due, and whose it is."""

    table: Table
    row: pull_page.Row
    made_ms: int
    owner: Owner = Owner()
    patient_id: str | None = None
    appointed_ms: int | None = None


class ModelBacklog:
    """What is due of some records, in lists: what hub.store.phones.backlog reads from the database."""

    def __init__(self, records: Iterable[Due], sheets: Mapping[str, Sheet], now_ms: int = 0) -> None:
        self._all = list(records)
        self._now_ms = now_ms
        self._left = [each for each in self._all if each.row[0] in sheets.get(each.table.name, Sheet()).due]

    def records(self, table: Table, nums: Sequence[int]) -> Iterator[Bundle]:
        return (_bundle([each]) for each in self._all if each.table is table and each.row[0] in nums)

    def reference(self) -> Iterator[Bundle]:
        return self._each(lambda each: each.table.rank is Rank.REFERENCE)

    def names(self) -> Iterator[Bundle]:
        for each in self._take(lambda each: each.table.name == "patients"):
            yield _bundle([each], ("patients", each.made_ms))

    def patients(self) -> Iterator[Bundle]:
        met = sorted(self._sightings())
        for sighting in most_urgent_first([met]):
            if found := self._of(sighting.patient_id):
                yield _bundle(found, sighting.at)
        yield from self._each(lambda _: True)

    def _sightings(self) -> Iterator[Sighting]:
        for each in self._left:
            if each.patient_id:
                at = each.table.name, each.made_ms
                yield Sighting(apart_ms(self._now_ms, each.made_ms, each.appointed_ms), each.patient_id, at)

    def _of(self, patient_id: str) -> Sequence[Due]:
        return self._take(lambda each: each.patient_id == patient_id)

    def _each(self, wanted: Callable[[Due], bool]) -> Iterator[Bundle]:
        return (_bundle([each]) for each in self._take(wanted))

    def _take(self, wanted: Callable[[Due], bool]) -> Sequence[Due]:
        taken = [each for each in self._left if wanted(each)]
        self._left = [each for each in self._left if not wanted(each)]
        return taken


def _bundle(found: Sequence[Due], met_at: tuple[str, int] | None = None) -> Bundle:
    return Bundle(found[0].owner, [(each.table, [each.row]) for each in found], met_at)


class Answer(NamedTuple):
    """What travels to the phone."""

    page: PullPage
    timestamp: float


class Kept:
    """One ledger, as store.phones.ledger keeps it."""

    def __init__(self) -> None:
        self.head: Head | None = None
        self.sheets: Mapping[str, Sheet] = dict.fromkeys(NAMES, Sheet())
        self.outdated: Outdated = {}
        self.answers: list[Delivery] = []
        self.forced: list[tuple[int, str, int]] = []
        self.suspects: dict[SuspectRecord, tuple[int, int]] = {}
        self.seen = 0

    def newest(self) -> list[Delivery]:
        """Return the last answers that were given after the same cursor."""
        same = takewhile(lambda each: each.after == self.answers[-1].after, reversed(self.answers))
        return [*islice(same, DELIVERIES)][::-1]


class ModelHub:
    """The hub's rows, and the ledgers of one phone id."""

    def __init__(self) -> None:
        self.now = START_MS
        self.rows: dict[str, dict[int, Row]] = {name: {} for name in NAMES}
        self.moved = 0
        self.ledgers = {PHONE: Kept()}
        self.next_num = 100

    @property
    def kept(self) -> Kept:
        """Return the ledger that was used last."""
        return max(self.ledgers.values(), key=lambda each: each.seen)

    def tick(self) -> int:
        """Return the time of a new transaction."""
        self.now += 1
        return self.now

    def add(self, name: str, clinic: str, *, device: int = 0) -> int:
        num = len(self.rows[name]) + 1
        now = self.tick()
        self.rows[name][num] = Row(now, now, device, device, clinic)
        return num

    def change(self, name: str, num: int, *, device: int = 0, is_deleted: bool = False) -> None:
        self.rows[name][num] = self.rows[name][num]._replace(revision=self.tick(), device=device, is_deleted=is_deleted)

    def force(self, name: str, num: int, device: int) -> None:
        if device in self.ledgers:
            self.ledgers[device].forced.append((self.tick(), name, num))

    def whose(self, cursor: float) -> int:
        """Return the ledger of a phone, as store.phones.twins finds it."""
        return max(self.ledgers, key=lambda num: self._fit(num, cursor))

    def _fit(self, num: int, cursor: float) -> tuple[bool, bool, int]:
        kept = self.ledgers[num]
        known = {each.timestamp for each in kept.answers} | {each.after for each in kept.answers}
        return self.stored(num).expects(cursor), bool(cursor) and cursor in known, kept.seen

    def pusher(self, cursor: float) -> int:
        """Return under which number a push is kept, as store.phones.twins finds it."""
        num = self.whose(cursor)
        if len(self.ledgers) == 1 or any(self._fit(num, cursor)[:2]):
            return num
        self.next_num += 1
        return self.next_num

    def stored(self, num: int | None = None) -> StoredLedger:
        num = next(n for n, kept in self.ledgers.items() if kept is self.kept) if num is None else num
        kept = self.ledgers[num]
        return StoredLedger(
            device=num,
            revision=self.now,
            moved=self.moved,
            head=kept.head,
            sheets=kept.sheets,
            outdated=kept.outdated,
            newest=kept.newest(),
            is_shared=len(self.ledgers) > 1,
        )

    def opened(self, cursor: float, scope: str | None = None) -> OpenLedger:
        stored = self.stored(self.whose(cursor))
        if stored.is_left(cursor):
            stored = past.left(
                stored, cursor, self._answers, self._rows_since, [self.stored(num) for num in self.ledgers]
            )
        ledger = stored.resume(cursor, scope=scope)
        if isinstance(ledger, StartOver):
            return ledger.begin(
                {name: FrozenBitMap(self.rows[name]) for name in NAMES},
                {name: FrozenBitMap([num for num, row in self.rows[name].items() if row.is_deleted]) for name in NAMES},
            )
        owner = self.ledgers[ledger.fork.parent if ledger.fork else ledger.device]
        return ledger.absorb(
            self._rows_since(ledger.read_since),
            [(name, num) for revision, name, num in owner.forced if revision > ledger.since],
        )

    def pull(self, cursor: float, withheld: frozenset[str] = frozenset(), budget_bytes: int = 10**6) -> Answer:
        ledger = self.opened(cursor, ",".join(sorted(withheld)))
        asked = {
            name: [num for num in nums if self._is_in(name, num, withheld)] for name, nums in ledger.in_question.items()
        }
        ledger = ledger.unseen({name: FrozenBitMap(nums) for name, nums in asked.items() if nums})
        asks = ledger.is_confirming and not ledger.fork
        suspects = {} if ledger.fork else self.ledgers[ledger.device].suspects
        due = [suspect for suspect, (at, _) in suspects.items() if at <= self.now and asks]
        offered = ledger.offered(suspects=len(suspects) if asks else None)
        page, ledger = pull_page.fill(
            ledger,
            offered,
            ModelBacklog(self._due(), offered),
            most_bytes=budget_bytes,
            sees=lambda _table, owner: owner.clinic not in withheld,
            suspect=due[0] if due else None,
            waiting=suspects.keys() - set(due),
            blank=lambda _table, text: b" ".join((*text.split()[:2], b"%d" % BLANK)),
        )
        if ledger.fork:
            ledger = msgspec.structs.replace(ledger, device=self._begin(ledger.fork))
        kept = self.ledgers[ledger.device]
        ledger = ledger.deliver(page.delivered, is_retry=page.is_retry)
        self._save(kept, ledger)
        now = kept.seen = self.tick()
        parts, revision = ledger.delivered, ledger.head.revision
        kept.answers.append(Delivery(now, revision, page.is_retry, parts, page.weight, cursor))
        if page.suspect:
            self._suspect(kept, page.suspect)
        return Answer(page, now)

    def _begin(self, fork: Fork) -> int:
        for shared in fork.shared:
            kept = self.ledgers[shared.device]
            assert kept.head
            kept.head = msgspec.structs.replace(kept.head, since=self.now)
            kept.sheets = {**kept.sheets, **shared.sheets}
            news = {each.timestamp: each for each in shared.expected}
            kept.answers = [news.get(each.timestamp, each) for each in kept.answers]
        self.next_num += 1
        begun = self.ledgers[self.next_num] = Kept()
        parent = self.ledgers[fork.parent]
        begun.answers = list(fork.answers)
        begun.suspects = dict(parent.suspects) if fork.is_rewound else {}
        return self.next_num

    def _answers(self, num: int) -> Sequence[Delivery]:
        return self.ledgers[num].answers

    def _is_in(self, name: str, num: int, clinics: frozenset[str]) -> bool:
        return self.rows[name][num].clinic in clinics and not self.rows[name][num].is_deleted

    def known(self, name: str, num: int) -> int:
        """Return the revision up to which the hub takes the phone to know a record."""
        kept = self.kept
        outdated = {revision: nums for (table, revision), nums in kept.outdated.items() if table == name}
        return known_revision(num, kept.sheets[name], kept.head.revision if kept.head else 0, outdated)

    def _save(self, kept: Kept, ledger: OpenLedger) -> None:
        if ledger.starts_over:
            kept.answers, kept.suspects = [] if ledger.is_doubtful else kept.answers, {}
            kept.sheets = dict.fromkeys(NAMES, Sheet())
        if ledger.settled_until is not None:
            kept.forced = [each for each in kept.forced if each[0] > ledger.settled_until]
        for suspect in ledger.proven:
            kept.suspects.pop(suspect, None)
        for suspect in ledger.suspected:
            self._suspect(kept, suspect)
        kept.head = ledger.head
        kept.sheets = {**kept.sheets, **ledger.changed_sheets()}
        kept.outdated = {key: nums for key, nums in ledger.outdated.items() if nums}

    def _suspect(self, kept: Kept, suspect: SuspectRecord) -> None:
        wait = 2 * kept.suspects[suspect][1] if suspect in kept.suspects else 10**6
        kept.suspects[suspect] = (self.now + wait, wait)

    def _rows_since(self, since: int) -> dict[str, list[ChangedRow]]:
        return {
            name: [
                ChangedRow(num, row.revision, row.device, row.origin, row.created)
                for num, row in rows.items()
                if row.revision > since
            ]
            for name, rows in self.rows.items()
        }

    def _due(self) -> Iterator[Due]:
        for name, rows in self.rows.items():
            for num, row in sorted(rows.items(), reverse=True):
                text = b"%s %d %d" % (name.encode(), num, row.revision)
                yield Due(TABLES[name], (num, int(row.is_deleted), text), row.created, Owner(row.clinic))


class ModelPhone:
    """What a phone has: of each record the revision that it was read at."""

    def __init__(self) -> None:
        self.has: dict[tuple[str, int], int] = {}
        self.deleted: set[tuple[str, int]] = set()
        self.cursor: float = 0

    def store(self, answer: Answer, most: int | None = None) -> bool:
        """Store an answer, table by table; a ``created`` record that was deleted here fails the rest of it.

        ``updated`` of a record that is not there does nothing. most: so many tables, and no cursor.
        """
        for part in list(answer.page.parts.values())[:most]:
            made = dict(_read(text) for text in part.created)
            if self.deleted & made.keys():
                return False
            self.has.update(made)
            for key, revision in map(_read, part.updated):
                if key in self.has:
                    self.has[key] = revision
            for text in part.deleted:
                self.delete(_read(text)[0])
        if most is None:
            self.cursor = answer.timestamp
        return True

    def delete(self, key: tuple[str, int]) -> None:
        """Delete a record; its row stays, and is in the way of the same one for ever."""
        if self.has.pop(key, None) is not None:
            self.deleted.add(key)


def created(answer: Answer) -> set[tuple[str, int]]:
    """Return what an answer carries as created."""
    return {_read(text)[0] for part in answer.page.parts.values() for text in part.created}


def updated(answer: Answer) -> set[tuple[str, int]]:
    """Return what an answer carries as updated."""
    return {_read(text)[0] for part in answer.page.parts.values() for text in part.updated}


def told_deleted(answer: Answer) -> set[tuple[str, int]]:
    """Return what an answer says is deleted."""
    return {_read(text)[0] for part in answer.page.parts.values() for text in part.deleted}


def carried(answer: Answer) -> set[tuple[str, int]]:
    """Return all that an answer carries."""
    return {(name, num) for name, part in answer.page.delivered.items() for num in part.nums}


def shown(answer: Answer) -> set[tuple[str, int]]:
    """Return of what an answer carries more than a blank row."""
    return {(name, num) for name, part in answer.page.delivered.items() for num in part.nums - part.blanked}


def _read(text: bytes) -> tuple[tuple[str, int], int]:
    name, num, revision = text.split()
    return (name.decode(), int(num)), int(revision)


assert set(NAMES) <= set(TABLES)
