"""Decides what becomes of what waits for the cloud of a record that is deleted there, or comes back from it (R9).

With a patient or a visit goes what names it; where the cloud had moved such a record before, and this hub did not know,
the record comes back. Then it waits for just what it waited for, and nothing is taken back that changed there since.
"""

import msgspec

from hub.core.cloud.outbox import Entry
from hub.core.reasons import Code, Reason
from hub.core.records.counters import COUNTERS
from hub.core.records.table import Table


def brought_back(entry: Entry) -> Entry | None:
    """Return where a record stands that comes back, by what waited when it went; None where nothing does.

    The cloud shows it, so it has it: also of a new record only what was edited since may be missing there.
    """
    columns = frozenset(entry.known or ()) if entry.columns is None else entry.columns
    return msgspec.structs.replace(entry, columns=columns).released() if columns else None


def is_for_people(table: Table, entry: Entry | None) -> bool:
    """Whether something that was entered here is gone when the cloud deletes a record: it had not been sent.

    Counters are no entries: they are sums of records that stay.
    """
    if entry is None or entry.is_sent:
        return False
    return entry.columns is None or not entry.columns <= COUNTERS.get(table.name, frozenset())


def why_deleted(table: Table, parent: Table | None) -> Reason:
    """Say why a record is gone that the cloud deleted, or what it belongs to."""
    if parent is None:
        return Code.DELETED_IN_CLOUD.of(table=table.name)
    return Code.PARENT_DELETED_IN_CLOUD.of(table=table.name, parent=parent.name)
