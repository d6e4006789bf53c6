"""Clinics: made on this hub where there is no cloud to make them."""

from typing import Any

from hub.core.errors import AlreadyExists, NotThere, OperatorError
from hub.store.cloud import id_mapping
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
    _check_new(tx, name)
    clinic_id = rows.add_clinic(tx, name)
    audit.note(tx, "clinic.added", detail=clinic_id)
    return {"id": clinic_id, "name": name}


def rename(store: Store, clinic_id: str, name: str) -> None:
    """Give a clinic that was made here another name.

    Raises AlreadyExists for a name that is taken, NotThere for a clinic that was not made here, OperatorError for none.
    """
    with store.write() as tx:
        own = id_mapping.own_clinics(tx.db)
        if clinic_id not in own:
            raise NotThere(f"there is no clinic {clinic_id} that was made here")
        if own[clinic_id] == name:
            return
        _check_new(tx, name)
        rows.rename_clinic(tx, clinic_id, name)
        audit.note(tx, "clinic.renamed", detail=own[clinic_id])


def made_here(store: Store) -> set[str]:
    """Return the ids of the clinics that were made on this hub, and so can be renamed here."""
    with store.read() as db:
        return set(id_mapping.own_clinics(db))


def _check_new(tx: Transaction, name: str) -> None:
    if not name.strip():
        raise OperatorError("a clinic needs a name")
    if name in {clinic["name"] for clinic in rows.clinics(tx.db)}:
        raise AlreadyExists(f"there is already a clinic called {name}")
