"""Which patients came, or came to another clinic, when: others may see their records since (S9).

A phone's ledger looks again at the records of just these patients, which are found by their index.
"""

from collections.abc import Iterable, Sequence

import msgspec

from hub.core.records.tables import TABLES
from hub.store.database import Transaction

_CHILDREN = tuple(table for table in TABLES.values() if table.patient)


def note(tx: Transaction, patient_ids: Iterable[str]) -> None:
    """Note that others may see the records of these patients from now on."""
    tx.db.conn.executemany(
        "INSERT OR REPLACE INTO moves (patient_id, revision) VALUES (?, ?)",
        [(patient_id, tx.now_ms) for patient_id in patient_ids],
    )


def arrived(tx: Transaction, patient_ids: Sequence[str]) -> None:
    """Note those new patients whose records came before them, and were their authors' alone."""
    wanted = msgspec.json.encode(patient_ids).decode()
    found: set[str] = set()
    for table in _CHILDREN:
        rows = tx.db.execute(
            f"SELECT DISTINCT patient_id FROM [{table.name}] WHERE patient_id IN (SELECT value FROM json_each(?))",
            [wanted],
        )
        found.update(row[0] for row in rows)
    note(tx, sorted(found))
