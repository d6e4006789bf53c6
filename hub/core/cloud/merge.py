"""Decides what a record becomes when the cloud's row of it arrives (R3, R4).

Column by column: what changed here since the cloud last confirmed stays ours, everything else is the cloud's. What
the cloud cannot tell apart (core.cloud.forms.same) is the same and keeps the form that the phones gave it.

An edit that was sent is not believed for the cloud's success alone, because the cloud also says success to what its
guard refused (CLOUD.md 4.5). The row that comes back decides, for each column that was sent:

- it holds what was sent: the edit is in the cloud;
- it holds a value that the edit was made knowing: the edit was refused, or overwritten by someone who did not know
  it, and is sent again;
- it holds a third value: someone has changed the column since, and theirs stands.
"""

from collections.abc import Container, Mapping
from datetime import UTC, tzinfo
from typing import Any

import msgspec

from hub.core.cloud import forms as cloud_forms
from hub.core.cloud import values as cloud_values
from hub.core.cloud.forms import Row
from hub.core.cloud.outbox import Entry
from hub.core.cloud.tables import KEEPING, UNCOMPARED
from hub.core.records import codec
from hub.core.records.codec import Record
from hub.core.records.merge import History, Stamp, Version
from hub.core.records.table import Column, PushRule, Table


class Merged(msgspec.Struct, frozen=True):
    """The outcome."""

    record: Record
    history: History
    changed: tuple[str, ...]
    """Columns of the phone that are different now; empty means that no phone need hear of it."""
    unseen: bool
    """Columns that no phone has are different now."""
    missing: frozenset[str]
    """Pending columns that the cloud's row does not hold as they are here."""
    known: Mapping[str, int]
    """Marks of the cloud's values in the missing columns: whatever is sent from now on is sent knowing them."""


def merge(
    table: Table,
    version: Version,
    theirs: Row,
    *,
    pending: Entry | None,
    names: Mapping[str, str],
    revision: int,
    zone: tzinfo = UTC,
    ended: Container[str] = (),
) -> Merged:
    """Merge the cloud's row into the record as it stands on the hub.

    pending: what the outbox keeps of it; None where the cloud is known to have it as it is here.
    names: ids of users and clinics made on this hub -> their ids in the cloud.
    revision: the hub time that changed columns will carry.
    zone: the clinic's, in which days were picked.
    ended: columns that name what is deleted here, and something that lives in the cloud's row, which stands then.
    """
    values: dict[str, Any] = {}
    missing: dict[str, int] = {}
    if not _stale(table, version.record, theirs.record):
        for column in table.columns:
            if column.name in UNCOMPARED:
                continue
            old, new = getattr(version.record.row, column.name), getattr(theirs.record.row, column.name)
            if old == new or cloud_forms.same(column, old, new, zone):
                continue
            if column.name in ended:
                values[column.name] = new
                continue
            was_zero = cloud_values.was_zero(column, old, new) and _is_as_sent(
                version.record, theirs.record, column, pending
            )
            if was_zero or _stays(table, version, theirs.record, column, pending, names, zone):
                if pending and pending.holds(column.name) and not _unprovable(table, column):
                    missing[column.name] = cloud_forms.mark(column, new, zone)
            else:
                values[column.name] = new
    changed = tuple(values)
    extra = _extra(version.record, theirs, pending)
    record = version.record
    if changed:
        newest = max(record.row.updated_at, theirs.record.row.updated_at)
        record = codec.replaced(table, record, {**values, "updated_at": newest})
    return Merged(
        record=Record(record.row, extra) if extra != record.extra else record,
        history=_history(version.history, changed, theirs.record.row.updated_at, revision),
        changed=changed,
        unseen=extra != record.extra,
        missing=frozenset(missing),
        known=missing,
    )


def is_set_back(table: Table, theirs: Row, *, seen_ms: float, shown_until_ms: float) -> bool:
    """Whether the cloud was put back to before it showed this record: its row is older than the one that was seen.

    A row that changed since the pulls before is not: the cloud's clock may have been ahead when it was seen.

    seen_ms: the cloud's updated_at of it as it was last seen.
    shown_until_ms: up to when earlier pulls certainly showed everything, by the cloud's clock.
    """
    is_older = theirs.record.row.updated_at < seen_ms
    return is_older and 0 < theirs.changed_ms < shown_until_ms and KEEPING[table.name].edits_return


def _stays(
    table: Table,
    version: Version,
    theirs: Record,
    column: Column,
    pending: Entry | None,
    names: Mapping[str, str],
    zone: tzinfo,
) -> bool:
    """Whether a column in which the two differ stays as it is here."""
    old, new = version.record.get(column.name), theirs.get(column.name)
    if _unprovable(table, column):
        return bool(cloud_values.normalise(column, old))
    if pending is None or not pending.holds(column.name):
        return False
    if column.name == KEEPING[table.name].visit and not old:
        return False  # the cloud made a visit up for it, and would make another one at every further push
    if column.refers_to and isinstance(old, str) and names.get(old) == new:
        return False  # sent under its name in the cloud, which is how it is called from now on
    if pending.waits_for(column.name) or pending.knew(column.name, cloud_forms.mark(column, new, zone)):
        return True
    return not pending.reached and _entered_ms(version, column) > theirs.row.updated_at


def _entered_ms(version: Version, column: Column) -> float:
    """Return when a column was entered: not after it came here, however far ahead the phone's clock is."""
    stamp = version.history.columns.get(column.name, version.history.base)
    return min(stamp.updated_at, stamp.revision)


def _is_as_sent(ours: Record, theirs: Record, column: Column, pending: Entry | None) -> bool:
    """Whether nobody can have changed a column there since this hub sent it."""
    waits = pending is not None and pending.holds(column.name)
    return waits or bool(theirs.row.updated_at <= ours.row.updated_at)


def _unprovable(table: Table, column: Column) -> bool:
    """Whether the cloud does not store a later value of the column."""
    kept = KEEPING[table.name]
    return column.name in kept.dropped or column.name in kept.once


def _stale(table: Table, ours: Record, theirs: Record) -> bool:
    """Whether a row that phones may change, but never reaches the cloud, is one that was taken before."""
    if table.push is not PushRule.LOCAL:
        return False
    return bool(theirs.row.last_modified <= ours.row.last_modified)


def _extra(ours: Record, theirs: Row, pending: Entry | None) -> dict[str, Any]:
    """Take over the unknown columns of the cloud, except those that wait to go there."""
    extra = dict(ours.extra)
    for name, value in theirs.record.extra.items():
        if pending is None or name not in extra or not pending.holds(name):
            extra[name] = value
    for name in theirs.cleared:
        if name in extra and not (pending and pending.holds(name)) and extra[name]:
            del extra[name]
    return extra


def _history(history: History, changed: tuple[str, ...], updated_ms: float, revision: int) -> History:
    if not changed:
        return history
    stamp = Stamp(updated_ms, revision, 0)
    return History(history.base, {**history.columns, **dict.fromkeys(changed, stamp)}, history.pushed)
