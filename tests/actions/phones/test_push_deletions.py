"""What a phone deletes stays deleted, and takes along what belongs to it (P4)."""

from typing import Any

import pytest

from hub.core.records import codec
from hub.core.records.tables import DELETES_WITH, TABLES
from hub.store.database import Store
from hub.store.records import record_rows
from tests.hubs import changes, edit, row
from tests.store.pushes import live, push, tombstones

CASCADES = [(parent, table.name, column.value) for parent in DELETES_WITH for table, column in DELETES_WITH[parent]]
PATIENT = row("patients", "p1", given_name="Amina", phone="1", hometown="old")
DELETIONS: dict[str, Any] = {
    "id": "p1",
    "object": {"id": "p1"},
    "whole record": {**PATIENT, "is_deleted": True, "_status": "synced"},
}


@pytest.mark.parametrize("form", DELETIONS)
def test_p4_a_deletion_is_understood_in_every_form(store: Store, form: str) -> None:
    push(store, changes("patients", created=[PATIENT]))
    assert push(store, changes("patients", deleted=[DELETIONS[form]])).deleted == 1
    assert tombstones(store, "patients") == {"p1"}


@pytest.mark.parametrize("form", DELETIONS)
def test_p4_a_deletion_of_what_the_hub_never_had_leaves_a_tombstone(store: Store, form: str) -> None:
    push(store, changes("patients", deleted=[DELETIONS[form]]))
    push(store, changes("patients", created=[PATIENT]), device=2)
    assert (live(store, "patients"), tombstones(store, "patients")) == (set(), {"p1"})


def test_p4_an_edit_of_is_deleted_deletes(store: Store) -> None:
    push(store, changes("patients", created=[PATIENT]))
    push(store, changes("patients", updated=[edit(PATIENT, is_deleted=True, deleted_at=5)]))
    assert tombstones(store, "patients") == {"p1"}


@pytest.mark.parametrize("device", [1, 2])
@pytest.mark.parametrize(
    "later",
    [
        {"created": [PATIENT]},
        {"updated": [edit(PATIENT, phone="2", updated_at=2**53)]},
        {"updated": [{**PATIENT, "updated_at": 2**53}]},
        {"updated": [edit(PATIENT, is_deleted=False, updated_at=2**53)]},
    ],
)
def test_p4_no_later_push_revives_a_tombstone(store: Store, device: int, later: dict[str, Any]) -> None:
    push(store, changes("patients", created=[PATIENT]))
    push(store, changes("patients", deleted=["p1"]))
    push(store, {"patients": later}, device=device)
    assert (live(store, "patients"), tombstones(store, "patients")) == (set(), {"p1"})


def test_p4_what_the_cloud_sends_does_not_revive_a_tombstone(store: Store) -> None:
    push(store, changes("patients", created=[PATIENT]))
    push(store, changes("patients", deleted=["p1"]))
    with store.write() as tx:
        record = codec.build(TABLES["patients"], {"id": "p1", "given_name": "From the cloud"})
        record_rows.put(tx, TABLES["patients"], record)
    assert live(store, "patients") == set()


@pytest.mark.parametrize(("parent", "child", "column"), CASCADES)
def test_p4_children_go_with_a_deleted_parent(store: Store, parent: str, child: str, column: str) -> None:
    push(store, changes(parent, created=[row(parent, "gone"), row(parent, "stays")]))
    push(store, changes(child, created=[row(child, "a", **{column: "gone"}), row(child, "b", **{column: "stays"})]))
    push(store, changes(parent, deleted=["gone"]))
    assert (tombstones(store, child), live(store, child) - {"gone", "stays"}) == ({"a"}, {"b"})


@pytest.mark.parametrize(("parent", "child", "column"), CASCADES)
def test_p4_children_of_a_deleted_parent_that_come_later_are_tombstones(
    store: Store, parent: str, child: str, column: str
) -> None:
    push(store, changes(parent, created=[row(parent, "gone")]))
    push(store, changes(parent, deleted=["gone"]))
    push(store, changes(child, created=[row(child, "a", **{column: "gone"})]), device=2)
    assert tombstones(store, child) >= {"a"}


@pytest.mark.parametrize(("parent", "child", "column"), CASCADES)
def test_p4_children_of_a_parent_deleted_in_the_same_push_are_tombstones(
    store: Store, parent: str, child: str, column: str
) -> None:
    push(store, changes(parent, created=[row(parent, "gone")]))
    pushed = {**changes(child, created=[row(child, "a", **{column: "gone"})]), **changes(parent, deleted=["gone"])}
    push(store, pushed)
    assert tombstones(store, child) >= {"a"}


@pytest.mark.parametrize("form", ["deleted", "created"])
def test_p4_children_that_came_before_their_parents_tombstone_go_with_it(store: Store, form: str) -> None:
    push(store, changes("events", created=[row("events", "e", visit_id="v"), row("events", "f", patient_id="p")]))
    gone = {"patients": row("patients", "p", is_deleted=True), "visits": row("visits", "v", is_deleted=True)}
    for table, record in gone.items():
        push(store, {table: {form: [record]}}, device=2)
    assert tombstones(store, "events") == {"e", "f"}


def test_p4_a_record_that_is_moved_to_a_deleted_parent_goes_with_it(store: Store) -> None:
    event = row("events", "e", visit_id="v")
    push(store, changes("events", created=[event]))
    push(store, changes("visits", deleted=["gone"]))
    push(store, changes("events", updated=[edit(event, visit_id="gone")]))
    assert tombstones(store, "events") == {"e"}


def test_dispensing_records_outlive_their_patient(store: Store) -> None:
    push(store, changes("patients", created=[PATIENT]))
    push(store, changes("dispensing_records", created=[row("dispensing_records", "d", patient_id="p1")]))
    push(store, changes("patients", deleted=["p1"]))
    assert live(store, "dispensing_records") == {"d"}
