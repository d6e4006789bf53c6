"""What becomes of a pushed record (P2-P4, S5)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.errors import NotAllowed
from hub.core.records import codec, push_decision
from hub.core.records.access import Permission, Rights
from hub.core.records.codec import RECORD_BYTES, Pushed, Record
from hub.core.records.merge import HUB, History, Knowledge, Stamp, Version
from hub.core.records.push_decision import (
    Add,
    Delete,
    Force,
    Merge,
    Nothing,
    Parent,
    Parents,
    Pusher,
    Refuse,
    Tombstone,
)
from hub.core.records.table import PushRule, Table
from hub.core.records.tables import TABLES

PATIENTS, VISITS, EVENTS = TABLES["patients"], TABLES["visits"], TABLES["events"]
APPOINTMENTS = TABLES["appointments"]
RECORDS = [table for table in TABLES.values() if table.push is not PushRule.REFERENCE]
PHONE, OTHER = 1, 2
OURS, THEIRS = "ours", "theirs"
NOW = 1000
NOBODY = Parents({})


def pusher(*clinics: str, permissions: tuple[Permission, ...] = tuple(Permission), device: int = PHONE) -> Pusher:
    granted = {clinic: frozenset(permissions) for clinic in clinics}
    return Pusher(device, Rights("me", unrestricted=False, clinics=granted, known=frozenset({OURS, THEIRS})), NOW)


EVERYONE = Pusher(PHONE, Rights("me", unrestricted=True, clinics={}, known=frozenset()), NOW)


def record(table: Table, **values: Any) -> Record:  # noqa: ANN401  any column's value
    return codec.build(table, {"id": "x", "updated_at": 100, **values})


def pushed(table: Table, *changed: str, **values: Any) -> Pushed:  # noqa: ANN401  any column's value
    return Pushed(record(table, **values), changed, synced=False)


def version(table: Table, **values: Any) -> Version:  # noqa: ANN401  any column's value
    return Version(record(table, **values), History(Stamp(100, 10, OTHER)))


def again(
    table: Table,
    stored: Version | Tombstone,
    push: Pushed,
    who: Pusher = EVERYONE,
    parents: Parents = NOBODY,
    known: int = 0,
) -> object:
    return push_decision.decide_again(table, stored, push, who, parents, known=Knowledge(known, known))


# New ones


def test_p2_a_record_that_is_not_there_is_added() -> None:
    added = push_decision.decide_new(PATIENTS, pushed(PATIENTS, given_name="A"), EVERYONE, NOBODY)
    assert isinstance(added, Add)
    assert (added.is_deleted, added.history) == (False, None)


def test_p3_what_was_edited_before_the_first_push_is_remembered_as_an_edit() -> None:
    added = push_decision.decide_new(PATIENTS, pushed(PATIENTS, "phone", phone="1"), EVERYONE, NOBODY)
    assert isinstance(added, Add)
    assert added.history
    assert added.history.base == Stamp(100, NOW, PHONE)
    assert set(added.history.pushed) == {str(PHONE)}


@pytest.mark.parametrize(
    ("table", "named", "parents"),
    [
        (EVENTS, {"patient_id": "p"}, Parents({"patients": {"p": Parent(is_deleted=True)}})),
        (EVENTS, {"visit_id": "v"}, Parents({"visits": {"v": Parent(is_deleted=True)}})),
        (APPOINTMENTS, {"current_visit_id": "v"}, Parents({"visits": {"v": Parent(is_deleted=True)}})),
        (VISITS, {"patient_id": "p"}, Parents({"patients": {"p": Parent(is_deleted=True)}})),
    ],
)
def test_p4_a_record_of_a_deleted_parent_is_a_tombstone_from_the_start(
    table: Table, named: dict[str, str], parents: Parents
) -> None:
    added = push_decision.decide_new(table, pushed(table, **named), EVERYONE, parents)
    assert isinstance(added, Add)
    assert added.is_deleted
    assert again(table, version(table), pushed(table, **named), parents=parents) == Delete()


@pytest.mark.parametrize("table", RECORDS, ids=lambda table: table.name)
def test_s5_what_a_user_may_not_add_is_refused(table: Table) -> None:
    values = {table.clinic or "patient_id": THEIRS if table.clinic else "p"}
    parents = Parents({"patients": {"p": Parent(THEIRS)}})
    refused = push_decision.decide_new(table, pushed(table, **values), pusher(OURS), parents)
    assert isinstance(refused, Refuse) == (bool(table.clinic) or bool(table.patient))


# Ones that are there


def test_p3_an_edit_changes_the_columns_that_it_names() -> None:
    stored = version(PATIENTS, phone="1", hometown="here")
    merged = again(PATIENTS, stored, pushed(PATIENTS, "phone", phone="2", updated_at=200))
    assert isinstance(merged, Merge)
    assert (merged.changed, merged.record.get("phone"), merged.record.get("hometown")) == (("phone",), "2", "here")


@pytest.mark.parametrize(("hometown", "device"), [("here", PHONE), ("elsewhere", HUB)])
def test_p6_a_phone_has_the_outcome_only_if_it_is_just_what_it_pushed(hometown: str, device: int) -> None:
    push = pushed(PATIENTS, "phone", phone="2", hometown=hometown, updated_at=200)
    merged = again(PATIENTS, version(PATIENTS, phone="1", hometown="here"), push)
    assert isinstance(merged, Merge)
    assert merged.device == device


def test_p3_a_phone_whose_edit_loses_is_sent_the_hubs_version() -> None:
    stored = version(PATIENTS, phone="2", updated_at=200)
    assert isinstance(again(PATIENTS, stored, pushed(PATIENTS, "phone", phone="1", updated_at=50)), Force)


def test_p2_the_same_push_again_changes_nothing() -> None:
    push = pushed(PATIENTS, phone="1")
    stored = version(PATIENTS, phone="1")
    assert isinstance(again(PATIENTS, stored, push), Nothing)


def test_p4_a_push_of_a_deleted_record_brings_the_deletion_back_to_the_phone() -> None:
    assert again(PATIENTS, Tombstone(), pushed(PATIENTS, "phone", phone="2")) == Force()


def test_p4_a_record_that_says_it_is_deleted_deletes_what_is_there() -> None:
    push = pushed(PATIENTS, "is_deleted", is_deleted=True, updated_at=200)
    assert again(PATIENTS, version(PATIENTS), push) == Delete()


def test_p7_what_grows_beyond_its_bound_is_refused_and_not_stored() -> None:
    half = "x" * (RECORD_BYTES // 2)
    stored = version(PATIENTS, hometown=half)
    refused = again(PATIENTS, stored, pushed(PATIENTS, "phone", phone=half, updated_at=200))
    assert isinstance(refused, Refuse)


# Permissions


@pytest.mark.parametrize(("before", "after"), [(OURS, THEIRS), (THEIRS, OURS), (THEIRS, THEIRS)])
def test_s5_a_record_cannot_be_taken_out_of_another_clinic_nor_put_into_it(before: str, after: str) -> None:
    stored = version(PATIENTS, primary_clinic_id=before)
    push = pushed(PATIENTS, "primary_clinic_id", "phone", primary_clinic_id=after, phone="2", updated_at=200)
    refused = again(PATIENTS, stored, push, pusher(OURS))
    assert isinstance(refused, Refuse)
    assert isinstance(refused.error, NotAllowed)
    assert isinstance(again(PATIENTS, stored, push, pusher(OURS, THEIRS)), Merge)


def test_s5_a_record_that_names_no_clinic_is_of_its_patients() -> None:
    parents = Parents({"patients": {"p": Parent(THEIRS)}})
    stored = version(EVENTS, patient_id="p")
    push = pushed(EVENTS, "metadata", patient_id="p", metadata="{}", updated_at=200)
    assert isinstance(again(EVENTS, stored, push, pusher(OURS), parents), Refuse)
    assert isinstance(again(EVENTS, stored, push, pusher(THEIRS), parents), Merge)


def test_s5_a_deletion_by_edit_needs_the_permission_to_delete() -> None:
    push = pushed(PATIENTS, "is_deleted", is_deleted=True, updated_at=200, primary_clinic_id=OURS)
    who = pusher(OURS, permissions=(Permission.EDIT,))
    assert isinstance(again(PATIENTS, version(PATIENTS, primary_clinic_id=OURS), push, who), Refuse)


def test_an_edit_that_changes_nothing_needs_no_permission() -> None:
    stored = version(PATIENTS, primary_clinic_id=THEIRS)
    push = pushed(PATIENTS, "phone", primary_clinic_id=THEIRS, updated_at=200)
    assert not isinstance(again(PATIENTS, stored, push, pusher(OURS)), Refuse)


# Deletions


def deletion(stored: Version | Tombstone | None, who: Pusher = EVERYONE) -> object:
    return push_decision.decide_deletion(PATIENTS, stored, record(PATIENTS), who, NOBODY)


def test_p4_a_deletion_of_what_is_not_there_leaves_a_tombstone() -> None:
    added = deletion(None)
    assert isinstance(added, Add)
    assert added.is_deleted


def test_p4_a_deletion_of_what_is_there_deletes_it_and_a_second_one_nothing() -> None:
    assert deletion(version(PATIENTS)) == Delete()
    assert deletion(Tombstone()) == Nothing()


def test_s5_a_deletion_is_judged_by_the_clinic_of_what_is_there_and_not_of_what_is_pushed() -> None:
    assert isinstance(deletion(version(PATIENTS, primary_clinic_id=THEIRS), pusher(OURS)), Refuse)


# Laws

VALUES = st.fixed_dictionaries(
    {},
    optional={
        "phone": st.sampled_from(["1", "2"]),
        "primary_clinic_id": st.sampled_from([OURS, THEIRS, None]),
        "is_deleted": st.booleans(),
        "updated_at": st.sampled_from([50, 100, 200]),
    },
)


@given(VALUES, VALUES, st.sampled_from([0, 10, 20]), st.sampled_from([PHONE, OTHER, HUB]))
def test_p2_what_was_merged_is_not_merged_again(
    before: dict[str, Any], after: dict[str, Any], known: int, device: int
) -> None:
    who = Pusher(device, EVERYONE.rights, NOW)
    push = pushed(PATIENTS, *(name for name in after if name != "updated_at"), **after)
    merged = again(PATIENTS, version(PATIENTS, **before), push, who, known=known)
    if isinstance(merged, Merge):
        second = again(PATIENTS, Version(merged.record, merged.history), push, who, known=known)
        assert isinstance(second, Nothing | Force)


@given(VALUES, VALUES, st.sampled_from([(), (OURS,), (THEIRS,)]))
def test_s5_nothing_changes_in_a_clinic_in_which_the_user_does_not_work(
    before: dict[str, Any], after: dict[str, Any], clinics: tuple[str, ...]
) -> None:
    push = pushed(PATIENTS, *(name for name in after if name != "updated_at"), **after)
    decision = again(PATIENTS, version(PATIENTS, **before), push, pusher(*clinics))
    touched = {before.get("primary_clinic_id")}
    if isinstance(decision, Merge):
        touched.add(decision.record.get("primary_clinic_id"))
    if isinstance(decision, Merge | Delete):
        assert {clinic for clinic in touched if clinic} <= set(clinics)
