"""What a push does beside its own row: fake visits, filled-in clinics, stock, cascades (CLOUD.md 4.6-4.8)."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from tests.simulator.cloud import pushed
from tests.simulator.cloud.callers import Caller
from tests.simulator.cloud.columns import Table
from tests.simulator.cloud.instants import Clock
from tests.simulator.cloud.store import Transaction
from tests.simulator.cloud.tables import CLINIC_INVENTORY, DRUG_BATCHES
from tests.simulator.cloud.values import Value, row

Row = dict[str, Value]

# Which children a delete flags, by the column that points at the parent.
_CASCADES: Mapping[Table, tuple[tuple[Table, str], ...]] = {
    pushed.PATIENTS: tuple(
        (table, "patient_id")
        for table in (
            pushed.PATIENT_ADDITIONAL_ATTRIBUTES,
            pushed.APPOINTMENTS,
            pushed.PRESCRIPTIONS,
            pushed.EVENTS,
            pushed.VISITS,
            pushed.PRESCRIPTION_ITEMS,
            pushed.PATIENT_VITALS,
            pushed.PATIENT_PROBLEMS,
        )
    ),
    pushed.VISITS: (
        (pushed.PRESCRIPTIONS, "visit_id"),
        (pushed.EVENTS, "visit_id"),
        (pushed.APPOINTMENTS, "current_visit_id"),
    ),
}

# Of these a delete sets no time but its own (CLOUD.md 7).
_FLAGGED_ONLY = (pushed.PATIENT_VITALS, pushed.PATIENT_PROBLEMS)


def insert(transaction: Transaction, table: Table, values: Row, *, or_nothing: bool = False) -> bool:
    """Insert a row and tell whether it was new; with ``or_nothing`` a row of the same key stays as it is."""
    columns = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join("?" * len(values))
    key = ", ".join(f'"{name}"' for name in table.key)
    sql = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'
    if or_nothing:
        sql += f" ON CONFLICT ({key}) DO NOTHING"
    return bool(transaction.execute(sql + ' RETURNING "id"', tuple(values.values())).fetchall())


def ensure_event_visit(transaction: Transaction, values: Row, clock: Clock) -> None:
    """Make up the visit of an event whose own is unknown, in the clinic of the first user (CLOUD.md 4.7)."""
    known = transaction.execute('SELECT 1 FROM "visits" WHERE "id" = ?', (values["visit_id"],)).fetchall()
    if values["visit_id"] is not None and known:
        return
    first = transaction.execute('SELECT "clinic_id", "id", "name" FROM "users" LIMIT 1').fetchall()
    clinic, provider, name = first[0] if first else (None, None, None)
    values["visit_id"] = values["visit_id"] or str(uuid.uuid4())
    _bare_visit(
        transaction,
        clock,
        {
            "id": values["visit_id"],
            "patient_id": values["patient_id"],
            "clinic_id": clinic,
            "provider_id": provider,
            "provider_name": name,
            "metadata": {"artificially_created": True},
        },
    )


def complete_appointment(transaction: Transaction, values: Row, caller: Caller, clock: Clock) -> None:
    """Fill in a person's own clinic and id, and a new visit when none is named (CLOUD.md 4.11, 6)."""
    values["clinic_id"] = values["clinic_id"] or caller.user_clinic
    values["user_id"] = values["user_id"] or caller.user
    if values["current_visit_id"] is None:
        visit = {name: values[name] for name in ("patient_id", "clinic_id", "provider_id")}
        values["current_visit_id"] = _bare_visit(transaction, clock, visit)


def complete_prescription(transaction: Transaction, values: Row, _: Caller, clock: Clock) -> None:
    """Fill in the provider's clinic, and a new visit when none is named (CLOUD.md 6)."""
    if values["pickup_clinic_id"] is None:
        sql = 'SELECT "clinic_id" FROM "users" WHERE "id" = ?'
        values["pickup_clinic_id"] = _first(transaction, sql, (values["provider_id"],))
    if values["visit_id"] is None:
        visit = {
            "patient_id": values["patient_id"],
            "clinic_id": values["pickup_clinic_id"],
            "provider_id": values["provider_id"],
        }
        values["visit_id"] = _bare_visit(transaction, clock, visit)


def complete_dispensing(transaction: Transaction, values: Row, _: Caller, clock: Clock) -> None:
    """Pick the batch of latest expiry when none is named, or make one up (CLOUD.md 4.8)."""
    if values["batch_id"] is not None or values["clinic_id"] is None or values["drug_id"] is None:
        return
    sql = (
        'SELECT "batch_id" FROM "clinic_inventory" WHERE "clinic_id" = ? AND "drug_id" = ?'
        ' ORDER BY "batch_expiry_date" DESC LIMIT 1'
    )
    found = _first(transaction, sql, (values["clinic_id"], values["drug_id"]))
    values["batch_id"] = found or _made_up_batch(transaction, values, clock)


COMPLETIONS: Mapping[str, Callable[[Transaction, Row, Caller, Clock], None]] = {
    "appointments": complete_appointment,
    "prescriptions": complete_prescription,
    "dispensing_records": complete_dispensing,
}


def deduct_stock(transaction: Transaction, values: Row) -> None:
    """Take what was dispensed from the clinic's stock and the batch, below zero if it must be (CLOUD.md 4.8)."""
    now = transaction.now
    quantity = values["quantity_dispensed"]
    transaction.execute(
        'UPDATE "clinic_inventory" SET "quantity_available" = "quantity_available" - ?, "updated_at" = ?,'
        ' "last_modified" = ? WHERE "clinic_id" = ? AND "drug_id" = ? AND "batch_id" = ?',
        (quantity, now, now, values["clinic_id"], values["drug_id"], values["batch_id"]),
    )
    transaction.execute(
        'UPDATE "drug_batches" SET "quantity_remaining" = "quantity_remaining" - ?, "updated_at" = ?,'
        ' "last_modified" = ? WHERE "id" = ?',
        (quantity, now, now, values["batch_id"]),
    )


def delete(transaction: Transaction, table: Table, record_id: str) -> None:
    """Delete softly and flag the children, which get no deleted_at; items go for good (CLOUD.md 4.6)."""
    if table is pushed.PRESCRIPTION_ITEMS:
        transaction.execute('DELETE FROM "prescription_items" WHERE "id" = ?', (record_id,))
        return
    now = transaction.now
    if table in _FLAGGED_ONLY:
        sql = f'UPDATE "{table.name}" SET "is_deleted" = true, "deleted_at" = ? WHERE "id" = ?'
        transaction.execute(sql, (now, record_id))
    else:
        transaction.execute(
            f'UPDATE "{table.name}" SET "is_deleted" = true, "deleted_at" = ?, "updated_at" = ?, "last_modified" = ?'
            ' WHERE "id" = ?',
            (now, now, now, record_id),
        )
    for child, column in _CASCADES.get(table, ()):
        sql = (
            f'UPDATE "{child.name}" SET "is_deleted" = true, "updated_at" = ?, "last_modified" = ?'
            f' WHERE "{column}" = ? AND "is_deleted" = false'
        )
        transaction.execute(sql, (now, now, record_id))


def _bare_visit(transaction: Transaction, clock: Clock, given: Mapping[str, object]) -> Value:
    values = row(pushed.VISITS, {"id": str(uuid.uuid4()), **given}, clock)
    insert(transaction, pushed.VISITS, values, or_nothing=True)
    return values["id"]


def _made_up_batch(transaction: Transaction, values: Row, clock: Clock) -> Value:
    batch = row(DRUG_BATCHES, {"drug_id": values["drug_id"], "batch_number": "auto"}, clock)
    insert(transaction, DRUG_BATCHES, batch)
    stock = {name: values[name] for name in ("clinic_id", "drug_id")}
    insert(transaction, CLINIC_INVENTORY, row(CLINIC_INVENTORY, {**stock, "batch_id": batch["id"]}, clock))
    return batch["id"]


def _first(transaction: Transaction, sql: str, values: tuple[Value, ...]) -> Any:  # noqa: ANN401
    rows = transaction.execute(sql, values).fetchall()
    return rows[0][0] if rows else None
