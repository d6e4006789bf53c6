"""Finds patients: by name in any script and order, by fragments of numbers, by likeness; newest first.

The words are kept by triggers of the table ``patients`` (hub.store.migrations), so in the transaction that writes a
record, whoever writes it; of those who come many at once, soon after (unsearched). Deleted patients have none.
hub.core.records.search says which words stand for what.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlite_utils import Database

from hub.core.errors import Malformed
from hub.core.records import access, codec, search
from hub.core.records.access import Owner, Rights
from hub.core.records.codec import Record
from hub.core.records.search import SearchedColumns
from hub.core.records.tables import TABLES

COUNTED = 200
"""Up to so many matches are counted and put in order of their making; those that came to this hub earlier follow."""
CANDIDATES = 2000
"""How many names are compared, at most, for likeness."""
CLINICS = 200
"""Of more clinics than these the user sees only those with the most patients: a search names each of them."""

_PATIENTS = TABLES["patients"]
_STARTS = 3
_WAYS = 8
"""Of filters that can each be met in more ways than one, so many are looked at."""


class Scope(msgspec.Struct, frozen=True):
    """Whose patients a user sees: the clinics ('' for none), None for all; and how many patients that is.

    own: further clinics, unknown to the hub, of whose patients the user sees those that ``authors`` entered.
    """

    clinics: tuple[str, ...] | None
    total: int
    own: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()


def register(conn: sqlite3.Connection) -> None:
    """Let a connection call the functions that the triggers of ``patients`` call."""
    for name, function in search.OF_PATIENT.items():
        conn.create_function(name, 2, function, deterministic=True)


def scope(db: Database, rights: Rights) -> Scope:
    """Return which patients a user sees, without looking at any."""
    counts: dict[str, int] = dict(
        db.execute("SELECT clinic, live FROM patient_counts WHERE live > 0 ORDER BY live DESC").fetchall()
    )
    seen = [clinic for clinic in counts if access.sees(rights, _PATIENTS, Owner(clinic or None))]
    if len(seen) == len(counts):
        return Scope(None, sum(counts.values()))
    me, rest = rights.user_id, counts.keys() - seen
    own = [clinic for clinic in counts if clinic in rest and access.sees(rights, _PATIENTS, Owner(clinic or None, me))]
    part = Scope(tuple(seen[:CLINICS]), 0, tuple(own[:CLINICS]), tuple(rights.user_ids))
    total = sum(counts[clinic] for clinic in seen[:CLINICS])
    if own:
        total += db.execute(f"SELECT count(*) FROM ({_LISTED_OWN})", _own_parameters(part)).fetchone()[0]
    return msgspec.structs.replace(part, total=total)


def newest(db: Database, seen: Scope, *, limit: int, offset: int) -> list[Record]:
    """Return a page of all patients that ``seen`` allows."""
    if seen.clinics is None:
        nums = "SELECT num, made_ms FROM patients WHERE local_server_deleted_at IS NULL"
    elif not seen.clinics and not seen.own:
        return []
    else:
        # Each part is read along its own index; SQLite merges them as far as the page goes.
        parts = [_LISTED] * len(seen.clinics)
        nums = " UNION ALL ".join([*parts, *([_LISTED_OWN] if seen.own else [])])
    wanted = [*(clinic or None for clinic in seen.clinics or ()), *(_own_parameters(seen) if seen.own else ())]
    rows = db.execute(
        f"SELECT num FROM ({nums} ORDER BY made_ms DESC, num DESC LIMIT ? OFFSET ?)", [*wanted, limit, offset]
    )
    return _records(db, [row[0] for row in rows])


def matching(
    db: Database, seen: Scope, filters: Mapping[str, str], *, limit: int, offset: int
) -> tuple[list[Record], int]:
    """Return a page of the patients that match all ``filters`` (column -> what was typed), and how many match.

    The count is exact up to COUNTED; beyond, it says only whether there are more. Raises Malformed for a column that
    is not searched.
    """
    ways = _ways(filters)
    if ways == [_Way()]:
        return newest(db, seen, limit=limit, offset=offset), seen.total
    sql, wanted = _statement(seen, ways)
    rows = db.execute(f"{sql} LIMIT ?", [*wanted, max(COUNTED, offset + limit) + 1]).fetchall()
    first = sorted(rows[:COUNTED], key=lambda row: (row[1], row[0]), reverse=True)
    return _records(db, [row[0] for row in [*first, *rows[COUNTED:]][offset : offset + limit]]), len(rows)


def similar(db: Database, seen: Scope, patient: SearchedColumns, *, limit: int) -> list[Record]:
    """Return the patients whose names are most like those of ``patient``, best first."""
    asked = search.fold(f"{patient.given_name} {patient.surname}")
    names: dict[int, str] = {}
    for expression in _candidates(asked, patient):
        condition, wanted = _of_own(seen, "num = patient_words.rowid")
        rows = db.execute(
            f"SELECT rowid, name FROM patient_words WHERE patient_words MATCH ?{condition} ORDER BY rowid DESC LIMIT ?",
            [_within(seen, expression), *wanted, CANDIDATES - len(names)],
        )
        names.update(rows)
    return _records(db, search.ranked(asked, names, most=limit))


def of_government_id(db: Database, seen: Scope, government_id: str) -> list[Record]:
    """Return the patients who have this government id, however it is written."""
    asked = search.whole(government_id)
    if not asked:
        return []
    sql, wanted = _statement(seen, [_Way((asked,))])
    found = _records(db, [row[0] for row in db.execute(f"{sql} LIMIT ?", [*wanted, COUNTED])])
    return [record for record in found if search.whole(str(record.get("government_id"))) == asked]


class _Way(NamedTuple):
    """Expressions that a patient's numbers and words must all match; one way to be found is enough."""

    numbers: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def _ways(filters: Mapping[str, str]) -> list[_Way]:
    """Turn filters into the ways to match all of them."""
    ways = [_Way()]
    for column, typed in filters.items():
        if column not in _FILTERS:
            raise Malformed(f"filters.{column} is not a column that is searched")
        found = _FILTERS[column](typed)
        ways = [_Way(*map(tuple.__add__, way, more)) for way in ways for more in found][:_WAYS]
    return ways


def _statement(seen: Scope, ways: list[_Way]) -> tuple[str, list[str]]:
    """Write the query for the matches, newest on this hub first, so that it may stop early."""
    parts = [_part(seen, way) for way in ways]
    order = "1" if len(parts) > 1 else f"{_index(ways[0])}.rowid"
    return f"{' UNION '.join(sql for sql, _ in parts)} ORDER BY {order} DESC", [
        each for _, more in parts for each in more
    ]


def _index(way: _Way) -> str:
    return "patient_numbers" if way.numbers else "patient_words"


def _part(seen: Scope, way: _Way) -> tuple[str, list[str]]:
    index = _index(way)
    sql = (
        f"SELECT p.num, p.made_ms FROM {index} CROSS JOIN patients AS p ON p.num = {index}.rowid WHERE {index} MATCH ?"
    )
    if not way.numbers:
        every = way.words if seen.clinics is None else (*way.words, _clinics(seen))
        condition, more = _of_own(seen, "num = p.num")
        return sql + condition, [" AND ".join(every), *more]
    wanted = [" AND ".join(way.numbers)]
    if way.words:
        sql += " AND p.num IN (SELECT rowid FROM patient_words WHERE patient_words MATCH ?)"
        wanted.append(" AND ".join(way.words))
    if seen.clinics is not None:
        sql += " AND coalesce(p.primary_clinic_id, '') IN (SELECT value FROM json_each(?))"
        wanted.append(_json([*seen.clinics, *seen.own]))
        condition, more = _of_own(seen, "num = p.num")
        sql, wanted = sql + condition, [*wanted, *more]
    return sql, wanted


def _named(typed: str) -> list[_Way]:
    """Search what was typed where the app has one box for all: in names, and what may be a number in numbers."""
    chunks = typed.split()
    if not search.is_number(typed):
        return [_words(search.expression(typed, search.NAME)), *_coded(chunks)]
    names = " ".join(chunk for chunk in chunks if not search.is_number(chunk))
    grouped = all(search.is_number(chunk) or not search.number(chunk) for chunk in chunks)
    numbers = ["".join(chunks)] if grouped else [chunk for chunk in chunks if search.is_number(chunk)]
    way = _words(search.expression(names, search.NAME) if not grouped else "")
    for each in numbers:
        way = _Way(*map(tuple.__add__, way, _numbered(each)[0]))
    # "Twin 2" is a name, and "GOV 77" a number.
    return [_words(search.expression(typed, search.NAME)), way, *([] if grouped else _numbered("".join(chunks)))]


def _coded(chunks: list[str]) -> list[_Way]:
    """Search the letters that a number may begin with: GOV-77."""
    is_code = len(chunks) == 1 and chunks[0].isascii() and search.fragment(chunks[0])
    return _numbered(chunks[0]) if is_code else []


def _numbered(typed: str) -> list[_Way]:
    fragment = search.fragment(typed)
    if fragment:
        return [_Way((fragment,))]
    return [_words(_NOTHING if search.number(typed) else "")]  # too short to be looked up


def _words(expression: str) -> _Way:
    return _Way((), (expression,)) if expression else _Way()


def _placed(typed: str) -> list[_Way]:
    return [_words(search.expression(typed, search.PLACE))]


def _born(typed: str) -> list[_Way]:
    return [_words(search.beginning(search.BORN, search.number(typed)) if typed else "")]


def _of_sex(typed: str) -> list[_Way]:
    return [_words(search.exactly(search.SEX, search.number(typed)) if typed else "")]


_NOTHING = search.exactly("0", "")
"""No stored word is this."""

_FILTERS: dict[str, Callable[[str], list[_Way]]] = {
    "given_name": _named,
    "surname": _named,
    "phone": _numbered,
    "government_id": _numbered,
    "external_patient_id": _numbered,
    "hometown": _placed,
    "camp": _placed,
    "citizenship": _placed,
    "date_of_birth": _born,
    "sex": _of_sex,
}


def _candidates(asked: str, patient: SearchedColumns) -> Iterator[str]:
    """Return expressions for who may be the same person, the likelier first."""
    words = asked.split()
    if not words:
        return
    sounds = [search.exactly(search.SOUND, search.skeleton(word)) for word in words]
    starts = [search.beginning(search.NAME, word[:_STARTS]) for word in words]
    yield f"({' AND '.join(sounds)})"
    yield f"({' AND '.join(starts)})"
    if patient.date_of_birth:
        born = search.exactly(search.BORN, search.number(patient.date_of_birth))
        yield f"({born} AND ({' OR '.join(starts)}))"
    yield f"({' OR '.join(sounds)})"
    yield f"({' OR '.join(starts)})"


def _within(seen: Scope, expression: str) -> str:
    return expression if seen.clinics is None else f"{_clinics(seen)} AND {expression}"


_LISTED = (
    "SELECT num, made_ms FROM patients INDEXED BY patients_listed"
    " WHERE local_server_deleted_at IS NULL AND primary_clinic_id IS ?"
)
_LISTED_OWN = (
    "SELECT num, made_ms FROM patients INDEXED BY patients_own WHERE local_server_deleted_at IS NULL"
    " AND author IN (SELECT value FROM json_each(?))"
    " AND coalesce(primary_clinic_id, '') IN (SELECT value FROM json_each(?))"
)
"""The patients whom a user sees for having entered them."""


def _own_parameters(seen: Scope) -> list[str]:
    return [_json(seen.authors), _json(seen.own)]


def _of_own(seen: Scope, this: str) -> tuple[str, list[str]]:
    """Write a condition that leaves out, of the clinics that are unknown, what others entered; ``this`` finds a row."""
    if not seen.own:
        return "", []
    condition = (
        f" AND EXISTS (SELECT 1 FROM patients AS owned WHERE owned.{this} AND"
        " (coalesce(owned.primary_clinic_id, '') NOT IN (SELECT value FROM json_each(?))"
        " OR owned.author IN (SELECT value FROM json_each(?))))"
    )
    return condition, [_json(seen.own), _json(seen.authors)]


def _json(values: Sequence[str]) -> str:
    return msgspec.json.encode(list(values)).decode()


def _clinics(seen: Scope) -> str:
    clinics = [*(seen.clinics or ()), *seen.own]
    words = [search.exactly(search.CLINIC, search.clinic_word(clinic)) for clinic in clinics]
    return f"({' OR '.join(words or [_NOTHING])})"


def _records(db: Database, nums: list[int]) -> list[Record]:
    """Read patients by their numbers, in that order."""
    rows = db.execute(
        "SELECT p.data, p.cut FROM json_each(?) AS wanted CROSS JOIN patients AS p ON p.num = wanted.value",
        [msgspec.json.encode(nums).decode()],
    )
    return [codec.stored(_PATIENTS, *row) for row in rows]
