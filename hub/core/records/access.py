"""Decides who may see a record and who may change it, for every way in: sync, online mode, search (S5, S9).

The rules are the app's own, so that a phone is not refused what its screen allowed. What has no known clinic is its
author's, and of those who had the clinic while there was one; it is nobody else's.
"""

import hashlib
from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import cached_property
from types import MappingProxyType

import msgspec

from hub.core.errors import BadRecord, NotAllowed
from hub.core.reasons import Code
from hub.core.records.codec import Record
from hub.core.records.table import PushRule, Rank, SeenBy, Table

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


Granted = Mapping[str, frozenset[Permission]]
"""Clinic -> what a user may do there."""
_EVERYTHING = frozenset(Permission)
_NOTHING = frozenset[Permission]()
_NOWHERE: Granted = MappingProxyType({})
_NO_NAMES: Mapping[str, str] = MappingProxyType({})


class Owner(msgspec.Struct, frozen=True):
    """Whose a record is: a clinic's, or, where the hub knows no such clinic, that of the user who entered it."""

    clinic: str | None = None
    author: str | None = None


class Place(msgspec.Struct, frozen=True):
    """Where a record is entered or changed, and about whom."""

    own: Owner = Owner()
    """The clinic that it names itself, and who entered it."""
    patients: tuple[Owner, ...] = ()
    """Whose the patient is that it is about, and then the patients of those records that it names."""


class Rights(msgspec.Struct, frozen=True, dict=True):
    """What one user may do on this hub.

    unrestricted: a super_admin, or the organisation switched permission checking off (app_config).
    known: the clinics of this hub. had: those that are no more, with what the user might do there to the end.
    names: ids that clinics and users had before they were matched to those of the cloud -> their ids now.
    """

    user_id: str
    unrestricted: bool
    clinics: Granted
    known: frozenset[str]
    had: Granted = _NOWHERE
    names: Mapping[str, str] = _NO_NAMES

    def may(self, permission: Permission, owner: Owner) -> bool:
        """Return whether the user has ``permission`` for what is ``owner``'s."""
        return permission in self.granted(owner)

    def granted(self, owner: Owner) -> frozenset[Permission]:
        """Return what the user may do with what is ``owner``'s."""
        if self.unrestricted:
            return _EVERYTHING
        clinic = self._name(owner.clinic)
        if self._is_settled(clinic):
            return self._held.get(clinic or "", _NOTHING)
        return self.anywhere if self._is_author(owner) else _NOTHING

    @cached_property
    def anywhere(self) -> frozenset[Permission]:
        """Return what the user may do in any clinic."""
        return _EVERYTHING if self.unrestricted else _NOTHING.union(*self.clinics.values())

    def belongs(self, owner: Owner) -> bool:
        """Return whether the user works where what is ``owner``'s belongs."""
        if self.unrestricted:
            return True
        clinic = self._name(owner.clinic)
        if self._is_settled(clinic):
            return clinic in self._held
        return self._is_author(owner) and bool(self.clinics)

    def is_known(self, clinic: str | None) -> bool:
        """Return whether there is such a clinic on this hub, by this id or by an earlier one."""
        return self._name(clinic) in self.known

    def place(self, place: Place) -> Owner:
        """Return whose rules hold for a record: those of the clinic that it names, or else of its patient's."""
        if self._is_settled(self._name(place.own.clinic)) or not place.patients:
            return place.own
        return place.patients[0]

    @property
    def user_ids(self) -> list[str]:
        """Return the ids under which the user entered records: now, and before being matched to one of the cloud."""
        return [self.user_id, *sorted(own for own, name in self.names.items() if name == self.user_id)]

    @property
    def scope(self) -> str:
        """Return a text that differs when the user may see other records than before.

        It differs from that of 0.1.0: each phone is looked through once, for what that left on it.
        """
        if self.unrestricted:
            return "*"
        seen = sorted(clinic for clinic in self._held if self.may(Permission.VIEW, Owner(clinic)))
        rest = (sorted(self._held), sorted(self.known), sorted(self.names.items()))
        return f"{self.user_id}={hashlib.sha256(str((seen, *rest)).encode()).hexdigest()[:16]}"

    @cached_property
    def _held(self) -> Granted:
        """What the user may do where; of a clinic that is no more, what it was in the end."""
        if not self.had:
            return self.clinics
        return {**self.clinics, **{clinic: what for clinic, what in self.had.items() if clinic not in self.known}}

    def _is_settled(self, clinic: str | None) -> bool:
        """Whether a clinic says what the user may do, so that it does not matter who entered what."""
        return clinic in self.known or clinic in self._held

    def _name(self, clinic: str | None) -> str | None:
        return self.names.get(clinic, clinic) if clinic else None

    def _is_author(self, owner: Owner) -> bool:
        return owner.author is not None and self.names.get(owner.author, owner.author) == self.user_id


NOBODY = Rights("", unrestricted=False, clinics=_NOWHERE, known=frozenset())
"""The rights while nobody is signed in."""


def rights_of(
    user_id: str,
    role: str,
    granted: Granted,
    *,
    checking_is_off: bool,
    known: frozenset[str],
    had: Granted = _NOWHERE,
    names: Mapping[str, str] = _NO_NAMES,
) -> Rights:
    """Return what a user may do, from the permissions in each clinic and what the hub knows of clinics (Rights)."""
    is_unrestricted = role == SUPER_ADMIN or checking_is_off
    return Rights(user_id, unrestricted=is_unrestricted, clinics=granted, known=known, had=had, names=names)


def sees(rights: Rights, table: Table, owner: Owner) -> bool:
    """Return whether the user may see a record: the one rule of sync, online mode and search.

    owner: of a patient's record the patient's, or the record's own while the hub has no such patient.
    """
    match table.seen_by:
        case SeenBy.EVERYONE:
            return True
        case SeenBy.CARERS:
            return rights.may(Permission.VIEW, owner)
        case SeenBy.STAFF:
            return rights.belongs(owner)
        case SeenBy.HOLDER:
            return rights.unrestricted or owner.author in rights.user_ids


# Who may change what

_STOCK_KEEPERS = (Permission.ADMIN, Permission.DISPENSE)
_CREATE: Mapping[str, tuple[Permission, ...]] = {
    "patients": (Permission.REGISTER,),
    "prescriptions": (Permission.PRESCRIBE,),
    "prescription_items": (Permission.PRESCRIBE, Permission.DISPENSE),
    "dispensing_records": (Permission.DISPENSE,),
    "clinic_inventory": _STOCK_KEEPERS,
    "clinic_departments": (Permission.ADMIN,),
    "drug_catalogue": (Permission.ADMIN,),
    "drug_batches": _STOCK_KEEPERS,
    "resources": (Permission.ADMIN,),
}
_UPDATE: Mapping[str, tuple[Permission, ...]] = {
    "patients": (Permission.EDIT,),
    "prescriptions": (Permission.PRESCRIBE, Permission.DISPENSE),
    "prescription_items": (Permission.PRESCRIBE, Permission.DISPENSE),
    "dispensing_records": (Permission.DISPENSE,),
    "clinic_inventory": (Permission.ADMIN,),
    "clinic_departments": (Permission.ADMIN,),
    "drug_catalogue": (Permission.ADMIN,),
    "drug_batches": _STOCK_KEEPERS,
    "resources": (Permission.ADMIN,),
}
_DELETE: Mapping[str, tuple[Permission, ...]] = {
    "patients": (Permission.DELETE_PATIENTS,),
    "visits": (Permission.DELETE_VISITS,),
    "clinic_inventory": (Permission.ADMIN,),
    "clinic_departments": (Permission.ADMIN,),
    "drug_catalogue": (Permission.ADMIN,),
    "drug_batches": (Permission.ADMIN,),
    "resources": (Permission.ADMIN,),
}

_KEEPS_STOCK = MappingProxyType(
    {
        "clinic_inventory": frozenset(
            {"quantity_available", "reserved_quantity", "last_counted_at", "batch_number", "batch_expiry_date"}
        )
        | {"recorded_by_user_id", "metadata"},
        "drug_catalogue": frozenset({"barcode", "min_stock_level", "max_stock_level", "recorded_by_user_id"}),
    }
)
"""Columns that also those who dispense may change: they count stock, and say how much of it there should be. What a
drug is, how strong and how it is given, is the administrator's to say."""

_BUMPED = frozenset({"metadata", "updated_at"})
"""What an appointment changes in its patient on the phone (PROTOCOL.md "Push")."""

_ABOUT: Mapping[str, tuple[Permission, ...]] = {
    "patient_additional_attributes": (Permission.VIEW, Permission.REGISTER, Permission.EDIT)
}
"""What is a part of registering a patient needs no look into the history."""


def check_create(rights: Rights, table: Table, place: Place) -> None:
    """Raise NotAllowed unless the user may add a record to ``table`` there."""
    _check_patients(rights, table, place)
    _require(rights, table, _CREATE.get(table.name, ()), rights.place(place))


def check_update(rights: Rights, table: Table, place: Place, old: Record, changed: Iterable[str]) -> None:
    """Raise NotAllowed unless the user may change these columns of a record there."""
    _check_patients(rights, table, place)
    for wanted in _wanted_to_change(rights, table, old, frozenset(changed)):
        _require(rights, table, wanted, rights.place(place))


def check_delete(rights: Rights, table: Table, place: Place) -> None:
    """Raise NotAllowed unless the user may delete a record there from ``table``."""
    _check_patients(rights, table, place)
    if table.name == "patients" and not sees(rights, table, rights.place(place)):
        raise NotAllowed(Code.NOT_SEEN.of(table=table.name))
    _require(rights, table, _DELETE.get(table.name, (Permission.DELETE,)), rights.place(place))


def check_table(table: Table) -> None:
    """Raise BadRecord for a table that phones cannot change."""
    if table.push is PushRule.REFERENCE:
        raise BadRecord(Code.REFERENCE_CHANGED.of(table=table.name))


def is_audited(table: Table, changed: Iterable[str]) -> bool:
    """Return whether a change of these columns is for the activity log: of what all share, but not every count."""
    counts = table.name == "clinic_inventory" and _KEEPS_STOCK[table.name].issuperset(changed)
    return table.rank is Rank.REFERENCE and table.push is not PushRule.REFERENCE and not counts


def _wanted_to_change(
    rights: Rights, table: Table, old: Record, changed: frozenset[str]
) -> Iterable[tuple[Permission, ...]]:
    """Return groups of permissions; of each the user needs one."""
    author = old.text("recorded_by_user_id")
    if table.name == "patients" and changed and _BUMPED.issuperset(changed):
        return [(Permission.VIEW, Permission.EDIT)]
    if table.name == "events" and author not in {None, rights.user_id}:
        return [(Permission.EDIT_OTHERS,)]
    if table.name in _KEEPS_STOCK:
        stock = changed & _KEEPS_STOCK[table.name]
        return [*([_STOCK_KEEPERS] if stock else []), *([_UPDATE[table.name]] if changed - stock else [])]
    return [_UPDATE.get(table.name, ())]


def _check_patients(rights: Rights, table: Table, place: Place) -> None:
    """Refuse what is about a patient whom the user may not see, as online mode does."""
    wanted = _ABOUT.get(table.name, (Permission.VIEW,))
    for patient in place.patients:
        if rights.granted(patient).isdisjoint(wanted):
            raise NotAllowed(Code.NOT_SEEN.of(table=table.name))


def _require(rights: Rights, table: Table, wanted: tuple[Permission, ...], owner: Owner) -> None:
    if table.seen_by is SeenBy.EVERYONE and table.clinic is None:  # the organisation's, so of every clinic
        granted = rights.anywhere
    elif rights.belongs(owner):
        granted = rights.granted(owner)
    else:
        raise NotAllowed(Code.NOT_IN_CLINIC.of(table=table.name))
    if wanted and granted.isdisjoint(wanted):
        raise NotAllowed(Code.NOT_PERMITTED.of(table=table.name, needs=wanted))
