"""Keeps which users and clinics made on this hub are which of the cloud's (hub.core.cloud.matching)."""

import msgspec
from sqlite_utils import Database

from hub.core.records.table import Table
from hub.core.records.tables import TABLES
from hub.store.database import Transaction

_CLINICS = TABLES["clinics"]
_PERMISSIONS = TABLES["user_clinic_permissions"]


def names(db: Database) -> dict[str, str]:
    """Return ids made here -> ids in the cloud."""
    return dict(db.execute("SELECT id, cloud_id FROM cloud_names").fetchall())


def add(tx: Transaction, own: str, table_name: str, theirs: str) -> None:
    """Keep what one made here is called in the cloud."""
    tx.db.execute(
        "INSERT OR REPLACE INTO cloud_names (id, table_name, cloud_id) VALUES (?, ?, ?)", [own, table_name, theirs]
    )


def own_users(db: Database) -> dict[str, str]:
    """Return id -> email of the users made here."""
    return dict(db.execute("SELECT id, email FROM users WHERE source = 'hub'").fetchall())


def own_clinics(db: Database) -> dict[str, str]:
    """Return id -> name of the clinics made here: those without the columns that only the cloud has."""
    rows = db.execute(f"SELECT id, data FROM [{_CLINICS.name}] WHERE cut IS NULL").fetchall()
    return {clinic: msgspec.json.decode(data)["name"] for clinic, data in rows}


def any_unmatched(db: Database) -> bool:
    """Whether a user or a clinic was made here that the cloud is not known to have."""
    sql = (
        f"SELECT 1 FROM (SELECT id FROM [{_CLINICS.name}] WHERE cut IS NULL UNION ALL"
        " SELECT id FROM users WHERE source = 'hub') WHERE id NOT IN (SELECT id FROM cloud_names) LIMIT 1"
    )
    return db.execute(sql).fetchone() is not None


def made_here(db: Database, table: Table) -> set[str]:
    """Return the ids of reference rows that were made on this hub."""
    if table is not _PERMISSIONS:
        return set()
    rows = db.execute(
        f"SELECT id FROM [{_PERMISSIONS.name}] WHERE user_id IN (SELECT id FROM users WHERE source = 'hub')"
    )
    return {row[0] for row in rows}


def unmatched_user(db: Database, email: str, *, other_than: str) -> str | None:
    """Return the user made here with this email, regardless of case, whom the cloud does not know yet."""
    row = db.execute(
        "SELECT id FROM users WHERE source = 'hub' AND email = ? COLLATE NOCASE AND id <> ?"
        " AND id NOT IN (SELECT id FROM cloud_names)",
        [email, other_than],
    ).fetchone()
    return row[0] if row else None


def replace_user(tx: Transaction, own: str, theirs: str) -> None:
    """Let a user's sign-ins go on as another one's."""
    tx.db.execute("UPDATE users SET is_deleted = 1 WHERE id = ?", [own])
    tx.db.execute("UPDATE tokens SET user_id = ? WHERE user_id = ?", [theirs, own])
    tx.db.execute("UPDATE devices SET user_id = ? WHERE user_id = ?", [theirs, own])


def move_users(tx: Transaction, old: str, new: str) -> None:
    """Move the users of a clinic to another one."""
    tx.db.execute("UPDATE users SET clinic_id = ? WHERE clinic_id = ?", [new, old])


def permissions_in(db: Database, clinic_id: str) -> list[str]:
    """Return the ids of the permissions that count in a clinic."""
    rows = db.execute(
        f"SELECT id FROM [{_PERMISSIONS.name}] WHERE local_server_deleted_at IS NULL"
        " AND json_extract(data, '$.clinic_id') = ?",
        [clinic_id],
    )
    return [row[0] for row in rows.fetchall()]
