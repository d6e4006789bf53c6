"""Clinics: made on this hub where there is no cloud to make them."""

from typing import Any

from hub.store.database import Store
from hub.store.people import users as rows


def every(store: Store) -> list[dict[str, Any]]:
    """List the clinics of this hub as ``{id, name}``."""
    with store.read() as db:
        return list(rows.clinics(db))


def add(store: Store, name: str) -> dict[str, Any]:
    """Add a clinic; returns ``{id, name}``. Raises OperatorError when the name is empty or taken."""
    with store.write() as tx:
        return rows.add_clinic(tx, name)
