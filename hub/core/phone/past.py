"""Finds back what a phone had at an earlier cursor: it was put back from a backup, or several phones share one id.

A ledger stands for a phone at one cursor. What it takes for the phone's is what every phone at this cursor has: what
the answers carried that led there, each confirmed by the next cursor, and what was pushed between such an answer and
the next one that was given. Whatever else was pushed under its number is due, and in doubt (core.phone.doubt).

The hub remembers the last answers of a ledger: after which cursor each was given, what it carried, and what the ledger
had gained when it was chosen. A phone that comes with an earlier one of these cursors, or with an answer that was given
after it and never confirmed, is not the one that the ledger knows. It gets a ledger of its own: the other as it was
when the first answer after this cursor was chosen. What was delivered since is due to it, and only that.

Two phones may have been in the middle of a sync at the same time, so that one pushed after the other's answer. So, when
it shows that there are two, what any ledger of the id gained by pushes since that cursor is in doubt.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from pyroaring import FrozenBitMap

from hub.core.phone import doubt
from hub.core.phone.ledger import StoredLedger
from hub.core.phone.sheets import NEW, NO_RECORDS, ChangedRow, Delivered, Delivery, Fork, Outdated, Shared, Sheet

_Changed = Callable[[int], Mapping[str, Sequence[ChangedRow]]]
"""Returns the rows that changed after a revision."""
_Nums = Mapping[str, FrozenBitMap]


class Point(NamedTuple):
    """A place in the life of a ledger to which a phone goes back."""

    cursor: float
    """The one with which a phone had come there."""
    since: Sequence[Delivery]
    """The answers that were given from then on. As the first was chosen, the ledger was any phone's at this cursor."""
    stored: Delivery | None
    """The one of them that this phone has stored."""


def left(
    stored: StoredLedger,
    cursor: float,
    answers: Callable[[int], Sequence[Delivery]],
    changed: _Changed,
    ledgers: Iterable[StoredLedger],
) -> StoredLedger:
    """Return the ledger of a phone that comes with ``cursor``, and is not where this one last met its phone.

    answers: returns those that a ledger gave, the oldest first; ledgers: all of the id.
    """
    given = answers(stored.device)
    point = find(given, cursor)
    if point is None and not stored.starts_over(cursor):
        return stored
    at = point.cursor if point else 0
    begun = rewound(stored, given, point, cursor) if point else emptied(stored)
    others = [shared(each, answers(each.device), at, changed) for each in ledgers]
    return msgspec.structs.replace(begun, fork=begun.fork and begun.fork._replace(shared=others))


def find(answers: Sequence[Delivery], cursor: float) -> Point | None:
    """Return where a phone with this cursor left the ledger that gave these answers; None if nobody knows."""
    if not cursor:
        return None  # a fresh database
    if since := _since(answers, cursor):
        return Point(cursor, since, None)
    stored = next((each for each in answers if each.timestamp == cursor), None)
    return Point(stored.after, _since(answers, stored.after), stored) if stored else None


def rewound(stored: StoredLedger, answers: Sequence[Delivery], point: Point, cursor: float) -> StoredLedger:
    """Return the ledger as it was at a point, for a phone that goes on from there under ``cursor``.

    answers: all that the ledger gave.
    """
    carried, first = _carried(point.since), point.since[0]
    # No scope: nobody knows what was blank then, so all that it has is looked at.
    head = stored.head and msgspec.structs.replace(
        stored.head, revision=first.revision, settled=cursor, attempts=0, asked=0, scope=None
    )
    return msgspec.structs.replace(
        stored,
        device=NEW,
        head=head,
        sheets=_sheets_at(stored.sheets, point, carried),
        outdated=_outdated_at(stored.outdated, first.revision, carried),
        newest=(),
        fork=_fork_at(stored.device, answers, point),
    )


def emptied(stored: StoredLedger) -> StoredLedger:
    """Return a ledger for a phone of which nobody knows what it has: the first one may still be in use."""
    head = stored.head and msgspec.structs.replace(stored.head, settled=0, attempts=0)
    return msgspec.structs.replace(stored, device=NEW, head=head, newest=(), fork=Fork(stored.device))


def shared(stored: StoredLedger, answers: Sequence[Delivery], cursor: float, changed: _Changed) -> Shared:
    """Return what becomes of a ledger when another phone goes on from ``cursor``, at which its own phone was too.

    Where nobody knows when that was, all is in doubt that it gained by pushes, as far as that is remembered.
    """
    since = _since(answers, cursor) or answers
    gained = _pushed(answers, since)
    rows = changed(since[0].revision) if since else {}
    sheets, expected = {}, list(stored.deliveries)
    for name, sheet in stored.sheets.items():
        own = gained.get(name, NO_RECORDS)
        late = FrozenBitMap(each.num for each in rows.get(name, ()) if stored.device in {each.device, each.origin})
        if own or late:
            sheets[name] = _owing(sheet, own, own | late).doubt(own | late)
            expected = [_without(each, name, own) for each in expected]
    return Shared(stored.device, sheets, expected)


def _sheets_at(sheets: Mapping[str, Sheet], point: Point, carried: _Nums) -> dict[str, Sheet]:
    gained, stored = _gained(point.since[1:]), _carried([point.stored] if point.stored else [])
    before = {}
    for name, sheet in sheets.items():
        lacking = gained.get(name, NO_RECORDS)
        owing = _owing(sheet, lacking, carried.get(name, NO_RECORDS) | lacking)._replace(blanked=NO_RECORDS)
        before[name] = owing if name in doubt.KEPT else owing.doubt(stored.get(name, NO_RECORDS))
    return before


def _outdated_at(outdated: Outdated, revision: int, carried: _Nums) -> Outdated:
    return {key: nums - carried.get(key[0], NO_RECORDS) for key, nums in outdated.items() if key[1] <= revision}


def _fork_at(parent: int, answers: Sequence[Delivery], point: Point) -> Fork:
    """Return how a ledger begins that has the answers before a point, and what the other one had gained there."""
    first = point.since[0]
    known, gained = [each for each in answers if each.timestamp < first.timestamp], _gained([first])
    if point.stored:
        return Fork(parent, is_rewound=True, answers=[*known, _with(point.stored, gained)])
    return Fork(parent, is_rewound=True, answers=known, gained=gained)


def _owing(sheet: Sheet, lacking: FrozenBitMap, owed: FrozenBitMap) -> Sheet:
    """Take back what a phone may lack, and make due what is owed."""
    return sheet._replace(
        has=sheet.has - lacking,
        due=sheet.due | owed,
        withheld=sheet.withheld - owed,
        frontier=None,
        failed=NO_RECORDS,
        blanked=sheet.blanked - owed,
    )


def _without(answer: Delivery, name: str, doubted: FrozenBitMap) -> Delivery:
    """Return an answer that does not prove what is doubted: if it went as ``updated``, the phone may lack it still."""
    part = answer.tables.get(name)
    if part is None:
        return answer
    return answer._replace(tables={**answer.tables, name: part._replace(nums=part.nums - doubted)})


def _with(answer: Delivery, gained: _Nums) -> Delivery:
    """Return an answer with something else that was gained when it was chosen."""
    tables = {**dict.fromkeys(gained, Delivered(NO_RECORDS, None)), **answer.tables}
    return answer._replace(
        tables={name: part._replace(gained=gained.get(name, NO_RECORDS)) for name, part in tables.items()}
    )


def _since(answers: Sequence[Delivery], cursor: float) -> Sequence[Delivery]:
    """Return the answers from the first one on that was given after ``cursor``."""
    first = next((place for place, each in enumerate(answers) if each.after == cursor), len(answers))
    return answers[first:]


def _pushed(answers: Sequence[Delivery], since: Sequence[Delivery]) -> _Nums:
    """Return what was gained after the first of ``since``, and was in no answer that was just confirmed."""
    given: dict[float, Mapping[str, Delivered]] = {each.timestamp: each.tables for each in answers}
    met: set[float] = set()
    pushed = []
    for each in since:
        confirmed = {} if each.after in met else given.get(each.after, {})
        if met:
            pushed += [
                (name, part.gained - confirmed[name].nums if name in confirmed else part.gained)
                for name, part in each.tables.items()
            ]
        met.add(each.after)
    return _union(pushed)


def _carried(answers: Iterable[Delivery]) -> _Nums:
    return _union((name, part.nums) for each in answers for name, part in each.tables.items())


def _gained(answers: Iterable[Delivery]) -> _Nums:
    return _union((name, part.gained) for each in answers for name, part in each.tables.items())


def _union(parts: Iterable[tuple[str, FrozenBitMap]]) -> _Nums:
    found: dict[str, list[FrozenBitMap]] = {}
    for name, nums in parts:
        found.setdefault(name, []).append(nums)
    return {name: NO_RECORDS.union(*each) for name, each in found.items()}
