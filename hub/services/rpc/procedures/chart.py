"""Opens the patients' charts to those who may see them, and writes into them as a push would (S5).

A patient of a clinic that the user may not see is not there, and neither is anything of theirs.
"""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from hub.actions.phones import push
from hub.core import clock
from hub.core.errors import BadRecord, Conflict, Forbidden, Malformed, NotAllowed, NotFound
from hub.core.people.users import User
from hub.core.reasons import Code
from hub.core.records import codec, online
from hub.core.records.access import Permission
from hub.core.records.codec import Pushed, Record
from hub.core.records.tables import TABLES, Table
from hub.services.rpc.procedures.registry import Call
from hub.store.box import counters
from hub.store.database import Transaction, View
from hub.store.people import users
from hub.store.phones import devices
from hub.store.records import queries

Row = dict[str, Any]
Moment = str | int | float | None
"""ISO text or epoch ms."""
Given = str | UnsetType | None
Number = int | float | UnsetType | None
Whole = int | UnsetType | None
Json = dict[str, Any] | list[Any] | str | UnsetType | None
T = TypeVar("T")

PAGE_ROWS = 500
_NOTHING: Mapping[str, Any] = MappingProxyType({})
_OFFSET_MAX = 10_000_000


class OfPatient(msgspec.Struct, frozen=True):
    """Whose records."""

    patient_id: str


class ById(msgspec.Struct, frozen=True):
    """Which record."""

    id: str


class PageOf(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a long list."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE_ROWS)] = 20
    offset: Annotated[int, msgspec.Meta(ge=0, le=_OFFSET_MAX)] = 0


class Made(msgspec.Struct, frozen=True):
    """The id of what was made."""

    id: str


class Done(msgspec.Struct, frozen=True):
    """It was done."""

    ok: bool = True


class Listing(msgspec.Struct, Generic[T], frozen=True):
    """A whole list."""

    data: list[T]


class Page(msgspec.Struct, Generic[T], frozen=True):
    """A part of a list; there is more while offset + limit < total."""

    data: list[T]
    total: int
    limit: int
    offset: int


class Reader:
    """What one user may see, in one view of the database."""

    def __init__(self, db: View, call: Call) -> None:
        self.db = db
        self.rights = call.user
        self._seen: dict[str, bool] = {}

    def patient(self, patient_id: str) -> Record:
        """Return a patient; raises NotFound."""
        record = queries.find(self.db, TABLES["patients"], patient_id)
        if record is None or not self.rights.may(Permission.VIEW, record.text("primary_clinic_id")):
            raise NotFound("no such patient")
        return record

    def sees(self, record: Record) -> bool:
        """Return whether the user may see a patient's record; each patient is looked up once."""
        patient_id = record.text("patient_id") or ""
        if patient_id not in self._seen:
            try:
                self.patient(patient_id)
                self._seen[patient_id] = True
            except NotFound:
                self._seen[patient_id] = False
        return self._seen[patient_id]

    def record(self, table: Table, record_id: str) -> Record:
        """Return a record of a patient; raises NotFound."""
        record = queries.find(self.db, table, record_id)
        if record is None or not self.sees(record):
            raise NotFound(f"no such record in {table.name}")
        return record

    def of(self, table: Table, patient_id: str, *, latest: str = "created_at", **columns: str) -> list[Row]:
        """Return a patient's records, the highest in ``latest`` first; those only in which ``columns`` have a value."""
        self.patient(patient_id)
        key = next((name for name in columns if name in table.keys), "patient_id")
        wanted = {**columns, "patient_id": patient_id}
        found = [
            record
            for record in queries.where(self.db, table, {key: wanted[key]})
            if all(record.get(name) == value for name, value in wanted.items())
        ]
        found.sort(key=lambda record: record.get(latest) or 0, reverse=True)
        return [online.shown(table, record) for record in found]


class Writer(Reader):
    """What one user writes, in one transaction."""

    def __init__(self, tx: Transaction, call: Call) -> None:
        super().__init__(tx.db, call)
        self._tx = tx
        self.now_ms = date_ms(tx.now_ms)
        """The time that people will read."""
        self.written = 0

    @property
    def user(self) -> User:
        """Return who writes."""
        user = users.find(self.db, self.rights.user_id)
        if user is None:
            raise AssertionError(self.rights.user_id)
        return user

    def clinic(self, permission: Permission | None = None) -> str | None:
        """Return the clinic that the user works in, for records that name none: one with ``permission`` if there is."""
        home = self.user.clinic_id
        clinics = sorted(
            self.rights.known & (self.rights.known if self.rights.unrestricted else {*self.rights.clinics})
        )
        allowed = [clinic for clinic in clinics if permission is None or self.rights.may(permission, clinic)]
        if home in allowed or not allowed:
            return home
        return allowed[0]

    def create(self, table: Table, values: Mapping[str, Any], own: Mapping[str, Any] = _NOTHING) -> Record:
        """Make a record of ``values``, and of ``own`` where they say nothing: neither '' nor null does.

        One that came before with the same id is changed, by ``values`` alone. Raises Conflict for a deleted one.
        """
        said = _filled(_given(values))
        said["id"] = said.get("id") or str(uuid.uuid4())
        stored = queries.find(self.db, table, said["id"])
        if stored is not None:
            return self.change(table, self._again(table, stored, said), said)
        if queries.known(self.db, table, said["id"]):
            raise Conflict(f"this record of {table.name} was deleted")
        made = {"created_at": self.now_ms, **online.blank(table), **own, **said, "updated_at": self.now_ms}
        return self._enter(table, codec.build(table, online.taken(table, made)), ())

    def change(self, table: Table, stored: Record, values: Mapping[str, Any]) -> Record:
        """Change columns of a record; null clears one."""
        given = online.taken(table, _given(values))
        given.pop("created_at", None)
        built = codec.build(table, {**given, "id": stored.id})
        changed = {name: built.get(name) for name in given if name not in {"id", "updated_at"}}
        changed["updated_at"] = max(self.now_ms, stored.row.updated_at + 1)
        return self._enter(table, codec.replaced(table, stored, changed), tuple(changed))

    def delete(self, table: Table, record: Record) -> None:
        """Delete a record with what goes with it."""
        push.remove(self._tx, table, record.id, self.rights)
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

    def _enter(self, table: Table, record: Record, changed: tuple[str, ...]) -> Record:
        if len(codec.write(record)[0]) > codec.RECORD_BYTES:
            raise BadRecord(Code.TOO_LARGE.of(table=table.name, limit=codec.RECORD_BYTES))
        push.enter(self._tx, table, Pushed(record, changed, synced=False), self.rights)
        self.written += 1
        entered = queries.find(self.db, table, record.id)
        if entered is None:
            raise AssertionError(record.id)
        return entered


@contextmanager
def reader(call: Call) -> Iterator[Reader]:
    """Open the charts for reading."""
    with call.context.store.read() as db:
        yield Reader(db, call)


@contextmanager
def writer(call: Call) -> Iterator[Writer]:
    """Open the charts for writing: all that is written is on disk when the block ends, or nothing is (P1).

    A record that a push would quarantine is refused: Malformed, or Forbidden where a permission is missing.
    """
    try:
        with call.context.store.write() as tx:
            charts = Writer(tx, call)
            yield charts
            counters.add(tx, entered=charts.written)
            devices.seen(tx, call.device.num)
    except NotAllowed as error:
        raise Forbidden(str(error)) from None
    except BadRecord as error:
        raise Malformed(str(error)) from None


def sent(params: msgspec.Struct) -> Row:
    """Return the parameters that were sent, by the names of their columns."""
    return _given(msgspec.structs.asdict(params))


def _given(values: Mapping[str, Any]) -> Row:
    return {name: value for name, value in values.items() if value is not UNSET and name not in _OWN}


def _filled(values: Mapping[str, Any]) -> Row:
    return {name: value for name, value in values.items() if value is not None and value != ""}


_OWN = frozenset({"is_deleted", "deleted_at", "updated_at", "_status", "_changed"})
"""Columns that the hub sets by itself: deleting is a procedure of its own."""


def date_ms(hub_ms: int) -> int:
    """Return the likeliest time of day, epoch ms."""
    return clock.date_ms(time.time_ns() // 1_000_000, hub_ms)


def moment_ms(name: str, moment: Moment) -> float:
    """Read a parameter that must be a moment; raises Malformed, which names it."""
    if isinstance(moment, str):
        try:
            return codec.moment_ms(moment)
        except ValueError:
            pass
    elif moment is not None:
        return moment
    raise Malformed(f"{name} should be a time: ISO text or epoch ms")
