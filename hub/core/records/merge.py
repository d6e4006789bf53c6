"""Decides what a record becomes when a phone pushes it again (P2, P3).

Every column carries a stamp: when its value was made by the clock of the phone that made it, with which revision
it came to the hub, and from which device. Of two values for one column

- a device's own newer one replaces its older one;
- one made by a device that had the other replaces it: it was made knowing it, whatever the clocks say;
- of two made without knowing each other the newer wins, equal times being decided by the value itself, so that
  every order of arrival ends in the same record.

A record pushed without ``_changed`` stands for itself as a whole: the newer ``updated_at`` wins, equal ones are
decided by the record's text.

A deletion wins over everything (P4): had it come first, nothing could have revived the record either.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from hub.core.records import codec
from hub.core.records.codec import Pushed, Record
from hub.core.records.tables import SERVER_OWNED, UNCOUNTED, Table

HUB = 0
"""Stands for the hub and the cloud where a device's number would stand."""

_UNMERGED = SERVER_OWNED | {"id", "updated_at"}
"""Columns that an edit does not set: the hub's own, and the one that ``_newest`` decides."""


class Stamp(NamedTuple):
    """Where a column's value comes from; device 0 is the hub or the cloud."""

    updated_at: float
    revision: int
    device: int


class History(msgspec.Struct, array_like=True):
    """What merging needs to know of a record's past."""

    base: Stamp
    columns: dict[str, Stamp] = {}
    """Stamps of the columns that were set after ``base``."""
    pushed: dict[str, int] = {}
    """Device number, as text -> fingerprint of the last edit taken from it."""


class Version(msgspec.Struct, frozen=True):
    """A record as it stands on the hub."""

    record: Record
    history: History
    author: str | None = None
    """Who entered it, as far as the hub knows."""


class MergedEdit(msgspec.Struct, frozen=True):
    """The outcome: ``changed`` names the columns that are different now; if none is, still ``history`` may be."""

    record: Record
    history: History
    changed: tuple[str, ...]
    exact: bool
    """The pushing phone already has just this."""


def merge(table: Table, version: Version, pushed: Pushed, *, device: int, revision: int, known: int) -> MergedEdit:
    """Merge ``pushed`` from ``device`` into ``version``.

    revision: the hub time of this push, which changed columns will carry.
    known: the revision up to which the device is known to have this record; 0 if it is not.
    """
    data, _ = codec.write(pushed.record)
    mark = codec.digest(pushed, data)
    if version.history.pushed.get(str(device)) == mark:
        return MergedEdit(version.record, version.history, (), _same(table, pushed.record, version.record))
    if pushed.changed:
        values = _columns_taken(version, pushed, device, known)
    else:
        values = _whole_taken(table, version, pushed, data)
    if pushed.record.get("is_deleted") is True:
        values["is_deleted"] = True
    changed = tuple(name for name, value in values.items() if version.record.get(name) != value)
    stamp = Stamp(pushed.record.row.updated_at, revision, device)
    history = _history(version.history, values, changed, stamp, mark, whole=not pushed.changed)
    if not changed:
        return MergedEdit(version.record, history, (), _same(table, pushed.record, version.record))
    values["updated_at"] = max(version.record.row.updated_at, pushed.record.row.updated_at)
    record = codec.replaced(table, version.record, values)
    return MergedEdit(record, history, changed, _same(table, pushed.record, record))


def _history(
    old: History, taken: Mapping[str, Any], changed: tuple[str, ...], stamp: Stamp, mark: int, *, whole: bool
) -> History:
    """Return the history after an edit, also one that changed nothing: sent again later, it must still not.

    What was set to the value it had keeps its stamp but for the time: against a third edit the newer counts.
    """
    marks = {**old.pushed, str(stamp.device): mark} if stamp.device else old.pushed
    if whole and changed:
        return History(stamp, {}, marks)
    if whole:
        newest = max(old.base.updated_at, stamp.updated_at)
        return History(old.base._replace(updated_at=newest), old.columns, marks) if taken else old
    stamps = dict(old.columns)
    for name in taken:
        before = stamps.get(name, old.base)
        if name in changed:
            stamps[name] = stamp
        elif stamp.updated_at > before.updated_at:
            stamps[name] = before._replace(updated_at=stamp.updated_at)
    return History(old.base, stamps, marks)


def _columns_taken(version: Version, pushed: Pushed, device: int, known: int) -> dict[str, Any]:
    values = {}
    for name in pushed.changed:
        if name in _UNMERGED or not (pushed.record.has(name) or version.record.has(name)):
            continue
        new, old = pushed.record.get(name), version.record.get(name)
        stamp = version.history.columns.get(name, version.history.base)
        knew = stamp.device == device or stamp.revision <= known
        if knew or (pushed.record.row.updated_at, _order(new)) > (stamp.updated_at, _order(old)):
            values[name] = new
    return values


def _whole_taken(table: Table, version: Version, pushed: Pushed, data: str) -> dict[str, Any]:
    ours, theirs = max(version.record.row.updated_at, version.history.base.updated_at), pushed.record.row.updated_at
    if theirs < ours:
        return {}
    if theirs == ours:
        kept, _ = codec.write(codec.replaced(table, version.record, {"updated_at": theirs}))
        if data <= kept:
            return {}
    return {name: value for name, value in pushed.record.values().items() if name not in _UNMERGED}


def _order(value: object) -> bytes:
    """Return a total order of JSON values: the order of their texts."""
    return msgspec.json.encode(value)


def _same(table: Table, one: Record, other: Record) -> bool:
    return all(
        getattr(one.row, column.name) == getattr(other.row, column.name)
        for column in table.columns
        if column.name not in UNCOUNTED
    )
