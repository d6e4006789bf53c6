"""Clinics: made on this hub where there is no cloud to make them."""

from typing import Any

from hub.core.errors import AlreadyExists, OperatorError
from hub.store.database import Store, Transaction
from hub.store.people import audit
from hub.store.people import users as rows


def every(store: Store) -> list[dict[str, Any]]:
    """List the clinics of this hub as ``{id, name}``."""
    with store.read() as db:
        return list(rows.clinics(db))


def add(store: Store, name: str) -> dict[str, Any]:
    """Add a clinic; returns ``{id, name}``. Raises AlreadyExists for a name that is taken, OperatorError for none."""
    with store.write() as tx:
        return make(tx, name)


def make(tx: Transaction, name: str) -> dict[str, Any]:
    """Add a clinic within a transaction; returns ``{id, name}``. Raises OperatorError like ``add``."""
    if not name.strip():
        raise OperatorError("a clinic needs a name")
    if name in {clinic["name"] for clinic in rows.clinics(tx.db)}:
        raise AlreadyExists(f"there is already a clinic called {name}")
    clinic_id = rows.add_clinic(tx, name)
    audit.note(tx, "clinic.added", detail=clinic_id)
    return {"id": clinic_id, "name": name}
