"""Decides what becomes of a record that a phone pushed, or that somebody entered on the hub itself (P2-P4, P7, S5)."""

from collections.abc import Mapping, Sequence, Sized
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

import msgspec

from hub.core.errors import BadRecord, ParentHeld
from hub.core.reasons import Code
from hub.core.records import access, codec, counters, merge
from hub.core.records.access import Owner, Place, Rights
from hub.core.records.codec import Pushed, Record
from hub.core.records.merge import HUB, History, Knowledge, Stamp, Version
from hub.core.records.table import Table
from hub.core.records.tables import TABLES


class Parent(NamedTuple):
    """What must be known of a record that another one names."""

    clinic: str | None = None
    is_deleted: bool = False
    author: str | None = None
    patient: str | None = None
    is_held: bool = False
    """It is not there because it was not accepted: it is nobody's."""


UNKNOWN = Parent()
"""Of one that the hub does not have."""


class Moved(NamedTuple):
    """The clinic of a patient who moved, and the one of before."""

    now: str | None
    then: str


_NOBODY_MOVED: Mapping[str, Moved] = MappingProxyType({})


class Parents(NamedTuple):
    """The records that those in question name: table -> id -> what is known; one that is not there is not known."""

    known: Mapping[str, Mapping[str, Parent]]
    held: Sized = ()
    """Those of them that were not accepted; mostly none, which spares looking for one."""
    moved: Mapping[str, Moved] = _NOBODY_MOVED
    """The patients who have moved since the moment by which they are judged."""

    def place(self, table: Table, record: Record, author: str | None) -> Place:
        """Return where a record belongs, which ``author`` entered, and about whom it is."""
        patients = [self._of_patient(record.text(table.patient), author)] if table.patient else []
        for column, name in _named(table):
            parent = self._of(name, record.text(column))
            if parent is not UNKNOWN:
                patients.append(self._of_patient(parent.patient, parent.author))
        clinic = record.text(table.clinic)
        if self.moved and _is_patient(table):
            clinic = self._then(record.id, clinic)
        return Place(Owner(clinic, author), tuple(patients))

    def patients(self, table: Table, record: Record) -> set[str]:
        """Return the patients about whom a record is."""
        own = record.id if _is_patient(table) else record.text(table.patient)
        others = (self._of(name, record.text(column)).patient for column, name in _named(table))
        return {patient for patient in (own, *others) if patient}

    def is_orphan(self, table: Table, record: Record) -> bool:
        """Whether anything with whose deletion the record goes is deleted."""
        return any(self._of(name, record.text(column)).is_deleted for column, name in table.ends_with)

    def held_of(self, table: Table, record: Record) -> tuple[str, str] | None:
        """Return what the record belongs to and was not accepted, as table and id, if there is such a thing."""
        if not self.held:
            return None
        for column, name in ((table.patient, "patients"), *_named(table)):
            record_id = record.text(column)
            if record_id and self._of(name, record_id).is_held:
                return name, record_id
        return None

    def _of(self, name: str, record_id: str | None) -> Parent:
        return self.known.get(name, _NONE).get(record_id or "", UNKNOWN)

    def _of_patient(self, patient_id: str | None, author: str | None) -> Owner:
        patient = self._of("patients", patient_id)
        if patient is UNKNOWN:
            return Owner(None, author)
        return Owner(self._then(patient_id or "", patient.clinic), patient.author)

    def _then(self, patient_id: str, clinic: str | None) -> str | None:
        """Return the clinic of then in the place of a patient's clinic of now."""
        moved = self.moved.get(patient_id)
        return moved.then if moved and moved.now == clinic else clinic


def _is_patient(table: Table) -> bool:
    return table.name == "patients"


_NONE: Mapping[str, Parent] = MappingProxyType({})


class Pusher(msgspec.Struct, frozen=True):
    """Who pushes, and when: the device (HUB for what is entered on the hub), its user's rights, the hub time."""

    device: int
    rights: Rights
    revision: int


class Tombstone(NamedTuple):
    """What the hub has is deleted."""

    along: Version | None = None
    """As it was, where it only went along with what it belonged to: it may come back (R9)."""


class Add(msgspec.Struct, frozen=True):
    """It is new, and may be a tombstone from the start."""

    record: Record
    data: str
    cut: int | None
    is_deleted: bool = False
    history: History | None = None
    renamed: bool = False
    """Whoever brought it knows it by another form of its id, and has nothing of this one."""
    folded: bool = False
    """Whoever brought it has other forms of its values."""
    author: str | None = None
    """Who entered it, if the hub knows."""
    is_orphan: bool = False
    """It is deleted for what it belongs to alone."""


class Merge(msgspec.Struct, frozen=True):
    """It changes ``changed`` columns of what the hub has; ``device`` has just the outcome, HUB if nobody does."""

    old: Record
    record: Record
    history: History
    changed: tuple[str, ...]
    device: int


class Delete(NamedTuple):
    """What the hub has is deleted, with what goes with it."""


class Aside(NamedTuple):
    """It is deleted and stays so; the edit is kept with it, should it come back."""

    edit: Merge


class Force(NamedTuple):
    """Nothing changes, but the phone believes otherwise: it must get the hub's version."""

    history: History | None = None


class Nothing(NamedTuple):
    """Nothing changes, and the phone has what the hub has; ``history`` is to be kept where there is one."""

    history: History | None = None


class Refuse(NamedTuple):
    """It cannot be taken in."""

    error: BadRecord


def decide_new(table: Table, pushed: Pushed, pusher: Pusher, parents: Parents) -> Add | Refuse:
    """Decide about a record whose id the hub does not have."""
    try:
        return _add(table, pushed, pusher, parents)
    except BadRecord as error:
        return Refuse(error)


def decide_again(
    table: Table, stored: Version | Tombstone, pushed: Pushed, pusher: Pusher, parents: Parents, *, known: Knowledge
) -> Merge | Delete | Aside | Force | Nothing | Refuse:
    """Decide about a record whose id the hub has.

    known: what the pusher is known to have of it.
    """
    version = stored.along if isinstance(stored, Tombstone) else stored
    if version is None:
        return Force()  # deleted stays deleted (P4)
    try:
        decision = _merge(table, version, pushed, pusher, parents, known)
    except BadRecord as error:
        return Refuse(error)
    if isinstance(stored, Version):
        is_orphan = isinstance(decision, Merge) and parents.is_orphan(table, decision.record)
        return Delete() if is_orphan else decision
    if isinstance(decision, Merge):
        return Aside(decision)
    return decision if isinstance(decision, Delete) else Force()


def decide_deletion(
    table: Table, stored: Version | Tombstone | None, record: Record, pusher: Pusher, parents: Parents
) -> Add | Delete | Nothing | Refuse:
    """Decide about a deletion; a record that the hub never had leaves a tombstone, should it come later."""
    if isinstance(stored, Tombstone):
        if stored.along is None:
            return Nothing()
        stored = stored.along
    try:
        me = pusher.rights.user_id
        place = parents.place(table, stored.record, stored.author) if stored else parents.place(table, record, me)
        access.check_delete(pusher.rights, table, place)
        if stored:
            return Delete()
        data, cut = codec.write(record)
        return Add(record, data, cut, is_deleted=True, author=me)
    except BadRecord as error:
        return Refuse(error)


def named_records(table: Table, records: Sequence[Record]) -> dict[str, set[str]]:
    """Return the records that must be known to decide about these: table -> ids."""
    found: dict[str, set[str]] = {}
    for column, name in ((table.patient, "patients"), *_named(table)):
        ids = {record_id for record in records if (record_id := record.text(column))}
        if ids:
            found.setdefault(name, set()).update(ids)
    return found


NAMED = ("patients", *(table.name for table in TABLES.values() if table.patient))
"""The tables whose records must be known when another record names them."""


@cache
def _named(table: Table) -> tuple[tuple[str, str], ...]:
    """Return the columns of a table that name a patient's record, and the tables of those."""
    return tuple((column, name) for column, name in table.references.items() if name in TABLES and TABLES[name].patient)


def _add(table: Table, pushed: Pushed, pusher: Pusher, parents: Parents) -> Add:
    record = pushed.record
    held = parents.held_of(table, record)
    if held:
        # A visit is not split into what was accepted and what was not.
        raise ParentHeld(Code.PARENT_HELD.of(table=table.name, parent=held[0]), "/".join(held))
    access.check_create(pusher.rights, table, parents.place(table, record, pusher.rights.user_id))
    data, cut = codec.write(record)
    is_deleted = says_deleted(table, record)
    is_orphan = not is_deleted and parents.is_orphan(table, record)
    history, author = _first_history(pushed, pusher, data), pusher.rights.user_id
    return Add(record, data, cut, is_deleted or is_orphan, history, pushed.renamed, pushed.folded, author, is_orphan)


def _first_history(pushed: Pushed, pusher: Pusher, data: str) -> History | None:
    """Remember what was edited before the first push; of a record pushed untouched its text says it all."""
    if not pushed.changed:
        return None
    stamp = Stamp(pushed.record.row.updated_at, pusher.revision, pusher.device)
    return History(stamp, {}, {str(pusher.device): codec.digest(pushed, data)})


def _merge(
    table: Table, stored: Version, pushed: Pushed, pusher: Pusher, parents: Parents, known: Knowledge
) -> Merge | Delete | Force | Nothing:
    merged = merge.merge(table, stored, pushed, device=pusher.device, revision=pusher.revision, known=known)
    figures = counters.figures(table.name, pushed) if table.name in counters.COUNTERS else ()
    if any(pushed.record.get(name) != stored.record.get(name) for name in figures):
        place = parents.place(table, stored.record, stored.author)
        access.check_update(pusher.rights, table, place, stored.record, figures)
    if not merged.changed:
        history = merged.history if merged.history != stored.history else None
        return Nothing(history) if merged.exact else Force(history)
    # A record may move from one clinic to another, with its patient or by itself. Its user must be allowed to edit in
    # both: in the old one, or anybody could take records away from it, and in the new one, or anybody could put some
    # into it.
    before = parents.place(table, stored.record, stored.author)
    access.check_update(pusher.rights, table, before, stored.record, merged.changed)
    after = parents.place(table, merged.record, stored.author)
    if says_deleted(table, merged.record):
        access.check_delete(pusher.rights, table, after)
        return Delete()
    access.check_update(pusher.rights, table, after, stored.record, merged.changed)
    codec.write(merged.record)  # refuse here, and not when it is stored, what grew beyond its bound
    return Merge(stored.record, merged.record, merged.history, merged.changed, pusher.device if merged.exact else HUB)


def says_deleted(table: Table, record: Record) -> bool:
    """Whether a record that is pushed says of itself that it is deleted."""
    return table.deletable and bool(record.row.is_deleted)
