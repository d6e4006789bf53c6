"""Gathers what the phone sends: its own changes, or for a forced upload everything.

change set: {table: {"created": [row], "updated": [row], "deleted": [row]}}, whole rows with ``_status`` and
``_changed``. Source: PROTOCOL.md "Push".
"""

from tests.simulator.local_store import LocalStore
from tests.simulator.rows import Row

PUSH_TABLES = (
    "patients",
    "events",
    "visits",
    "clinics",
    "users",
    "event_forms",
    "registration_forms",
    "patient_additional_attributes",
    "appointments",
    "prescriptions",
    "patient_vitals",
    "patient_problems",
    "clinic_departments",
    "drug_catalogue",
    "clinic_inventory",
    "prescription_items",
    "dispensing_records",
)
"""The tables that a phone pushes, in its order."""

ChangeSet = dict[str, dict[str, list[Row]]]


def local_changes(store: LocalStore) -> ChangeSet:
    """Return what was made or edited here since the last push; deletions never show up."""
    changes: ChangeSet = {}
    for table in (*PUSH_TABLES, *store.next_tables):
        created, updated = [], []
        for row in store.table(table).values():
            if row["_status"] == "created":
                created.append(dict(row))
            elif row["_status"] == "updated":
                updated.append(dict(row))
        if created or updated:
            changes[table] = {"created": created, "updated": updated, "deleted": []}
    return changes


def changes_since(store: LocalStore, since_ms: float) -> ChangeSet:
    """Return what a forced upload sends: every visible row made or edited after ``since_ms``, synced ones too.

    Rows with is_deleted stand in ``deleted`` as well, whole.
    """
    changes: ChangeSet = {}
    for table in PUSH_TABLES:
        created, updated, deleted = [], [], []
        for row in store.rows(table):
            if _after(row, "created_at", since_ms):
                created.append(_prepared(row))
            elif _after(row, "updated_at", since_ms):
                updated.append(_prepared(row))
            if row.get("is_deleted") and _after(row, "updated_at", since_ms):
                deleted.append(_prepared(row))
        if created or updated or deleted:
            changes[table] = {"created": created, "updated": updated, "deleted": deleted}
    return changes


def count(changes: ChangeSet) -> int:
    """Count the records of a change set."""
    return sum(len(records) for arrays in changes.values() for records in arrays.values())


def mark_synced(store: LocalStore, changes: ChangeSet, now_ms: int) -> None:
    """Regard as synced what was sent, edits made meanwhile included; each row gets a new updated_at."""
    for table, arrays in changes.items():
        for sent in (*arrays["created"], *arrays["updated"]):
            row = store.find(table, sent["id"])
            if row is not None:
                row.update(_status="synced", _changed="", updated_at=now_ms)


def _after(row: Row, column: str, since_ms: float) -> bool:
    moment = row.get(column)
    return isinstance(moment, int | float) and moment > since_ms


def _prepared(row: Row) -> Row:
    """Convert as the app does before a forced upload."""
    prepared: Row = {**row, "image_timestamp": 0}
    if prepared.get("date_of_birth") == "":
        prepared["date_of_birth"] = None
    return prepared
