"""Finds the visit that a record is a part of."""

from hub.core.records.codec import Record
from hub.core.records.tables import TABLES
from hub.store.database import View
from hub.store.records import queries


def visit_of(db: View, record: Record) -> str | None:
    """Return the visit that a record names, or that of a record that it names; None where there is none."""
    named = [
        (TABLES[table], record_id)
        for column, table in TABLES[record.table].references.items()
        if table in TABLES and TABLES[table].patient and (record_id := record.text(column))
    ]
    for table, record_id in named:
        if table.name == "visits":
            return record_id
    parents = (queries.find(db, table, record_id) for table, record_id in named)
    return next((visit for parent in parents if parent and (visit := visit_of(db, parent))), None)
