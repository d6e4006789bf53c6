"""Decides what a user may do: the permissions of the user's clinics (S5).

The rules are the app's own, so that a phone is not refused what its screen allowed.
"""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from hub.core.errors import BadRecord, NotAllowed
from hub.core.reasons import Code
from hub.core.records.codec import Record
from hub.core.records.tables import PushRule, Table

SUPER_ADMIN = "super_admin"


class Permission(StrEnum):
    """The columns of user_clinic_permissions that allow something."""

    REGISTER = "can_register_patients"
    VIEW = "can_view_history"
    EDIT = "can_edit_records"
    DELETE = "can_delete_records"
    ADMIN = "is_clinic_admin"
    EDIT_OTHERS = "can_edit_other_provider_event"
    REPORTS = "can_download_patient_reports"
    PRESCRIBE = "can_prescribe_medications"
    DISPENSE = "can_dispense_medications"
    DELETE_VISITS = "can_delete_patient_visits"
    DELETE_PATIENTS = "can_delete_patient_records"


class Rights(msgspec.Struct, frozen=True):
    """What one user may do on this hub.

    unrestricted: a super_admin, or the organisation switched permission checking off (app_config).
    known: the clinics of this hub. A record of no clinic, or of one that the hub does not know, belongs to none of
    them: any clinic's permission will do.
    """

    user_id: str
    unrestricted: bool
    clinics: Mapping[str, frozenset[Permission]]
    known: frozenset[str]

    def may(self, permission: Permission, clinic: str | None) -> bool:
        """Return whether the user has ``permission`` in ``clinic``."""
        if self.unrestricted:
            return True
        if clinic in self.known:
            return permission in self.clinics.get(clinic or "", ())
        return any(permission in granted for granted in self.clinics.values())

    def belongs(self, clinic: str | None) -> bool:
        """Return whether the user works in ``clinic``."""
        if self.unrestricted:
            return True
        return clinic in self.clinics if clinic in self.known else bool(self.clinics)

    def hidden(self) -> frozenset[str]:
        """Return the clinics of this hub whose patients the user may not see."""
        return frozenset(clinic for clinic in self.known if not self.may(Permission.VIEW, clinic))


def rights_of(
    user_id: str,
    role: str,
    granted: Mapping[str, frozenset[Permission]],
    *,
    checking_is_off: bool,
    known: frozenset[str],
) -> Rights:
    """Return what a user may do, from the permissions in each clinic and from the clinics that the hub knows."""
    return Rights(user_id, unrestricted=role == SUPER_ADMIN or checking_is_off, clinics=granted, known=known)


_CREATE = {
    "patients": (Permission.REGISTER,),
    "prescriptions": (Permission.PRESCRIBE,),
    "prescription_items": (Permission.PRESCRIBE, Permission.DISPENSE),
    "dispensing_records": (Permission.DISPENSE,),
}
_UPDATE = {
    "patients": (Permission.EDIT,),
    "prescriptions": (Permission.PRESCRIBE, Permission.DISPENSE),
    "prescription_items": (Permission.PRESCRIBE, Permission.DISPENSE),
    "dispensing_records": (Permission.DISPENSE,),
}
_DELETE = {"patients": Permission.DELETE_PATIENTS, "visits": Permission.DELETE_VISITS}

_BUMPED = frozenset({"metadata", "updated_at"})
"""What an appointment changes in its patient on the phone (PROTOCOL.md "Push")."""


def check_create(rights: Rights, table: Table, clinic: str | None) -> None:
    """Raise NotAllowed unless the user may add a record of ``clinic`` to ``table``."""
    _require(rights, table, _CREATE.get(table.name, ()), clinic)


def check_update(rights: Rights, table: Table, clinic: str | None, old: Record, changed: tuple[str, ...]) -> None:
    """Raise NotAllowed unless the user may change these columns of a record of ``clinic``."""
    wanted = _UPDATE.get(table.name, ())
    if table.name == "patients" and changed and _BUMPED.issuperset(changed):
        wanted = ()
    author = old.text("recorded_by_user_id")
    if table.name == "events" and author not in {None, rights.user_id}:
        wanted = (Permission.EDIT_OTHERS,)
    _require(rights, table, wanted, clinic)


def check_delete(rights: Rights, table: Table, clinic: str | None) -> None:
    """Raise NotAllowed unless the user may delete a record of ``clinic`` from ``table``."""
    _require(rights, table, (_DELETE.get(table.name, Permission.DELETE),), clinic)


def check_table(table: Table) -> None:
    """Raise BadRecord for a table that phones cannot change."""
    if table.push is PushRule.REFERENCE:
        raise BadRecord(Code.REFERENCE_CHANGED.of(table=table.name))


def _require(rights: Rights, table: Table, wanted: tuple[Permission, ...], clinic: str | None) -> None:
    if not rights.belongs(clinic):
        raise NotAllowed(Code.NOT_IN_CLINIC.of(table=table.name))
    if wanted and not any(rights.may(permission, clinic) for permission in wanted):
        raise NotAllowed(Code.NOT_PERMITTED.of(table=table.name, needs=wanted))
