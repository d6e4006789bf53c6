"""Reads what is due to a phone, in the order of core.phone.pull_order and no further than it is taken.

Numbers come from the indexes alone and are held against the ledger's bitmaps; only what is due is read whole.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple, TypeVar

import msgspec
from pyroaring import BitMap
from sqlite_utils import Database

from hub.core.phone.page_size import FLOOR_BYTES
from hub.core.phone.pull_order import STILL_DUE_MS, Sighting, apart_ms, most_urgent_first
from hub.core.phone.pull_page import Bundle, Row
from hub.core.phone.sheets import Sheet
from hub.core.records.access import Owner
from hub.core.records.table import Rank, Table
from hub.core.records.tables import TABLES
from hub.store.phones import ledger
from hub.store.records import owners

_FEW = 4096
"""Up to so many due records of a table are sorted; more are read along an index, from where the last page ended."""
_DENSE = 4
"""... but where one in so many records is due the index is followed too, and only as far as records are taken,"""
_HANDFUL = 512
"""unless they are no more than this."""
_FRESH = 512
"""So far above that it is looked for what was made since: the patients of today come before those of last year."""
_FETCH = 512
_TOGETHER = 64
"""How many patients are read at a time: few, for those that do not fit are read in vain."""

_REFERENCE = [table for table in TABLES.values() if table.rank is Rank.REFERENCE]
_OF_OTHERS = [table for table in TABLES.values() if table.owned_by]
_OF_PATIENTS = [table for table in TABLES.values() if table.rank is not Rank.REFERENCE and not table.owned_by]
_PATIENTS, _APPOINTMENTS = TABLES["patients"], TABLES["appointments"]
_FOLLOWED = frozenset({"patients", "visits"})
"""The tables whose index is followed while much is due: a visit is when a patient was seen."""

_T = TypeVar("_T")
_Due = tuple[int, int, str | None]
"""When a record was made (ms), its number and its patient."""
_Nums = Mapping[int, Sequence[int]]
_Rows = tuple[Table, Sequence[Row]]


class StoredBacklog:
    """A core.phone.pull_page.Backlog: what is due by these sheets, in one view."""

    def __init__(self, db: Database, sheets: Mapping[str, Sheet], now_ms: int) -> None:
        """Read nothing yet."""
        self._db = db
        self._now_ms = now_ms
        self._left = {name: BitMap(sheet.due) for name, sheet in sheets.items()}
        self._frontiers = {name: sheet.frontier for name, sheet in sheets.items()}

    def records(self, table: Table, nums: Sequence[int]) -> Iterator[Bundle]:
        """Read records by their numbers, each by itself."""
        for chunk in _chunks(nums, _FETCH):
            for clinic, author, *row in self._db.execute(_owned_sql(table), [_json(chunk)]):
                yield Bundle(Owner(clinic, author), [(table, [tuple(row)])])

    def reference(self) -> Iterator[Bundle]:
        """Read what is due of reference data, the oldest first."""
        for table in _REFERENCE:
            yield from self.records(table, self._take(table, self._left[table.name]))

    def names(self) -> Iterator[Bundle]:
        """Read what is due of the patients' own rows, the newest first."""
        left = self._left[_PATIENTS.name]
        for chunk in _chunks(self._moments(_PATIENTS), _FETCH):
            made = {num: made_ms for made_ms, num in chunk if num in left}
            rows = self._db.execute(_owned_sql(_PATIENTS), [_json(self._take(_PATIENTS, made))])
            for clinic, author, num, *row in rows:
                yield Bundle(Owner(clinic, author), [(_PATIENTS, [(num, *row)])], (_PATIENTS.name, made[num]))

    def patients(self) -> Iterator[Bundle]:
        """Read what is due, a patient at a time; in the end what is no patient's."""
        for sightings in _chunks(most_urgent_first(self._streams()), _TOGETHER):
            yield from self._whole(sightings)
        for table in _OF_PATIENTS:
            yield from self._rest(table)
        for table in _OF_OTHERS:
            yield from self.records(table, self._take(table, self._left[table.name]))

    def _streams(self) -> Iterator[Iterator[Sighting]]:
        """Meet patients by what is due of them: in small tables by all of it, in large ones where an index leads."""
        for table in _OF_PATIENTS:
            if not self._left[table.name]:
                continue
            if self._is_small(table):
                yield self._met(self._newest(table))
            elif table.name in _FOLLOWED:
                yield self._met(self._newest(table), table.name)
        if self._left[_APPOINTMENTS.name]:
            yield self._appointed(_APPOINTMENTS)

    def _met(self, rows: Iterable[_Due], followed: str | None = None) -> Iterator[Sighting]:
        for made_ms, _, patient_id in rows:
            if patient_id:
                at = (followed, made_ms) if followed else None
                yield Sighting(apart_ms(self._now_ms, made_ms), patient_id, at)

    def _newest(self, table: Table) -> Iterator[_Due]:
        """Return what is due of a table, the newest first."""
        return iter(self._sorted(table)) if self._is_sparse(table) else self._due(table, self._moments(table))

    def _moments(self, table: Table) -> Iterator[tuple[int, int]]:
        """Return moments and numbers of what is due of a table, the newest first."""
        if self._is_sparse(table):
            return ((made_ms, num) for made_ms, num, _ in self._sorted(table))
        left = self._left[table.name]
        return (row for row in self._followed(table) if row[1] in left)

    def _sorted(self, table: Table) -> Sequence[_Due]:
        return self._db.execute(_sorted_sql(table), [_json(self._left[table.name])]).fetchall()

    def _followed(self, table: Table) -> Iterator[tuple[int, int]]:
        """Follow the index of made_ms: where much is due, some of what was made since, then on from the frontier."""
        select = f"SELECT made_ms, num FROM [{table.name}] INDEXED BY [{table.name}_made]"
        frontier = None if self._is_small(table) else self._frontiers[table.name]
        if frontier is None:
            yield from self._db.execute(f"{select} ORDER BY made_ms DESC")
            return
        yield from self._db.execute(f"{select} WHERE made_ms > ? ORDER BY made_ms DESC LIMIT {_FRESH}", [frontier])
        yield from self._db.execute(f"{select} WHERE made_ms <= ? ORDER BY made_ms DESC", [frontier])

    def _appointed(self, table: Table) -> Iterator[Sighting]:
        """Meet patients by the appointments to come that are due, the next first."""
        left = self._left[table.name]
        some = "num IN (SELECT value FROM json_each(:left))" if self._is_small(table) else "true"
        rows = self._db.execute(
            f"SELECT [timestamp], num FROM appointments WHERE [timestamp] > :since AND {some} ORDER BY [timestamp]",
            {"since": self._now_ms - STILL_DUE_MS, "left": _json(left if self._is_small(table) else ())},
        )
        for at, _, patient_id in self._due(table, ((int(at), num) for at, num in rows if num in left)):
            if patient_id:
                yield Sighting(apart_ms(self._now_ms, at, at), patient_id)

    def _due(self, table: Table, rows: Iterable[tuple[int, int]]) -> Iterator[_Due]:
        """Add the patients to moments and numbers."""
        for chunk in _chunks(rows, _FETCH):
            patients = self._db.execute(_patients_sql(table), [_json(num for _, num in chunk)])
            for (moment, num), (patient_id,) in zip(chunk, patients.fetchall(), strict=True):
                yield moment, num, patient_id

    def _whole(self, sightings: Sequence[Sighting]) -> Iterator[Bundle]:
        """Read all that is due of these patients, some at a time; places are those in the list of sightings."""
        wanted = _json(sighting.patient_id for sighting in sightings)
        nums = {table: self._nums(table, wanted) for table in _OF_PATIENTS if self._left[table.name]}
        known = {place: (num, Owner(*owner)) for place, num, *owner in self._db.execute(_OWNERS, [wanted])}
        for places in _groups(len(sightings), nums.values()):
            for place, tables in self._read(nums, places).items():
                if place in known:
                    yield self._bundle(sightings[place], *known[place], tables)
                else:
                    yield from self._strays(tables)

    def _nums(self, table: Table, wanted: str) -> _Nums:
        """Return what is due of these patients in a table: place -> numbers."""
        left, found = self._left[table.name], defaultdict(list)
        for num, place in self._db.execute(_nums_sql(table), [wanted]):
            if num in left:
                found[place].append(num)
        return found

    def _read(self, nums: Mapping[Table, _Nums], places: Sequence[int]) -> dict[int, list[_Rows]]:
        """Read some patients' rows: place -> table by table."""
        found: dict[int, list[_Rows]] = {place: [] for place in places}
        for table, of in nums.items():
            whose = {num: place for place in places for num in of.get(place, ())}
            rows = defaultdict(list)
            for chunk in _chunks(whose if table is _PATIENTS else self._take(table, whose), _FETCH):
                for row in self._db.execute(_row_sql(table), [_json(chunk)]):
                    rows[whose[row[0]]].append(row)
            for place, read in rows.items():
                found[place].append((table, read))
        return found

    def _strays(self, tables: Iterable[_Rows]) -> Iterator[Bundle]:
        """Hand over what is of a patient whom the hub does not have: it is its authors'."""
        for table, rows in tables:
            sql = f"SELECT num, author FROM [{table.name}] WHERE num IN (SELECT value FROM json_each(?))"
            author = dict(self._db.execute(sql, [_json(row[0] for row in rows)]).fetchall())
            for whose in dict.fromkeys(author.values()):
                yield Bundle(Owner(None, whose), [(table, [row for row in rows if author[row[0]] == whose])])

    def _bundle(self, sighting: Sighting, num: int, owner: Owner, tables: Sequence[_Rows]) -> Bundle:
        """Hand a patient over; the name may have gone ahead since it was read."""
        names = self._left[_PATIENTS.name]
        if num not in names:
            tables = [part for part in tables if part[0] is not _PATIENTS]
        names.discard(num)
        return Bundle(owner, tables, sighting.at)

    def _rest(self, table: Table) -> Iterator[Bundle]:
        """Read what is left of a table: many changes to old records, and what is no patient's."""
        for chunk in _chunks(reversed(self._left[table.name].to_array()), _FEW):
            left = self._left[table.name] & BitMap(chunk)
            rows = self._db.execute(_sorted_sql(table), [_json(left)]).fetchall()
            for sightings in _chunks(most_urgent_first([self._met(rows)]), _TOGETHER):
                yield from self._whole(sightings)
            nobodys = [num for _, num, _ in rows if num in self._left[table.name]]
            yield from self.records(table, self._take(table, nobodys))

    def _is_small(self, table: Table) -> bool:
        return len(self._left[table.name]) <= _FEW

    def _is_sparse(self, table: Table) -> bool:
        """Whether so little is due that sorting it costs less than passing over the rest of the index."""
        due = len(self._left[table.name])
        return self._is_small(table) and (due <= _HANDFUL or due * _DENSE < self._last(table))

    def _last(self, table: Table) -> int:
        return int(self._db.execute(f"SELECT coalesce(max(num), 0) FROM [{table.name}]").fetchone()[0])

    def _take(self, table: Table, nums: Iterable[int]) -> Sequence[int]:
        taken = list(nums)
        self._left[table.name] -= BitMap(taken)
        return taken


class LargeRecord(NamedTuple):
    """A record that may be too large for a phone."""

    table: str
    record_id: str
    size_bytes: int


def large_suspects(db: Database, device: int) -> list[LargeRecord]:
    """Return the records that a phone got alone for their size, and has not stored yet."""
    return [
        LargeRecord(name, *row)
        for name, num in ledger.suspects(db, device)
        for row in db.execute(f"SELECT id, length(CAST(data AS BLOB)) FROM [{name}] WHERE num = ?", [num])
        if row[1] > FLOOR_BYTES
    ]


_ROW = (
    "t.num, t.local_server_deleted_at IS NOT NULL,"
    " CASE WHEN t.local_server_deleted_at IS NOT NULL THEN CAST(json_object('id', t.id) AS BLOB)"
    " WHEN t.cut IS NULL THEN CAST(t.data AS BLOB)"
    " ELSE CAST(substr(t.data, 1, t.cut) || '}' AS BLOB) END"
)
_OWNERS = (
    "SELECT wanted.key, t.num, t.primary_clinic_id, t.author FROM json_each(?) AS wanted"
    " CROSS JOIN patients AS t ON t.id = wanted.value"
)


@cache
def _row_sql(table: Table) -> str:
    """Select whole rows by their numbers, in the order of these."""
    return f"SELECT {_ROW} FROM json_each(?) AS wanted CROSS JOIN [{table.name}] AS t ON t.num = wanted.value"


@cache
def _owned_sql(table: Table) -> str:
    """Select owners and whole rows by the rows' numbers, in the order of these."""
    return (
        f"SELECT {owners.columns(table)}, {_ROW} FROM json_each(?) AS wanted"
        f" CROSS JOIN [{table.name}] AS t ON t.num = wanted.value {owners.join(table)}"
    )


@cache
def _sorted_sql(table: Table) -> str:
    """Select _Due by numbers, the newest first."""
    return (
        f"SELECT t.made_ms, t.num, t.[{table.patient or 'id'}] FROM json_each(?) AS wanted"
        f" CROSS JOIN [{table.name}] AS t ON t.num = wanted.value ORDER BY t.made_ms DESC, t.num DESC"
    )


@cache
def _patients_sql(table: Table) -> str:
    """Select the patients of numbers, in the order of these."""
    return (
        f"SELECT t.[{table.patient or 'id'}] FROM json_each(?) AS wanted"
        f" CROSS JOIN [{table.name}] AS t ON t.num = wanted.value"
    )


@cache
def _nums_sql(table: Table) -> str:
    """Select the numbers of all records of patients, and whose each is, as a place in the list of these."""
    return (
        f"SELECT t.num, wanted.key FROM json_each(?) AS wanted"
        f" CROSS JOIN [{table.name}] AS t ON t.[{table.patient or 'id'}] = wanted.value"
    )


def _groups(count: int, nums: Iterable[_Nums]) -> Iterator[list[int]]:
    """Put together the places of patients who have some hundred records between them: few are read in vain."""
    sizes: Counter[int] = Counter()
    for of in nums:
        sizes.update({place: len(found) for place, found in of.items()})
    group: list[int] = []
    for place in range(count):
        group.append(place)
        if sum(sizes[each] for each in group) >= _FETCH:
            yield group
            group = []
    if group:
        yield group


def _chunks(values: Iterable[_T], size: int) -> Iterator[list[_T]]:
    rest = iter(values)
    while chunk := list(islice(rest, size)):
        yield chunk


def _json(values: Iterable[object]) -> str:
    return msgspec.json.encode(list(values)).decode()
