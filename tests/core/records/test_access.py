"""The rights matrix (S5)."""

from itertools import product

import pytest

from hub.core.errors import BadRecord
from hub.core.records import access, codec
from hub.core.records.access import Permission, Rights
from hub.core.records.tables import PHONE_TABLES, TABLES, PushRule

OURS, THEIRS, UNKNOWN = "ours", "theirs", "unknown"
ACTIONS = ["create", "update", "delete"]
WRITABLE = [name for name, table in TABLES.items() if table.push is not PushRule.REFERENCE]

CREATE = {
    "patients": {Permission.REGISTER},
    "prescriptions": {Permission.PRESCRIBE},
    "prescription_items": {Permission.PRESCRIBE, Permission.DISPENSE},
    "dispensing_records": {Permission.DISPENSE},
}
UPDATE = {
    "patients": {Permission.EDIT},
    "prescriptions": {Permission.PRESCRIBE, Permission.DISPENSE},
    "prescription_items": {Permission.PRESCRIBE, Permission.DISPENSE},
    "dispensing_records": {Permission.DISPENSE},
}
DELETE = {"patients": {Permission.DELETE_PATIENTS}, "visits": {Permission.DELETE_VISITS}}


def rights(*permissions: Permission, unrestricted: bool = False) -> Rights:
    return Rights("me", unrestricted, {OURS: frozenset(permissions)}, frozenset({OURS, THEIRS}))


def record(table: str, **values: object) -> codec.Record:
    return codec.build(PHONE_TABLES[table], {"id": "x", **values})


def is_refused(action: str, table: str, user: Rights, clinic: str | None) -> bool:
    declared = TABLES[table]
    try:
        match action:
            case "create":
                access.check_create(user, declared, clinic)
            case "update":
                access.check_update(user, declared, clinic, record(table), ("notes",))
            case _:
                access.check_delete(user, declared, clinic)
    except BadRecord:
        return True
    return False


@pytest.mark.parametrize(("action", "needs"), [("create", CREATE), ("update", UPDATE), ("delete", DELETE)])
def test_each_permission_allows_just_what_the_app_says(action: str, needs: dict[str, set[Permission]]) -> None:
    for table, permission in product(WRITABLE, Permission):
        needed = needs.get(table, {Permission.DELETE} if action == "delete" else set())
        allowed = not needed or permission in needed
        assert is_refused(action, table, rights(permission), OURS) is not allowed, (table, permission)


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
            access.check_update(rights(permission), TABLES["events"], OURS, old, ("form_data",))
    else:
        access.check_update(rights(permission), TABLES["events"], OURS, old, ("form_data",))


@pytest.mark.parametrize("author", ["me", ""])
def test_own_events_and_those_of_nobody_ask_for_nothing_more(author: str) -> None:
    access.check_update(rights(), TABLES["events"], OURS, record("events", recorded_by_user_id=author), ("form_data",))


def test_an_appointment_may_bump_its_patients_metadata_without_the_right_to_edit_patients() -> None:
    access.check_update(rights(), TABLES["patients"], OURS, record("patients"), ("metadata", "updated_at"))
    with pytest.raises(BadRecord):
        access.check_update(rights(), TABLES["patients"], OURS, record("patients"), ("metadata", "phone"))


def test_patients_of_clinics_without_the_right_to_view_are_hidden() -> None:
    assert rights(Permission.VIEW).hidden() == {THEIRS}
    assert rights(Permission.EDIT).hidden() == {OURS, THEIRS}
    assert rights(unrestricted=True).hidden() == set()


@pytest.mark.parametrize("name", PHONE_TABLES)
def test_only_reference_tables_are_closed_to_phones(name: str) -> None:
    if PHONE_TABLES[name].push is PushRule.REFERENCE:
        with pytest.raises(BadRecord):
            access.check_table(PHONE_TABLES[name])
    else:
        access.check_table(PHONE_TABLES[name])


def test_a_refusal_names_the_permission_and_no_record() -> None:
    with pytest.raises(BadRecord, match="register patients"):
        access.check_create(rights(), TABLES["patients"], OURS)
