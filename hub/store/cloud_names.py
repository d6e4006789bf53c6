"""Matches users and clinics that were made on this hub to those of the cloud, which knows only its own.

Users are matched by their email, clinics by their name, or because there is only one of each. What was entered here
goes up under the cloud's ids, and comes back with them (hub.core.cloud_merge).
"""

import msgspec
from sqlite_utils import Database

from hub.core import records
from hub.core.cloud_tables import USERS
from hub.core.tables import TABLES, Table
from hub.store import audit, people, shelf
from hub.store.database import Transaction
from hub.store.people import User

_CLINICS = TABLES["clinics"]
_PERMISSIONS = TABLES["user_clinic_permissions"]


def names(db: Database) -> dict[str, str]:
    """Give ids made here -> ids in the cloud."""
    return dict(db.execute("SELECT id, cloud_id FROM cloud_names").fetchall())


def unmatched(db: Database) -> dict[str, str]:
    """Give the ids of users and clinics that the cloud does not know -> what to do, in words."""
    found = {}
    for user_id, email in db.execute("SELECT id, email FROM users WHERE source = 'hub'"):
        found[user_id] = f"the cloud has no user {email}; make one with this email there"
    for clinic_id, name in _own_clinics(db):
        found[clinic_id] = f"the cloud has no clinic called {name!r}; give a clinic of this hub this name there"
    return {key: words for key, words in found.items() if key not in names(db)}


def made_here(db: Database, table: Table) -> set[str]:
    """Give the ids of reference rows that were made on this hub."""
    if table is not _PERMISSIONS:
        return set()
    return {
        row[0]
        for row in db.execute(
            f"SELECT id FROM [{_PERMISSIONS.name}] WHERE user_id IN (SELECT id FROM users WHERE source = 'hub')"
        )
    }


def match_user(tx: Transaction, theirs: User) -> bool:
    """Let a user of the cloud take the place of one with this email who was made here; tells whether there is one.

    Their sign-ins go on; from the next one on the cloud's password counts.
    """
    row = tx.db.execute(
        "SELECT id FROM users WHERE source = 'hub' AND email = ? COLLATE NOCASE AND id <> ?"
        " AND id NOT IN (SELECT id FROM cloud_names)",
        [theirs.email, theirs.id],
    ).fetchone()
    if row is None:
        return False
    _name(tx, row[0], USERS, theirs.id)
    tx.db.execute("UPDATE users SET is_deleted = 1 WHERE id = ?", [row[0]])
    tx.db.execute("UPDATE tokens SET user_id = ? WHERE user_id = ?", [theirs.id, row[0]])
    tx.db.execute("UPDATE devices SET user_id = ? WHERE user_id = ?", [theirs.id, row[0]])
    return True


def match_clinics(tx: Transaction, clinic_ids: tuple[str, ...]) -> int:
    """Let clinics of the cloud take the place of those made here; tells how many.

    clinic_ids: the hub's clinics in the cloud.
    """
    named = {_folded(clinic["name"]): clinic["id"] for clinic in people.clinics(tx.db) if clinic["id"] in clinic_ids}
    own = [(clinic_id, name) for clinic_id, name in _own_clinics(tx.db) if clinic_id not in names(tx.db)]
    matched = 0
    for clinic_id, name in own:
        theirs = named.get(_folded(name))
        if theirs is None and len(own) == 1 and len(clinic_ids) == 1 and named:
            theirs = clinic_ids[0]
        if theirs:
            _replace_clinic(tx, clinic_id, theirs)
            matched += 1
    return matched


def _replace_clinic(tx: Transaction, old: str, new: str) -> None:
    """Move the people of a clinic over and bury it; its records follow when the cloud shows them."""
    _name(tx, old, _CLINICS.name, new)
    tx.db.execute("UPDATE users SET clinic_id = ? WHERE clinic_id = ?", [new, old])
    rows = tx.db.execute(
        f"SELECT id FROM [{_PERMISSIONS.name}] WHERE local_server_deleted_at IS NULL"
        " AND json_extract(data, '$.clinic_id') = ?",
        [old],
    ).fetchall()
    for kept in shelf.find(tx.db, _PERMISSIONS, [row[0] for row in rows]).values():
        version = shelf.version(_PERMISSIONS, kept)
        moved = records.replaced(_PERMISSIONS, version.record, {"clinic_id": new})
        shelf.change(tx, _PERMISSIONS, kept, moved, device=shelf.HUB, history=shelf.whole(moved, tx.now_ms))
    shelf.bury(tx, _CLINICS, [row.num for row in shelf.find(tx.db, _CLINICS, [old]).values()])


def _own_clinics(db: Database) -> list[tuple[str, str]]:
    """Give id and name of the clinics that were made here: those without the columns that only the cloud has."""
    rows = db.execute(f"SELECT id, data FROM [{_CLINICS.name}] WHERE cut IS NULL").fetchall()
    return [(clinic_id, msgspec.json.decode(data)["name"]) for clinic_id, data in rows]


def _name(tx: Transaction, own_id: str, table_name: str, cloud_id: str) -> None:
    tx.db.execute(
        "INSERT OR REPLACE INTO cloud_names (id, table_name, cloud_id) VALUES (?, ?, ?)",
        [own_id, table_name, cloud_id],
    )
    audit.note(tx, "cloud.matched", detail=f"{table_name} {own_id} is {cloud_id}")


def _folded(name: str) -> str:
    return " ".join(name.casefold().split())
