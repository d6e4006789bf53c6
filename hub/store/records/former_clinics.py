"""Which clinics' patients were before they moved, as far as the hub saw the move."""

from collections.abc import Iterable

import msgspec
from sqlite_utils import Database

from hub.core.records.push_decision import Moved
from hub.store.database import Transaction

MOVES = 8
"""Of a patient who moved more often the oldest are forgotten."""


def note(tx: Transaction, patient_id: str, clinic: str | None) -> None:
    """Note that a patient leaves a clinic now; None where there was none."""
    if clinic:
        tx.db.execute("INSERT INTO former_clinics VALUES (?, ?, ?)", [patient_id, tx.now_ms, clinic])
        tx.db.execute(
            "DELETE FROM former_clinics WHERE patient_id = ? AND until <="
            f" (SELECT until FROM former_clinics WHERE patient_id = ? ORDER BY until DESC LIMIT 1 OFFSET {MOVES})",
            [patient_id, patient_id],
        )


def at(db: Database, patients: Iterable[str], at_ms: float, *, heard_ms: float) -> dict[str, Moved]:
    """Return which of these patients had not moved yet at a time, and whose they were then.

    heard_ms: up to which hub time moves are known where it was entered, whatever time is said.
    """
    rows = db.execute(
        "SELECT patient_id, primary_clinic_id, clinic, min(until) FROM former_clinics"
        " JOIN patients ON patients.id = patient_id"
        " WHERE patient_id IN (SELECT value FROM json_each(?)) AND until >= ? AND until > ? GROUP BY patient_id",
        [msgspec.json.encode(sorted(patients)).decode(), at_ms, heard_ms],
    )
    return {patient_id: Moved(now, then) for patient_id, now, then, _ in rows}
