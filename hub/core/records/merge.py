"""Decides what a record becomes when a phone pushes it again (P2, P3).

Every column carries a stamp: when its value was made by the clock of the phone that made it, with which revision
it came to the hub, and from which device. Of two values for one column

- a device's own newer one replaces its older one;
- one made by a device that had the other replaces it: it was made knowing it, whatever the clocks say;
- of two made without knowing each other the newer wins, equal times being decided by the value itself, so that
  every order of arrival ends in the same record.

A record pushed without ``_changed`` stands for itself as a whole, and each of its columns for itself: the newer
``updated_at`` wins. Of equal ones the hub's stays where the phone had it or says that it has nothing new; else the
value decides. One that is as it was made when the hub's was made is newer than nothing, whatever the clock said: a copy
of its phone pushed it before, and every edit was made knowing it.

Blank without a name never wins: after a pull straight from the cloud the app holds null for what it could not read.
It empties a column only by naming it, and whoever fills a column that nobody emptied by name always wins.

A column that is not named, in a record of which others are, and that is not as the device is known to have it, was
edited while a push of it was under way: the app forgets such names. It is taken; an edit with a name, made without
knowing it, replaces it.

Counters are no matter of merging (core.records.counters).

A deletion wins over everything (P4): had it come first, nothing could have revived the record either.
"""

from collections.abc import Container, Mapping
from typing import Any, NamedTuple

import msgspec

from hub.core.records import codec, json_text
from hub.core.records.codec import Pushed, Record
from hub.core.records.counters import COUNTERS
from hub.core.records.table import SERVER_OWNED, UNCOUNTED, Column, Table

HUB = 0
"""Stands for the hub and the cloud where a device's number would stand."""

_UNMERGED = SERVER_OWNED | {"id", "updated_at"}
"""Columns that an edit does not set: the hub's own, and the one that is the newest of both."""
_NEVER_UNNAMED = _UNMERGED | {"created_at", "is_deleted", "deleted_at"}
_BLANK_JSON = frozenset({"", "null", "{}", "[]", '""', '"{}"', '"[]"', '"null"'})
"""How the app writes JSON that holds nothing, encoded once or twice."""


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


class Knowledge(NamedTuple):
    """What a device is known to have of a record, in revisions."""

    edited: int = 0
    """What it edits by name was made knowing the record up to this one."""
    has: int = 0
    """It has what the hub had up to this one, certainly; 0 where nothing is certain."""
    emptied: int = 0
    """What it pushed up to this one it may have no more: it started over."""

    def covers(self, stamp: Stamp, device: int) -> bool:
        """Whether the device certainly has the value that bears this stamp."""
        return stamp.revision <= self.has or (stamp.device == device and stamp.revision > self.emptied)


def merge(
    table: Table, version: Version, pushed: Pushed, *, device: int, revision: int, known: Knowledge
) -> MergedEdit:
    """Merge ``pushed`` from ``device`` into ``version``.

    revision: the hub time of this push, which changed columns will carry.
    """
    counters = COUNTERS.get(table.name, frozenset())
    data, _ = codec.write(pushed.record)
    mark = codec.digest(pushed, data)
    if version.history.pushed.get(str(device)) == mark:
        return MergedEdit(version.record, version.history, (), is_same(table, pushed, version.record, but=counters))
    unnamed: dict[str, Any] = {}
    if pushed.changed:
        values = _columns_taken(table, version, pushed, device, known)
        unnamed = _unnamed_taken(table, version, pushed, device, known)
    else:
        values = _whole_taken(table, version, pushed, device, known)
    if pushed.record.get("is_deleted") is True:
        values["is_deleted"] = True
    changed = tuple(name for name, value in values.items() if version.record.get(name) != value)
    stamp = Stamp(pushed.record.row.updated_at, revision, device)
    if pushed.changed:
        blank = {name for name in values if _is_blank(table, name, version.record.get(name))}
        history = _history_of_columns(version.history, values, changed, stamp, mark, blank)
    else:
        history = _history_of_whole(table, version, values, changed, stamp, mark)
    if unnamed:
        named_nothing = stamp._replace(updated_at=0)  # any edit that names the column is newer
        history = History(history.base, {**history.columns, **dict.fromkeys(unnamed, named_nothing)}, history.pushed)
        values, changed = {**values, **unnamed}, (*changed, *unnamed)
    if not changed:
        return MergedEdit(version.record, history, (), is_same(table, pushed, version.record, but=counters))
    values["updated_at"] = max(version.record.row.updated_at, pushed.record.row.updated_at)
    record = codec.replaced(table, version.record, values)
    return MergedEdit(record, history, changed, is_same(table, pushed, record, but=counters))


def _history_of_columns(
    old: History,
    taken: Mapping[str, Any],
    changed: tuple[str, ...],
    stamp: Stamp,
    mark: int,
    never_filled: Container[str],
) -> History:
    """Return the history after an edit, also one that changed nothing: sent again later, it must still not.

    never_filled: what was blank, and is emptied by name now.
    What was set to the value it had keeps its stamp but for the time: against a third edit the newer counts.
    """
    stamps = dict(old.columns)
    for name in taken:
        before = stamps.get(name, old.base)
        if name in changed:
            stamps[name] = stamp
        elif stamp.updated_at > before.updated_at or (name not in stamps and name in never_filled):
            stamps[name] = before._replace(updated_at=stamp.updated_at)
    return History(old.base, stamps, _marks(old, stamp, mark))


def _history_of_whole(
    table: Table, version: Version, taken: Mapping[str, Any], changed: tuple[str, ...], stamp: Stamp, mark: int
) -> History:
    """Return the history after a whole record: what it set has its stamp, the rest has the one it had.

    What was emptied by name keeps a stamp of its own, also one like the whole record's: it was not always blank.
    """
    old = version.history
    if not taken:
        return old
    base = stamp if changed else old.base._replace(updated_at=max(old.base.updated_at, stamp.updated_at))
    stamps = {}
    for name, value in version.record.values().items():
        is_left_blank = name not in taken and _is_blank(table, name, value)
        if name in _UNMERGED or (is_left_blank and name not in old.columns):
            continue
        after = old.columns.get(name, old.base)
        if name in taken:
            after = stamp if changed else after._replace(updated_at=stamp.updated_at)
        if after != base or is_left_blank:
            stamps[name] = after
    return History(base, stamps, _marks(old, stamp, mark))


def _marks(old: History, stamp: Stamp, mark: int) -> dict[str, int]:
    return {**old.pushed, str(stamp.device): mark} if stamp.device else old.pushed


def _columns_taken(table: Table, version: Version, pushed: Pushed, device: int, known: Knowledge) -> dict[str, Any]:
    values = {}
    for name in pushed.changed:
        if (
            name in _UNMERGED
            or name in COUNTERS.get(table.name, ())
            or not (pushed.record.has(name) or version.record.has(name))
        ):
            continue
        new, old = pushed.record.get(name), version.record.get(name)
        stamp = version.history.columns.get(name, version.history.base)
        knew = stamp.device == device or stamp.revision <= known.edited
        never_filled = name not in version.history.columns and _is_blank(table, name, old)
        if knew or never_filled or (pushed.record.row.updated_at, _order(new)) > (stamp.updated_at, _order(old)):
            values[name] = new
    return values


def _unnamed_taken(table: Table, version: Version, pushed: Pushed, device: int, known: Knowledge) -> dict[str, Any]:
    values = {}
    for column in table.columns:
        name = column.name
        new, old = getattr(pushed.record.row, name), getattr(version.record.row, name)
        if name in COUNTERS.get(table.name, ()):
            continue
        if new == old or name in _NEVER_UNNAMED or name in pushed.changed or _is_blank(table, name, new):
            continue
        if column.is_json and json_text.unwrapped(new) == json_text.unwrapped(old):
            continue
        if known.covers(version.history.columns.get(name, version.history.base), device):
            values[name] = new
    return values


def _whole_taken(table: Table, version: Version, pushed: Pushed, device: int, known: Knowledge) -> dict[str, Any]:
    values = {}
    at = pushed.record.row.updated_at
    is_as_made = pushed.untouched and at == pushed.record.get("created_at") == version.record.get("created_at")
    for name, new in pushed.record.values().items():
        if name in _UNMERGED or name in COUNTERS.get(table.name, ()) or _is_blank(table, name, new):
            continue
        old = version.record.get(name)
        stamp = version.history.columns.get(name, version.history.base)
        if name not in version.history.columns and _is_blank(table, name, old):
            values[name] = new
        elif at == stamp.updated_at:
            if not _stays_on_tie(pushed, stamp, device, known) and _order(new) > _order(old):
                values[name] = new
        elif at > stamp.updated_at and not is_as_made:
            values[name] = new
    return values


def _stays_on_tie(pushed: Pushed, stamp: Stamp, device: int, known: Knowledge) -> bool:
    return pushed.synced or stamp.device == HUB or known.covers(stamp, device)


def _is_blank(table: Table, name: str, value: object) -> bool:
    """Whether a column holds nothing, or what the app puts in where it cannot read what came."""
    if value is None or value == "":
        return True
    column: Column | None = table.by_name.get(name)
    if column is None:
        return False
    return value in _BLANK_JSON if column.is_json else value == column.empty


def _order(value: object) -> bytes:
    """Return a total order of JSON values: the order of their texts."""
    return msgspec.json.encode(value)


def is_same(table: Table, pushed: Pushed, record: Record, *, but: Container[str] = ()) -> bool:
    """Whether the phone has just this record, ``but`` for some columns.

    It is not told what the day is that it picked itself.
    """
    return not (pushed.renamed or pushed.folded) and all(
        getattr(pushed.record.row, column.name) == getattr(record.row, column.name)
        for column in table.columns
        if column.name not in UNCOUNTED and column.name not in but
    )
