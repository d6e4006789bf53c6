"""What the one who pushes may not do, and what belongs to what was not accepted (S5, S9)."""

from typing import Any

import pytest

from hub.core.reasons import Code
from hub.core.records.access import Permission, Rights
from hub.core.records.tables import TABLES
from hub.store.cloud import went_along
from hub.store.database import Store
from hub.store.people import audit
from hub.store.phones import callers
from tests.hubs import add_clinic, add_user, changes, edit, row
from tests.store.pushes import EVERYTHING, dump, kept, live, push, reasons, tombstones

PATIENT = row("patients", "p1", given_name="Amina", phone="1", hometown="old")


def rights(*permissions: Permission) -> Rights:
    return Rights(
        "user-1", unrestricted=False, clinics={"ours": frozenset(permissions)}, known=frozenset({"ours", "x"})
    )


@pytest.mark.parametrize("clinic", ["ours", "x"])
@pytest.mark.parametrize("form", ["deleted", "updated"])
def test_s5_what_went_along_with_its_patient_is_deleted_by_name_or_edited_by_whom_may(
    store: Store, form: str, clinic: str
) -> None:
    event = row("events", "e", patient_id="p", event_type="old")
    push(store, changes("patients", created=[row("patients", "p", primary_clinic_id=clinic)]))
    push(store, changes("events", created=[event]))
    push(store, changes("patients", deleted=["p"]))
    pushed = {"deleted": ["e"], "updated": [edit(event, event_type="new")]}[form]
    push(store, {"events": {form: pushed}}, rights=rights(*Permission))
    with store.read() as db:
        may_come_back = went_along.find(db, TABLES["events"], [1]) == {1: False}
    if clinic == "x":
        assert [reason.code for reason in reasons(store)] == [Code.NOT_SEEN]
        assert (may_come_back, kept(store, "events", "e")["event_type"]) == (True, "old")
    else:
        assert reasons(store) == []
        wanted = {"deleted": (False, "old"), "updated": (True, "new")}[form]
        assert (may_come_back, kept(store, "events", "e")["event_type"]) == wanted
    assert tombstones(store, "events") == {"e"}


@pytest.mark.parametrize(
    ("pushed", "permissions"),
    [
        (changes("patients", created=[row("patients", "n", primary_clinic_id="ours")]), [Permission.EDIT]),
        (changes("patients", created=[row("patients", "n", primary_clinic_id="x")]), list(Permission)),
        (changes("patients", updated=[edit(PATIENT, phone="2")]), [Permission.REGISTER]),
        (changes("patients", deleted=["p1"]), [Permission.EDIT]),
        (changes("patients", updated=[edit(PATIENT, is_deleted=True)]), [Permission.EDIT]),
        (changes("visits", created=[row("visits", "v", clinic_id="x")]), list(Permission)),
        (changes("patients", updated=[edit(PATIENT, primary_clinic_id="x")]), list(Permission)),
    ],
)
def test_s5_what_the_user_may_not_do_is_quarantined(
    store: Store, pushed: dict[str, Any], permissions: list[Permission]
) -> None:
    push(store, changes("patients", created=[PATIENT]))
    before = {table: rows for table, rows in dump(store).items() if table != "quarantine"}
    assert push(store, pushed, rights=rights(*permissions)).quarantined == 1
    assert {table: rows for table, rows in dump(store).items() if table != "quarantine"} == before


def test_s5_a_record_without_a_clinic_of_its_own_belongs_to_its_patients_clinic(store: Store) -> None:
    push(store, changes("patients", created=[row("patients", "p", primary_clinic_id="x")]))
    receipt = push(store, changes("events", created=[row("events", "e", patient_id="p")]), rights=rights(*Permission))
    assert receipt.quarantined == 1


FAMILY: dict[str, dict[str, Any]] = {
    "patient_additional_attributes": {"patient_id": "p"},
    "visits": {"patient_id": "p"},
    "events": {"patient_id": "p", "visit_id": "visits-x"},
    "patient_vitals": {"patient_id": "p"},
    "patient_problems": {"patient_id": "p"},
    "appointments": {"patient_id": "p"},
    "prescriptions": {"patient_id": "p"},
    "prescription_items": {"patient_id": "p", "prescription_id": "prescriptions-x"},
    "dispensing_records": {"patient_id": "p", "prescription_item_id": "prescription_items-x"},
    "patient_allergies": {"patient_id": "p"},
    "patient_observations": {"patient_id": "p"},
    "patient_tobacco_history": {"patient_id": "p"},
}
"""A record of each table that belongs to patient p, or through another one to p."""


def family(patient: dict[str, Any], *names: str) -> dict[str, Any]:
    rows = {name: [row(name, f"{name}-x", **FAMILY[name])] for name in names or FAMILY}
    return {"patients": {"created": [patient]}, **{name: {"created": made} for name, made in rows.items()}}


UNREADABLE = {**row("patients", "p"), "created_at": "some day"}


def test_every_table_of_a_patients_records_is_in_the_family() -> None:
    assert set(FAMILY) == {name for name, table in TABLES.items() if table.patient}


@pytest.mark.parametrize("together", [True, False])
def test_s9_what_belongs_to_a_patient_who_was_not_accepted_is_held_with_them(store: Store, together: bool) -> None:  # noqa: FBT001
    pushed = family(UNREADABLE)
    if together:
        push(store, pushed)
    else:
        push(store, {"patients": pushed.pop("patients")})
        push(store, pushed)
    assert {name for name in TABLES if live(store, name)} == set()
    assert [reason.code for reason in reasons(store)] == [Code.WRONG_TYPE, *[Code.PARENT_HELD] * len(FAMILY)]


def test_s9_what_was_held_with_a_patient_comes_with_them(store: Store) -> None:
    user = add_user(store, add_clinic(store, "A"))
    with store.read() as db:
        rights = callers.rights(db, user.id, user.role)
    push(store, family(UNREADABLE), rights=rights)
    push(store, changes("patients", updated=[row("patients", "p")]), rights=rights)
    assert {name for name in TABLES if live(store, name)} >= {"patients", *FAMILY}
    assert [reason.code for reason in reasons(store)] == [Code.WRONG_TYPE]


def test_a_visit_that_was_not_accepted_takes_its_events_along_and_nothing_else(store: Store) -> None:
    pushed = family(row("patients", "p"), "events", "patient_problems")
    pushed["visits"] = {"created": [{**row("visits", "visits-x", patient_id="p"), "created_at": "some day"}]}
    push(store, pushed)
    assert (live(store, "patients"), live(store, "patient_problems")) == ({"p"}, {"patient_problems-x"})
    assert live(store, "events") == set()


def test_p2_a_family_that_was_held_and_comes_again_is_held_once(store: Store) -> None:
    push(store, family(UNREADABLE))
    before = dump(store)
    push(store, family(UNREADABLE))
    assert dump(store) == before


def colleague(store: Store, *permissions: Permission, clinic: str = "") -> Rights:
    """Return the rights of somebody in a clinic of their own, or in ``clinic``."""
    user = add_user(store, clinic or add_clinic(store, "B"), email="b@test", without=set(Permission) - set(permissions))
    with store.read() as db:
        return callers.rights(db, user.id, user.role)


@pytest.mark.parametrize("name", FAMILY)
def test_s5_nothing_about_another_clinics_patient_is_taken_whichever_clinic_it_names(store: Store, name: str) -> None:
    theirs, own = add_clinic(store, "A"), add_clinic(store, "B")
    push(store, family(row("patients", "p", primary_clinic_id=theirs)))
    column = TABLES[name].clinic
    made = row(name, "new", **{**FAMILY[name], **({column: own} if column else {})})
    rights = colleague(store, *Permission, clinic=own)
    assert push(store, changes(name, created=[made]), rights=rights).quarantined == 1
    assert "new" not in live(store, name)
    assert [reason.code for reason in reasons(store)] == [Code.NOT_SEEN]
    assert (
        push(
            store,
            changes(name, updated=[edit(row(name, f"{name}-x", **FAMILY[name]), metadata='{"a":1}')]),
            rights=rights,
        ).updated
        == 0
    )
    assert push(store, changes(name, deleted=[f"{name}-x"]), rights=rights).deleted == 0


def test_s5_a_record_of_ones_own_patient_cannot_name_a_visit_of_a_patient_who_is_not_seen(store: Store) -> None:
    theirs, own = add_clinic(store, "A"), add_clinic(store, "B")
    push(store, family(row("patients", "p", primary_clinic_id=theirs)))
    push(store, changes("patients", created=[row("patients", "mine", primary_clinic_id=own)]))
    made = row("events", "new", patient_id="mine", visit_id="visits-x")
    assert push(store, changes("events", created=[made]), rights=colleague(store, *Permission, clinic=own)).quarantined


DRUG = row("drug_catalogue", "d", generic_name="Morphine", dosage_quantity="5", is_controlled=True)


@pytest.mark.parametrize(
    ("permission", "values", "taken"),
    [
        (Permission.EDIT, {"dosage_quantity": "500"}, False),
        (Permission.DISPENSE, {"dosage_quantity": "500"}, False),
        (Permission.DISPENSE, {"is_controlled": False, "min_stock_level": 3}, False),
        (Permission.DISPENSE, {"min_stock_level": 3}, True),
        (Permission.ADMIN, {"dosage_quantity": "500"}, True),
    ],
)
def test_s5_what_a_drug_is_is_changed_by_who_may_and_it_is_in_the_log(
    store: Store,
    permission: Permission,
    values: dict[str, Any],
    taken: bool,  # noqa: FBT001
) -> None:
    push(store, changes("drug_catalogue", created=[DRUG]))
    rights = colleague(store, permission)
    assert push(store, changes("drug_catalogue", updated=[edit(DRUG, **values)]), rights=rights).updated == taken
    stored = kept(store, "drug_catalogue", "d")
    assert {name: stored[name] for name in values} == (values if taken else {name: DRUG[name] for name in values})
    assert [reason.code for reason in reasons(store)] == ([] if taken else [Code.NOT_PERMITTED])
    with store.read() as db:
        noted = [entry for entry in audit.entries(db) if entry["event"] == "reference.changed"]
    assert [entry["user_id"] for entry in noted] == ([rights.user_id] if taken else []) + [EVERYTHING.user_id]
    assert {entry["device"] for entry in noted} == {1}
