"""Matches users and clinics that were made on this hub to those of the cloud, which knows only its own.

Users are matched by their email, clinics by their name, or because there is only one of each; else by hand. What was
entered here goes up under the cloud's ids, and comes back with them (hub.core.cloud.merge).
"""

import msgspec
from sqlite_utils import Database

from hub.core.cloud.tables import USERS
from hub.core.errors import OperatorError
from hub.core.people.users import User
from hub.core.reasons import Code, Reason
from hub.core.records import codec
from hub.core.records.tables import TABLES, Table
from hub.store.database import Transaction
from hub.store.people import audit
from hub.store.people import users as people
from hub.store.records import record_rows


class Pair(msgspec.Struct, frozen=True):
    """One made here and the one of the cloud that it is; None where there is none."""

    hub: str | None
    hub_name: str | None
    cloud: str | None
    cloud_name: str | None


_CLINICS = TABLES["clinics"]
_PERMISSIONS = TABLES["user_clinic_permissions"]


def names(db: Database) -> dict[str, str]:
    """Return ids made here -> ids in the cloud."""
    return dict(db.execute("SELECT id, cloud_id FROM cloud_names").fetchall())


def unmatched(db: Database) -> dict[str, Reason]:
    """Return the ids of users and clinics that the cloud does not know -> why what names them waits."""
    found: dict[str, Reason] = {}
    for user_id, email in db.execute("SELECT id, email FROM users WHERE source = 'hub'"):
        found[user_id] = Code.NO_USER.of(email=email)
    for clinic_id, name in _own_clinics(db):
        found[clinic_id] = Code.NO_CLINIC.of(name=name)
    return {key: reason for key, reason in found.items() if key not in names(db)}


def made_here(db: Database, table: Table) -> set[str]:
    """Return the ids of reference rows that were made on this hub."""
    if table is not _PERMISSIONS:
        return set()
    return {
        row[0]
        for row in db.execute(
            f"SELECT id FROM [{_PERMISSIONS.name}] WHERE user_id IN (SELECT id FROM users WHERE source = 'hub')"
        )
    }


def match_user(tx: Transaction, theirs: User) -> bool:
    """Let a user of the cloud take the place of one with this email who was made here; returns whether there is one.

    Their sign-ins go on; from the next one on the cloud's password counts.
    """
    row = tx.db.execute(
        "SELECT id FROM users WHERE source = 'hub' AND email = ? COLLATE NOCASE AND id <> ?"
        " AND id NOT IN (SELECT id FROM cloud_names)",
        [theirs.email, theirs.id],
    ).fetchone()
    if row is None:
        return False
    _replace_user(tx, row[0], theirs.id)
    return True


def match_clinics(tx: Transaction, clinic_ids: tuple[str, ...]) -> int:
    """Let clinics of the cloud take the place of those made here; returns how many.

    clinic_ids: the hub's clinics in the cloud.
    """
    named = {_folded(clinic["name"]): clinic["id"] for clinic in people.clinics(tx.db) if clinic["id"] in clinic_ids}
    every = _own_clinics(tx.db)
    own = [(clinic_id, name) for clinic_id, name in every if clinic_id not in names(tx.db)]
    matched = 0
    for clinic_id, name in own:
        theirs = named.get(_folded(name))
        if theirs is None and len(every) == 1 and len(clinic_ids) == 1 and named:
            theirs = clinic_ids[0]
        if theirs:
            _replace_clinic(tx, clinic_id, theirs)
            matched += 1
    return matched


def clinics(db: Database) -> list[Pair]:
    """List the clinics made here and the cloud's, side by side where they are one."""
    own = dict(_own_clinics(db))
    theirs = {row["id"]: row["name"] for row in people.clinics(db) if row["id"] not in own}
    return _pairs(own, theirs, names(db))


def users(db: Database) -> list[Pair]:
    """List the users made here and the cloud's by email, side by side where they are one."""
    found: dict[str, dict[str, str]] = {"hub": {}, "cloud": {}}
    for user in people.every(db):
        found[user.source][user.id] = user.email
    return _pairs(found["hub"], found["cloud"], names(db))


def match_clinic_by_hand(tx: Transaction, own: str, theirs: str) -> None:
    """Let a clinic of the cloud take the place of one made here, whatever they are called.

    Raises OperatorError unless one waits for it and the other is the cloud's. It cannot be undone: what is sent from
    now on names the cloud's.
    """
    _check(clinics(tx.db), own, theirs, "clinic")
    _replace_clinic(tx, own, theirs)


def match_user_by_hand(tx: Transaction, own: str, theirs: str) -> None:
    """Let a user of the cloud take the place of one made here, whatever their emails; as match_clinic_by_hand."""
    _check(users(tx.db), own, theirs, "user")
    _replace_user(tx, own, theirs)


def _pairs(own: dict[str, str], theirs: dict[str, str], named: dict[str, str]) -> list[Pair]:
    pairs = [Pair(key, name, named.get(key), theirs.get(named.get(key, ""))) for key, name in own.items()]
    taken = {pair.cloud for pair in pairs}
    return pairs + [Pair(None, None, key, name) for key, name in theirs.items() if key not in taken]


def _check(pairs: list[Pair], own: str, theirs: str, what: str) -> None:
    here = next((pair for pair in pairs if pair.hub == own), None)
    if here is None or here.cloud is not None:
        raise OperatorError(
            f"{own} is no {what} that was made on this hub" if here is None else f"{own} is {here.cloud} already"
        )
    if theirs not in {pair.cloud for pair in pairs}:
        raise OperatorError(f"{theirs} is no {what} that came from the cloud; 'hikma-hub cloud {what}s' lists them")


def _replace_user(tx: Transaction, own: str, theirs: str) -> None:
    """Let a user's sign-ins go on as another one's."""
    _name(tx, own, USERS, theirs)
    tx.db.execute("UPDATE users SET is_deleted = 1 WHERE id = ?", [own])
    tx.db.execute("UPDATE tokens SET user_id = ? WHERE user_id = ?", [theirs, own])
    tx.db.execute("UPDATE devices SET user_id = ? WHERE user_id = ?", [theirs, own])


def _replace_clinic(tx: Transaction, old: str, new: str) -> None:
    """Move the people of a clinic over and bury it; its records follow when the cloud shows them."""
    _name(tx, old, _CLINICS.name, new)
    tx.db.execute("UPDATE users SET clinic_id = ? WHERE clinic_id = ?", [new, old])
    rows = tx.db.execute(
        f"SELECT id FROM [{_PERMISSIONS.name}] WHERE local_server_deleted_at IS NULL"
        " AND json_extract(data, '$.clinic_id') = ?",
        [old],
    ).fetchall()
    for kept in record_rows.find(tx.db, _PERMISSIONS, [row[0] for row in rows]).values():
        version = record_rows.version(_PERMISSIONS, kept)
        moved = codec.replaced(_PERMISSIONS, version.record, {"clinic_id": new})
        record_rows.change(
            tx, _PERMISSIONS, kept, moved, device=record_rows.HUB, history=record_rows.whole(moved, tx.now_ms)
        )
    record_rows.delete(tx, _CLINICS, [row.num for row in record_rows.find(tx.db, _CLINICS, [old]).values()])


def _own_clinics(db: Database) -> list[tuple[str, str]]:
    """Return id and name of the clinics that were made here: those without the columns that only the cloud has."""
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
