"""The rights matrix (S5)."""

from itertools import product

import pytest

from hub.core.errors import BadRecord
from hub.core.records import access, codec
from hub.core.records.access import Owner, Permission, Place, Rights
from hub.core.records.table import PushRule
from hub.core.records.tables import PHONE_TABLES, TABLES

OURS, THEIRS, UNKNOWN = "ours", "theirs", "unknown"
AT_OURS = Place(Owner(OURS))
ACTIONS = ["create", "update", "delete"]
WRITABLE = [name for name, table in TABLES.items() if table.push is not PushRule.REFERENCE]

STOCK = {Permission.ADMIN, Permission.DISPENSE}
CREATE = {
    "patients": {Permission.REGISTER},
    "prescriptions": {Permission.PRESCRIBE},
    "prescription_items": {Permission.PRESCRIBE, Permission.DISPENSE},
    "dispensing_records": {Permission.DISPENSE},
    "clinic_inventory": STOCK,
    "clinic_departments": {Permission.ADMIN},
    "drug_catalogue": {Permission.ADMIN},
    "drug_batches": {Permission.ADMIN, Permission.DISPENSE},
    "resources": {Permission.ADMIN},
}
UPDATE = {
    "patients": {Permission.EDIT},
    "prescriptions": {Permission.PRESCRIBE, Permission.DISPENSE},
    "prescription_items": {Permission.PRESCRIBE, Permission.DISPENSE},
    "dispensing_records": {Permission.DISPENSE},
    "clinic_inventory": {Permission.ADMIN},
    "clinic_departments": {Permission.ADMIN},
    "drug_catalogue": {Permission.ADMIN},
    "drug_batches": {Permission.ADMIN, Permission.DISPENSE},
    "resources": {Permission.ADMIN},
}
DELETE = {
    "patients": {Permission.DELETE_PATIENTS},
    "visits": {Permission.DELETE_VISITS},
    "clinic_inventory": {Permission.ADMIN},
    "clinic_departments": {Permission.ADMIN},
    "drug_catalogue": {Permission.ADMIN},
    "drug_batches": {Permission.ADMIN},
    "resources": {Permission.ADMIN},
}


def rights(*permissions: Permission, unrestricted: bool = False) -> Rights:
    return Rights("me", unrestricted, {OURS: frozenset(permissions)}, frozenset({OURS, THEIRS}))


def record(table: str, **values: object) -> codec.Record:
    return codec.build(PHONE_TABLES[table], {"id": "x", **values})


def is_refused(action: str, table: str, user: Rights, clinic: str | None) -> bool:
    return is_refused_at(action, table, user, Place(Owner(clinic, "me")))


def is_refused_at(action: str, table: str, user: Rights, place: Place) -> bool:
    declared = TABLES[table]
    try:
        match action:
            case "create":
                access.check_create(user, declared, place)
            case "update":
                access.check_update(user, declared, place, record(table), ("notes",))
            case _:
                access.check_delete(user, declared, place)
    except BadRecord:
        return True
    return False


@pytest.mark.parametrize(("action", "needs"), [("create", CREATE), ("update", UPDATE), ("delete", DELETE)])
def test_each_permission_allows_just_what_the_app_says(action: str, needs: dict[str, set[Permission]]) -> None:
    for table, permission in product(WRITABLE, Permission):
        needed = needs.get(table, {Permission.DELETE} if action == "delete" else set())
        allowed = not needed or permission in needed
        who = rights(permission, *([Permission.VIEW] if (action, table) == ("delete", "patients") else []))
        assert is_refused(action, table, who, OURS) is not allowed, (table, permission)


@pytest.mark.parametrize(("action", "table"), [*product(ACTIONS, ["patients", "visits", "events"])])
def test_all_permissions_in_one_clinic_are_none_in_another(action: str, table: str) -> None:
    assert is_refused(action, table, rights(*Permission), THEIRS)


@pytest.mark.parametrize(("action", "clinic"), [*product(ACTIONS, [OURS, THEIRS, UNKNOWN, None])])
def test_a_super_admin_may_do_anything_anywhere(action: str, clinic: str | None) -> None:
    assert not is_refused(action, "patients", rights(unrestricted=True), clinic)


@pytest.mark.parametrize("clinic", [None, UNKNOWN])
def test_a_record_of_no_known_clinic_asks_for_the_permission_of_any(clinic: str | None) -> None:
    assert not is_refused("create", "patients", rights(Permission.REGISTER), clinic)
    assert is_refused("create", "patients", rights(Permission.EDIT), clinic)


@pytest.mark.parametrize("clinic", [OURS, None, UNKNOWN])
def test_who_works_in_no_clinic_may_do_nothing(clinic: str | None) -> None:
    nobody = Rights("me", False, {}, frozenset({OURS}))  # noqa: FBT003
    assert is_refused("create", "visits", nobody, clinic)


@pytest.mark.parametrize(("permission", "refused"), [(Permission.EDIT_OTHERS, False), (Permission.EDIT, True)])
def test_another_providers_event_asks_for_its_own_permission(permission: Permission, refused: bool) -> None:  # noqa: FBT001
    old = record("events", recorded_by_user_id="someone else")
    if refused:
        with pytest.raises(BadRecord):
            access.check_update(rights(permission), TABLES["events"], AT_OURS, old, ("form_data",))
    else:
        access.check_update(rights(permission), TABLES["events"], AT_OURS, old, ("form_data",))


@pytest.mark.parametrize("author", ["me", ""])
def test_own_events_and_those_of_nobody_ask_for_nothing_more(author: str) -> None:
    access.check_update(
        rights(), TABLES["events"], AT_OURS, record("events", recorded_by_user_id=author), ("form_data",)
    )


def test_an_appointment_may_bump_its_patients_metadata_without_the_right_to_edit_patients() -> None:
    access.check_update(
        rights(Permission.VIEW), TABLES["patients"], AT_OURS, record("patients"), ("metadata", "updated_at")
    )
    with pytest.raises(BadRecord):
        access.check_update(rights(), TABLES["patients"], AT_OURS, record("patients"), ("metadata", "phone"))


def sees(user: Rights, clinic: str | None, author: str | None = None, table: str = "patients") -> bool:
    return access.sees(user, TABLES[table], Owner(clinic, author))


def test_patients_of_clinics_without_the_right_to_view_are_hidden() -> None:
    assert [sees(rights(Permission.VIEW), clinic) for clinic in (OURS, THEIRS)] == [True, False]
    assert [sees(rights(Permission.EDIT), clinic, "me") for clinic in (OURS, THEIRS)] == [False, False]
    assert all(sees(rights(unrestricted=True), clinic) for clinic in (OURS, THEIRS, UNKNOWN, None))


@pytest.mark.parametrize("clinic", [None, "", UNKNOWN])
@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.is_authored])
def test_s9_what_has_no_known_clinic_is_its_authors_and_nobody_elses(table: str, clinic: str | None) -> None:
    user = rights(Permission.VIEW)
    assert sees(user, clinic, "me", table)
    assert not sees(user, clinic, "someone", table)
    assert not sees(user, clinic, None, table)


@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.is_authored])
def test_s9_who_had_a_clinic_that_is_no_more_sees_what_it_left_and_nobody_else_does(table: str) -> None:
    user = Rights("me", False, {}, frozenset(), had={UNKNOWN: frozenset({Permission.VIEW})})  # noqa: FBT003
    assert sees(user, UNKNOWN, "someone", table)
    assert not sees(rights(*Permission), UNKNOWN, "someone", table)


def test_s9_a_permission_that_ended_with_its_clinic_counts_no_more_once_the_clinic_is_there_again() -> None:
    user = Rights("me", False, {}, frozenset({OURS}), had={OURS: frozenset(Permission)})  # noqa: FBT003
    assert not sees(user, OURS)


def test_s9_a_clinic_is_the_same_under_the_id_that_it_had_before_it_was_matched() -> None:
    user = Rights("me", False, {OURS: frozenset(Permission)}, frozenset({OURS, THEIRS}), names={"old": OURS})  # noqa: FBT003
    other = Rights("me", False, {THEIRS: frozenset(Permission)}, frozenset({OURS, THEIRS}), names={"old": OURS})  # noqa: FBT003
    assert (sees(user, "old"), sees(other, "old")) == (True, False)
    assert not is_refused("create", "patients", user, "old")
    assert is_refused("create", "patients", other, "old")


def test_s9_an_author_who_was_matched_to_a_user_of_the_cloud_is_still_the_author() -> None:
    user = Rights("me", False, {OURS: frozenset(Permission)}, frozenset({OURS}), names={"before": "me"})  # noqa: FBT003
    assert sees(user, None, "before")


def test_s9_an_author_who_may_see_no_patients_anywhere_does_not_see_them_in_sync_either() -> None:
    assert not sees(rights(Permission.EDIT), None, "me")


@pytest.mark.parametrize("action", ["create", "update", "delete"])
@pytest.mark.parametrize("table", [name for name, table in TABLES.items() if table.patient])
def test_s5_what_is_about_a_patient_who_is_not_seen_is_refused_whichever_clinic_it_names(
    action: str, table: str
) -> None:
    hidden = Place(Owner(OURS, "me"), (Owner(THEIRS, "someone"),))
    seen = Place(Owner(OURS, "me"), (Owner(OURS, "someone"),))
    assert [is_refused_at(action, table, rights(*Permission), place) for place in (hidden, seen)] == [True, False]


def test_a_dispenser_keeps_stock_and_does_not_change_what_a_drug_is() -> None:
    drugs = TABLES["drug_catalogue"]
    access.check_update(rights(Permission.DISPENSE), drugs, Place(), record("drug_catalogue"), ("min_stock_level",))
    for column in ("dosage_quantity", "is_controlled", "generic_name"):
        with pytest.raises(BadRecord):
            access.check_update(rights(Permission.DISPENSE), drugs, Place(), record("drug_catalogue"), (column,))
        access.check_update(rights(Permission.ADMIN), drugs, Place(), record("drug_catalogue"), (column,))


@pytest.mark.parametrize("name", PHONE_TABLES)
def test_only_reference_tables_are_closed_to_phones(name: str) -> None:
    if PHONE_TABLES[name].push is PushRule.REFERENCE:
        with pytest.raises(BadRecord):
            access.check_table(PHONE_TABLES[name])
    else:
        access.check_table(PHONE_TABLES[name])


def test_a_refusal_names_the_permission_and_no_record() -> None:
    with pytest.raises(BadRecord, match="register patients"):
        access.check_create(rights(), TABLES["patients"], AT_OURS)
