"""Ends what the cloud shows to stand in a visit that somebody here deleted: there it goes with it, untold (R9)."""

from collections.abc import Iterable

from hub.actions.records import deleting
from hub.core.records.codec import Record
from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store.cloud import outbox
from hub.store.database import Transaction
from hub.store.records.record_rows import HUB

_VISITS = TABLES["visits"]


def end(tx: Transaction, table: Table, records: Iterable[Record]) -> int:
    """Delete what stands in the same visit as any of these, where its end has yet to reach the cloud.

    Returns how many these are.
    """
    if not table.visits:
        return 0
    named = {record.text(column) or "" for record in records for column in table.visits}
    return sum(deleting.children(tx, _VISITS, visit, device=HUB) for visit in outbox.ending(tx.db, _VISITS, named))
