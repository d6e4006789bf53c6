"""Lets users and clinics of the cloud take the place of those that were made on this hub (hub.core.cloud.matching).

What was entered here goes up under the cloud's ids, and comes back with them (hub.core.cloud.merge).
"""

from collections.abc import Iterable

from hub.core.cloud import matching
from hub.core.cloud.matching import Pair
from hub.core.cloud.tables import USERS
from hub.core.people.users import User
from hub.core.reasons import Code, Reason
from hub.core.records import codec
from hub.core.records.tables import TABLES
from hub.store.cloud import id_mapping
from hub.store.database import Store, Transaction, View
from hub.store.people import audit, users
from hub.store.records import record_rows

_CLINICS = TABLES["clinics"]
_PATIENTS = TABLES["patients"]
_PERMISSIONS = TABLES["user_clinic_permissions"]


def clinics(store: Store) -> list[Pair]:
    """List the clinics made here and the cloud's, side by side where they are one."""
    with store.read() as db:
        return _clinics(db)


def people(store: Store) -> list[Pair]:
    """List the users made here and the cloud's by email, side by side where they are one."""
    with store.read() as db:
        return _users(db)


def names_of(store: Store, clinic_ids: Iterable[str]) -> list[str]:
    """Return what these clinics are called, in their order; the id where the hub does not know."""
    with store.read() as db:
        names = {row["id"]: row["name"] for row in users.clinics(db)}
    return [names.get(clinic, clinic) for clinic in clinic_ids]


def why_unmatched(store: Store) -> list[Reason]:
    """Return why what names users and clinics that the cloud does not know waits."""
    with store.read() as db:
        return list(unmatched(db).values())


def match_clinic(store: Store, own: str, theirs: str) -> None:
    """Let a clinic of the cloud take the place of one made here, whatever they are called.

    Raises OperatorError unless one waits for it and the other is the cloud's. It cannot be undone: what is sent from
    now on names the cloud's.
    """
    with store.write() as tx:
        matching.check_by_hand(_clinics(tx.db), own, theirs, "clinic")
        _replace_clinic(tx, own, theirs)


def match_user(store: Store, own: str, theirs: str) -> None:
    """Let a user of the cloud take the place of one made here, whatever their emails; as match_clinic."""
    with store.write() as tx:
        matching.check_by_hand(_users(tx.db), own, theirs, "user")
        _replace_user(tx, own, theirs)


def match_by_email(tx: Transaction, theirs: User) -> bool:
    """Let a user of the cloud take the place of one with this email who was made here; returns whether there is one.

    Their sign-ins go on; from the next one on the cloud's password counts.
    """
    own = id_mapping.unmatched_user(tx.db, theirs.email, other_than=theirs.id)
    if own is not None:
        _replace_user(tx, own, theirs.id)
    return own is not None


def match_clinics(tx: Transaction, clinic_ids: tuple[str, ...]) -> int:
    """Let clinics of the cloud take the place of those made here; returns how many.

    clinic_ids: the hub's clinics in the cloud.
    """
    named = {row["id"]: row["name"] for row in users.clinics(tx.db)}
    theirs = {clinic: named.get(clinic, "") for clinic in clinic_ids}
    found = matching.same_clinics(id_mapping.own_clinics(tx.db), theirs, id_mapping.names(tx.db))
    for own, there in found.items():
        _replace_clinic(tx, own, there)
    return len(found)


def unmatched(db: View) -> dict[str, Reason]:
    """Return the ids of users and clinics that the cloud does not know -> why what names them waits."""
    found: dict[str, Reason] = {user: Code.NO_USER.of(email=email) for user, email in id_mapping.own_users(db).items()}
    found |= {clinic: Code.NO_CLINIC.of(name=name) for clinic, name in id_mapping.own_clinics(db).items()}
    matched = id_mapping.names(db)
    return {key: reason for key, reason in found.items() if key not in matched}


def _clinics(db: View) -> list[Pair]:
    own = id_mapping.own_clinics(db)
    theirs = {row["id"]: row["name"] for row in users.clinics(db) if row["id"] not in own}
    return matching.pairs(own, theirs, id_mapping.names(db))


def _users(db: View) -> list[Pair]:
    found: dict[str, dict[str, str]] = {"hub": {}, "cloud": {}}
    for user in users.every(db):
        found[user.source][user.id] = user.email
    return matching.pairs(found["hub"], found["cloud"], id_mapping.names(db))


def _replace_user(tx: Transaction, own: str, theirs: str) -> None:
    _name(tx, own, USERS, theirs)
    id_mapping.replace_user(tx, own, theirs)


def _replace_clinic(tx: Transaction, old: str, new: str) -> None:
    """Move the people and the patients of a clinic over, and delete it.

    Its other records follow when the cloud shows them; until then the old id stands for the new one (Rights.names).
    """
    _name(tx, old, _CLINICS.name, new)
    id_mapping.move_users(tx, old, new)
    permissions = id_mapping.permissions_in(tx.db, old)
    for kept in record_rows.find(tx.db, _PERMISSIONS, permissions).values():
        moved = codec.replaced(_PERMISSIONS, record_rows.version(_PERMISSIONS, kept).record, {"clinic_id": new})
        history = record_rows.whole(moved, tx.now_ms)
        record_rows.change(tx, _PERMISSIONS, kept, moved, device=record_rows.HUB, history=history)
    for ids in record_rows.patients_of(tx.db, old):
        for kept in record_rows.find(tx.db, _PATIENTS, ids).values():
            version = record_rows.version(_PATIENTS, kept)
            moved = codec.replaced(_PATIENTS, version.record, {"primary_clinic_id": new})
            history = record_rows.set_here(version.history, "primary_clinic_id", moved, tx.now_ms)
            record_rows.change(tx, _PATIENTS, kept, moved, device=record_rows.HUB, history=history)
    record_rows.delete(tx, _CLINICS, [row.num for row in record_rows.find(tx.db, _CLINICS, [old]).values()])


def _name(tx: Transaction, own: str, table_name: str, theirs: str) -> None:
    id_mapping.add(tx, own, table_name, theirs)
    audit.note(tx, "cloud.matched", detail=f"{table_name} {own} is {theirs}")
