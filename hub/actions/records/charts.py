"""Patients' charts: opened to those who may see them, and written into as a push would (S5).

A patient of a clinic that the user may not see is not there, and neither is anything of theirs.
"""

import time
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

from msgspec import UNSET

from hub.actions.records import search_index
from hub.actions.records.changes import Changes
from hub.core import clock
from hub.core.errors import BadRecord, Conflict, Malformed, NotFound
from hub.core.people.users import User
from hub.core.reasons import Code
from hub.core.records import access, codec, online
from hub.core.records.access import Owner, Permission, Rights
from hub.core.records.codec import Pushed, Record
from hub.core.records.merge import HUB
from hub.core.records.search import SearchedColumns
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.core.status.facts import FREE_BYTES_FULL
from hub.store.box import counters
from hub.store.database import Store, Transaction, View
from hub.store.people import users
from hub.store.phones import callers
from hub.store.records import owners, queries, search

Row = dict[str, Any]

ROWS_MAX = queries.ROWS
"""How many records one answer may hold."""
_NOTHING: Mapping[str, Any] = MappingProxyType({})


@contextmanager
def reading(store: Store, rights: Rights) -> Iterator["ChartReader"]:
    """Open the charts for reading, in one unchanging view."""
    with store.read() as db:
        yield ChartReader(db, rights, store.now_ms(db))


@contextmanager
def searching(store: Store, rights: Rights) -> Iterator["ChartReader"]:
    """Open the charts for reading, and for finding every patient who is there."""
    search_index.index_all(store)
    with reading(store, rights) as opened:
        yield opened


@contextmanager
def writing(store: Store, rights: Rights, *, device: int) -> Iterator["ChartWriter"]:
    """Open the charts for writing: all that is written is on disk when the block ends, or nothing is (P1).

    Raises Unavailable when the storage is full.
    """
    store.need_room(FREE_BYTES_FULL)
    with store.write() as tx:
        charts = ChartWriter(tx, rights)
        yield charts
        counters.add(tx, entered=charts.written)
        callers.seen(tx, device)


class ChartReader:
    """What one user may see, in one view of the database."""

    def __init__(self, db: View, rights: Rights, now_ms: int) -> None:
        self._db = db
        self.rights = rights
        self.now_ms = clock.date_ms(time.time_ns() // 1_000_000, now_ms)
        """The likeliest time of day, epoch ms: what people will read."""
        self._seen: dict[str, bool] = {}

    def patient(self, patient_id: str) -> Record:
        """Return a patient; raises NotFound."""
        return self.record(TABLES["patients"], patient_id, "no such patient")

    def sees(self, table: Table, record: Record) -> bool:
        """Return whether the user may see a record; each patient is looked up once."""
        key = record.text(table.patient) or record.id
        if key not in self._seen:
            owner, is_stray = owners.find(self._db, table, record.id)
            if is_stray:
                return access.sees(self.rights, table, owner)
            self._seen[key] = access.sees(self.rights, table, owner)
        return self._seen[key]

    def record(self, table: Table, record_id: str, missing: str = "") -> Record:
        """Return a record of a patient; raises NotFound, which says ``missing``."""
        record = queries.find(self._db, table, record_id)
        if record is None or not self.sees(table, record):
            raise NotFound(missing or f"no such record in {table.name}")
        return record

    def of(self, table: Table, patient_id: str, *, latest: str = "created_at", **columns: str) -> list[Row]:
        """Return a patient's records, the highest in ``latest`` first; those only in which ``columns`` have a value."""
        self.patient(patient_id)
        key = next((name for name in columns if name in table.keys), "patient_id")
        wanted = {**columns, "patient_id": patient_id}
        found = [
            record
            for record in queries.where(self._db, table, {key: wanted[key]})
            if all(record.get(name) == value for name, value in wanted.items())
        ]
        found.sort(key=lambda record: record.get(latest) or 0, reverse=True)
        return [online.shown(table, record) for record in found]

    # Records that are nobody's: catalogues, forms, stock

    def find(self, table: Table, record_id: str) -> Record | None:
        """Return a live record by its id."""
        return queries.find(self._db, table, record_id)

    def exists(self, table: Table, record_id: str) -> bool:
        """Return whether the hub has or had a record of this id."""
        return queries.known(self._db, table, record_id)

    def every(self, table: Table) -> list[Record]:
        """Return all live records of a small table, in the order in which they came."""
        return queries.every(self._db, table)

    def where(self, table: Table, columns: Mapping[str, Any]) -> list[Record]:
        """Return the live records in which ``columns``, each with an index, have these values; newest first."""
        return queries.where(self._db, table, columns)

    def between(self, table: Table, column: str, start: float, end: float) -> Iterator[Record]:
        """Return the live records whose ``column``, an indexed moment, lies in [start, end]; latest first."""
        return queries.between(self._db, table, column, start, end)

    # Patients, found by what is typed

    def newest(self, *, limit: int, offset: int) -> tuple[list[Record], int]:
        """Return the newest patients that the user may see, and how many there are."""
        scope = search.scope(self._db, self.rights)
        return search.newest(self._db, scope, limit=limit, offset=offset), scope.total

    def matching(self, filters: Mapping[str, str], *, limit: int, offset: int) -> tuple[list[Record], int]:
        """Return patients whose columns fit what was typed, and how many fit."""
        return search.matching(self._db, search.scope(self._db, self.rights), filters, limit=limit, offset=offset)

    def similar(self, facts: SearchedColumns, *, limit: int) -> list[Record]:
        """Return patients with like names, the likest first."""
        return search.similar(self._db, search.scope(self._db, self.rights), facts, limit=limit)

    def of_government_id(self, government_id: str) -> list[Record]:
        """Return the patients with this government id, however it is written."""
        return search.of_government_id(self._db, search.scope(self._db, self.rights), government_id)


class ChartWriter(ChartReader):
    """What one user writes, in one transaction."""

    def __init__(self, tx: Transaction, rights: Rights) -> None:
        super().__init__(tx.db, rights, tx.now_ms)
        self._tx = tx
        self.written = 0

    @property
    def user(self) -> User:
        """Return who writes."""
        user = users.find(self._db, self.rights.user_id)
        if user is None:
            raise AssertionError(self.rights.user_id)
        return user

    def clinic(self, permission: Permission | None = None) -> str | None:
        """Return the clinic that the user works in, for records that name none: one with ``permission`` if there is."""
        home = self.user.clinic_id
        clinics = sorted(
            self.rights.known & (self.rights.known if self.rights.unrestricted else {*self.rights.clinics})
        )
        allowed = [clinic for clinic in clinics if permission is None or self.rights.may(permission, Owner(clinic))]
        if home in allowed or not allowed:
            return home
        return allowed[0]

    def create(self, table: Table, values: Mapping[str, Any], own: Mapping[str, Any] = _NOTHING) -> Record:
        """Make a record of ``values``, and of ``own`` where they say nothing: neither '' nor null does.

        One that came before with the same id is changed, by ``values`` alone. Raises Conflict for a deleted one.
        """
        said = online.named(table, _filled(given_values(values)))
        said["id"] = said.get("id") or str(uuid.uuid4())
        stored = queries.find(self._db, table, said["id"])
        if stored is not None:
            return self.change(table, self._again(table, stored, said), said)
        if queries.known(self._db, table, said["id"]):
            raise Conflict(f"this record of {table.name} was deleted")
        return self._enter(table, self._made(table, {**own, **said}))

    def change(self, table: Table, stored: Record, values: Mapping[str, Any]) -> Record:
        """Change columns of a record; null clears one."""
        return self._enter(table, self._changed(table, stored, values))

    def keep(self, table: Table, wanted: Iterable[tuple[Record | None, Mapping[str, Any]]]) -> None:
        """Change records of a table, or make those that are None of values with an id that is new, all at once."""
        pushed = [
            self._changed(table, stored, values)
            if stored
            else self._made(table, online.named(table, _filled(given_values(values))))
            for stored, values in wanted
        ]
        changes = Changes(self._tx, HUB, self.rights)
        refused = changes.keep(table, pushed)
        if refused:
            raise refused[min(refused)]
        changes.settle()
        self.written += len(pushed)

    def _made(self, table: Table, said: Mapping[str, Any]) -> Pushed:
        made = {"created_at": self.now_ms, **online.blank(table), **said, "updated_at": self.now_ms}
        return _fitting(table, codec.build(table, online.taken(table, made, self._tx.zone), self._tx.zone), ())

    def _changed(self, table: Table, stored: Record, values: Mapping[str, Any]) -> Pushed:
        given = online.taken(table, given_values(values), self._tx.zone)
        given.pop("created_at", None)
        built = codec.build(table, {**given, "id": stored.id}, self._tx.zone)
        changed = {name: built.get(name) for name in given if name not in {"id", "updated_at"}}
        changed["updated_at"] = max(self.now_ms, stored.row.updated_at + 1)
        return _fitting(table, codec.replaced(table, stored, changed), tuple(changed))

    def delete(self, table: Table, record: Record) -> None:
        """Delete a record with what goes with it."""
        Changes(self._tx, HUB, self.rights).delete(table, record)
        self.written += 1

    def visit(self, patient_id: str, visit_id: object) -> str | None:
        """Return the visit that a new record of the patient names, if it names one; raises NotFound, Malformed."""
        if not isinstance(visit_id, str) or not visit_id:
            return None
        visit = self.record(TABLES["visits"], visit_id)
        if visit.text("patient_id") != patient_id:
            raise Malformed("visit_id is a visit of another patient")
        return visit_id

    def _again(self, table: Table, stored: Record, said: Row) -> Record:
        """Check that a record that comes a second time is the same patient's."""
        if table.patient is None:
            return stored
        if said.get("patient_id") != stored.text("patient_id"):
            raise Malformed("id is that of another patient's record")
        return self.record(table, stored.id)

    def _enter(self, table: Table, pushed: Pushed) -> Record:
        Changes(self._tx, HUB, self.rights).enter(table, pushed)
        self.written += 1
        entered = queries.find(self._db, table, pushed.record.id)
        if entered is None:
            raise AssertionError(pushed.record.id)
        return entered


def given_values(values: Mapping[str, Any]) -> Row:
    """Return the values that were given, without the columns that the hub sets by itself."""
    return {name: value for name, value in values.items() if value is not UNSET and name not in _OWN}


def _fitting(table: Table, record: Record, changed: tuple[str, ...]) -> Pushed:
    """Return what is entered; raises BadRecord for a record that is too large."""
    if len(codec.write(record)[0]) > codec.RECORD_BYTES:
        raise BadRecord(Code.TOO_LARGE.of(table=table.name, limit=codec.RECORD_BYTES))
    return Pushed(record, changed, synced=False)


def _filled(values: Mapping[str, Any]) -> Row:
    return {name: value for name, value in values.items() if value is not None and value != ""}


_OWN = frozenset({"is_deleted", "deleted_at", "updated_at", "_status", "_changed"})
"""Columns that the hub sets by itself: deleting is a procedure of its own."""
