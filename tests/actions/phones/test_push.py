"""Taking a push in (P1-P4, P7, P8)."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.actions.phones import push as pushing
from hub.actions.phones.push import Source, TableChanges
from hub.actions.records.changes import Receipt
from hub.core.errors import Unavailable
from hub.core.reasons import Code, Form
from hub.core.records import codec
from hub.core.records.access import Permission, Rights
from hub.core.records.table import PushRule
from hub.core.records.tables import DELETES_WITH, PHONE_TABLES, TABLES
from hub.store import quarantine
from hub.store.cloud import outbox, went_along
from hub.store.database import Store
from hub.store.people import audit
from hub.store.phones import callers
from hub.store.records import record_rows
from tests.hubs import add_clinic, add_user, changes, edit, row
from tests.store.pushes import EVERYTHING, dump, kept, live, push, reasons, tombstones

SAMPLES = Path(__file__).parents[2] / "vectors" / "phone"
WRITABLE = [name for name, table in TABLES.items() if table.push is not PushRule.REFERENCE]
REFERENCE = [name for name, table in PHONE_TABLES.items() if table.push is PushRule.REFERENCE]
CASCADES = [(parent, table.name, column.value) for parent in DELETES_WITH for table, column in DELETES_WITH[parent]]
PATIENT = row("patients", "p1", given_name="Amina", phone="1", hometown="old")

DELETIONS: dict[str, Any] = {
    "id": "p1",
    "object": {"id": "p1"},
    "whole record": {**PATIENT, "is_deleted": True, "_status": "synced"},
}


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))["data"]["changes"]
    return found


def columns(store: Store, table: str, row_id: str) -> list[str] | None:
    with store.read() as db:
        num = record_rows.find(db, TABLES[table], [row_id])[row_id].num
        entry = outbox.entries(db, TABLES[table], [num]).get(num)
    return [] if entry is None else None if entry.columns is None else sorted(entry.columns)


# What phones send


@pytest.mark.parametrize("name", WRITABLE)
@pytest.mark.parametrize("way", ["created", "updated"])
def test_a_new_record_is_taken_in_whether_it_comes_as_created_or_updated(store: Store, name: str, way: str) -> None:
    sent = row(name, "x")
    assert push(store, {name: {way: [sent]}}).created == 1
    assert kept(store, name, "x") == {key: value for key, value in sent.items() if key[0] != "_"}


@pytest.mark.parametrize(
    "names",
    [
        ["sync_push_created"],
        ["sync_push_created", "sync_push_updated"],
        ["force_upload"],
        ["force_upload_with_soft_deleted"],
    ],
)
def test_what_the_app_was_seen_to_push_is_taken_in_whole(store: Store, names: list[str]) -> None:
    for name in names:
        pushed = sample(name)
        assert push(store, pushed).quarantined == 0
        for table in pushed.keys() - set(REFERENCE):
            for sent in (*pushed[table]["created"], *pushed[table]["updated"]):
                stored = kept(store, table, sent["id"])
                assert {key: stored.get(key) for key in sent if key[0] != "_"} == {
                    key: value for key, value in sent.items() if key[0] != "_"
                }


def test_the_apps_soft_deleted_record_of_a_forced_upload_is_a_tombstone(store: Store) -> None:
    push(store, sample("force_upload_with_soft_deleted"))
    assert tombstones(store, "patients") == {"p1"}


def test_json_that_the_app_encoded_twice_is_kept_as_it_came(store: Store) -> None:
    twice = json.dumps(json.dumps({"providerId": "u"}))
    push(store, changes("events", created=[row("events", "e", metadata=twice)]))
    assert kept(store, "events", "e")["metadata"] == twice


@pytest.mark.parametrize("part", [None, {}, {"created": []}])
def test_missing_lists_and_null_tables_are_nothing(store: Store, part: object) -> None:
    assert push(store, {"patients": part, "nowhere": part}) == Receipt()


def test_the_same_id_twice_in_one_push_is_one_record(store: Store) -> None:
    receipt = push(store, changes("patients", created=[PATIENT], updated=[edit(PATIENT, phone="2")]))
    assert (receipt.created, receipt.updated) == (1, 1)
    assert kept(store, "patients", "p1")["phone"] == "2"


def test_a_push_longer_than_one_chunk_is_taken_in_whole(store: Store) -> None:
    rows = [row("visits", f"v{number}") for number in range(2 * record_rows.CHUNK + 7)]
    assert push(store, changes("visits", created=[*rows, rows[0]])).created == len(rows)
    assert len(live(store, "visits")) == len(rows)


def test_p8_unknown_columns_are_kept_and_survive_the_edit_of_a_phone_that_does_not_know_them(store: Store) -> None:
    push(store, changes("patients", created=[{**PATIENT, "from_the_future": {"a": [1]}}]))
    push(store, changes("patients", updated=[edit(PATIENT, phone="2")]), device=2)
    record = kept(store, "patients", "p1")
    assert (record["from_the_future"], record["phone"]) == ({"a": [1]}, "2")


# Once and whole


def test_p2_a_push_sent_again_changes_nothing(store: Store) -> None:
    bad = {"id": 7, "_status": "created"}
    pushes = [
        changes("patients", created=[PATIENT, bad]),
        changes("patients", updated=[edit(PATIENT, phone="2")]),
        changes("visits", created=[row("visits", "v1", patient_id="p1"), row("visits", "v2", patient_id="p1")]),
        changes("visits", deleted=["v1", {"id": "v0"}]),
    ]
    for pushed in pushes:
        push(store, pushed)
        before = dump(store)
        receipt = push(store, pushed)
        assert (receipt.created, receipt.updated, receipt.deleted) == (0, 0, 0)
        assert dump(store) == before


def test_p2_all_pushes_sent_again_later_change_nothing(store: Store) -> None:
    pushes = [
        (1, changes("patients", created=[PATIENT])),
        (2, changes("patients", updated=[edit(PATIENT, phone="2")])),
        (3, changes("patients", updated=[edit(PATIENT, phone="3", updated_at=1)])),
        (4, changes("patients", updated=[edit(PATIENT, phone="2", hometown="new")])),
    ]
    for device, pushed in pushes:
        push(store, pushed, device=device)
    before = dump(store)
    for device, pushed in pushes:
        push(store, pushed, device=device)
    assert dump(store) == before


def test_p2_a_push_that_fails_in_the_middle_leaves_nothing(store: Store) -> None:
    with store.write() as tx:
        tx.db.execute(
            "CREATE TRIGGER disk_fails BEFORE INSERT ON events WHEN NEW.id = 'e2'"
            " BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END"
        )
    before = dump(store)
    pushed = {
        **changes("patients", created=[PATIENT, {"id": None}]),
        **changes("events", created=[row("events", "e1"), row("events", "e2")]),
    }
    with pytest.raises(Unavailable):
        push(store, pushed)
    assert dump(store) == before


# Merging


def test_p3_edits_of_different_columns_from_two_phones_both_survive(store: Store) -> None:
    push(store, changes("patients", created=[PATIENT]), device=1)
    push(store, changes("patients", updated=[edit(PATIENT, phone="2")]), device=2)
    push(store, changes("patients", updated=[edit(PATIENT, hometown="new", updated_at=1)]), device=1)
    record = kept(store, "patients", "p1")
    assert (record["phone"], record["hometown"]) == ("2", "new")


@pytest.mark.parametrize(("later", "expected"), [(1, "2"), (-1, "1")])
def test_p3_without_a_list_of_columns_the_newer_record_wins_as_a_whole(store: Store, later: int, expected: str) -> None:
    push(store, changes("patients", created=[PATIENT]))
    newer = {**PATIENT, "phone": "2", "hometown": "new", "updated_at": int(str(PATIENT["updated_at"])) + later}
    push(store, changes("patients", updated=[newer]), device=2)
    assert kept(store, "patients", "p1")["phone"] == expected


# Deletions


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


# Quarantine


BAD: dict[str, Any] = {
    "no id": {"given_name": "A"},
    "numeric id": {"id": 7},
    "empty id": {"id": ""},
    "NUL in the id": {"id": "a\0"},
    "not an object": ["x"],
    "null": None,
    "a text": "x",
    "wrong type": {"id": "b", "created_at": "some day"},
    "wrong flag": {"id": "b", "is_deleted": "perhaps"},
    "too many columns": {"id": "b", **{f"c{number}": 0 for number in range(200)}},
}


@pytest.mark.parametrize("name", BAD)
def test_p7_a_bad_record_is_quarantined_and_the_others_are_taken_in(store: Store, name: str) -> None:
    receipt = push(store, changes("patients", created=[row("patients", "a"), BAD[name], row("patients", "z")]))
    assert (receipt.created, receipt.quarantined) == (2, 1)
    assert live(store, "patients") == {"a", "z"}
    assert len(reasons(store)) == 1


@pytest.mark.parametrize("name", ["numeric id", "null", "wrong type"])
def test_p7_a_bad_deletion_is_quarantined_and_the_others_are_carried_out(store: Store, name: str) -> None:
    push(store, changes("patients", created=[PATIENT]))
    assert push(store, changes("patients", deleted=[BAD[name], "p1"])).quarantined == 1
    assert tombstones(store, "patients") == {"p1"}


@pytest.mark.parametrize("table", ["rooms", "peers", "event_logs", "sqlite_master", "hub", "users; DROP TABLE hub"])
def test_p7_a_table_that_the_hub_does_not_know_is_quarantined_record_by_record(store: Store, table: str) -> None:
    pushed = {**changes(table, created=[{"id": "a"}], deleted=["b"]), **changes("patients", created=[PATIENT])}
    receipt = push(store, pushed)
    assert (receipt.created, receipt.quarantined) == (1, 2)


def test_a_quarantined_record_is_kept_whole_with_who_sent_it_and_why(store: Store) -> None:
    push(store, changes("patients", created=[{"id": "b", "created_at": "some day", "note": "عيادة"}]), device=3)
    with store.read() as db:
        entry = quarantine.entry(db, 1)
    assert entry is not None
    assert (entry["table_name"], entry["record_id"], entry["action"], entry["device"], entry["user_id"]) == (
        *("patients", "b", "keep"),
        *(3, EVERYTHING.user_id),
    )
    assert json.loads(entry["raw"]) == {"id": "b", "created_at": "some day", "note": "عيادة"}
    assert entry["reason"] == Code.WRONG_TYPE.of(
        table="patients", column="created_at", wanted=Form.TIME, found=Form.TEXT
    )


def test_a_quarantine_that_is_full_for_a_phone_refuses_the_push_and_nothing_of_it_is_stored(store: Store) -> None:
    push(store, changes("patients", created=[{"id": 1}, {"id": 2}]), most=4)
    before = dump(store)
    with pytest.raises(Unavailable):
        push(store, changes("patients", created=[PATIENT, {"id": 3}]), most=4)
    assert dump(store) == before


def test_a_full_quarantine_still_takes_good_pushes_and_old_refusals(store: Store) -> None:
    push(store, changes("patients", created=[{"id": 1}]), most=1)
    assert push(store, changes("patients", created=[{"id": 1}, PATIENT]), most=1).created == 1


def test_a_record_can_be_taken_in_later(store: Store) -> None:
    nobody = Rights("user-1", unrestricted=False, clinics={}, known=frozenset())
    push(store, changes("patients", created=[PATIENT]), rights=nobody)
    with store.write() as tx:
        entry = quarantine.entry(tx.db, 1)
        assert entry is not None
        assert pushing.retry(tx, entry, Source(1, EVERYTHING))
    assert (live(store, "patients"), reasons(store)) == ({"p1"}, [])


def test_a_record_that_still_cannot_be_taken_in_stays_in_quarantine(store: Store) -> None:
    push(store, changes("patients", created=[{"id": 1}]))
    with store.write() as tx:
        entry = quarantine.entry(tx.db, 1)
        assert entry is not None
        assert not pushing.retry(tx, entry, Source(1, EVERYTHING))
    assert len(reasons(store)) == 1


# Rights


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


# Reference data


@pytest.mark.parametrize("table", REFERENCE)
def test_reference_rows_that_a_forced_upload_repeats_are_passed_over(store: Store, table: str) -> None:
    receipt = push(store, changes(table, created=[row(table, "c", status="synced")]))
    assert (receipt.unchanged, receipt.quarantined) == (1, 0)


@pytest.mark.parametrize("table", REFERENCE)
@pytest.mark.parametrize("way", ["created", "updated", "deleted"])
def test_a_phone_cannot_change_reference_data(store: Store, table: str, way: str) -> None:
    before = dump(store)
    assert push(store, {table: {way: [row(table, "c", status="updated")]}}).quarantined == 1
    assert {**dump(store), "quarantine": []} == before


# The outbox


@pytest.mark.parametrize("name", TABLES)
def test_what_the_cloud_takes_waits_for_it_and_nothing_else(store: Store, name: str) -> None:
    push(store, changes(name, created=[row(name, "x", status="synced")]))
    with store.read() as db:
        assert outbox.waiting(db) == (TABLES[name].push is PushRule.RECORD and not TABLES[name].is_next)


def test_a_new_record_waits_as_a_whole(store: Store) -> None:
    push(store, changes("patients", created=[PATIENT]))
    push(store, changes("patients", updated=[edit(PATIENT, phone="2")]), device=2)
    assert columns(store, "patients", "p1") is None


def test_edited_columns_add_up_until_the_cloud_confirms(store: Store) -> None:
    push(store, changes("patients", created=[PATIENT]))
    with store.write() as tx:
        tx.db.execute("DELETE FROM outbox")
    push(store, changes("patients", updated=[edit(PATIENT, phone="2")]), device=2)
    push(store, changes("patients", updated=[edit(PATIENT, hometown="new")]), device=3)
    assert columns(store, "patients", "p1") == ["hometown", "phone"]


def test_a_deletion_waits_as_a_whole_with_its_children(store: Store) -> None:
    push(
        store,
        {**changes("patients", created=[PATIENT]), **changes("visits", created=[row("visits", "v", patient_id="p1")])},
    )
    with store.write() as tx:
        tx.db.execute("DELETE FROM outbox")
    push(store, changes("patients", deleted=["p1"]))
    assert columns(store, "patients", "p1") is None
    assert columns(store, "visits", "v") is None


def test_a_deletion_that_is_no_text_is_quarantined_and_the_next_one_counts(store: Store) -> None:
    push(store, changes("patients", created=[row("patients", "p-1")]))
    deleted = TableChanges(deleted=[msgspec.Raw(b'"\xff"'), msgspec.Raw(b'"p-1"')])
    with store.write() as tx:
        receipt = pushing.take(tx, {"patients": deleted}, Source(1, EVERYTHING))
    assert receipt.quarantined == 1
    assert reasons(store) == [Code.NOT_JSON.of(table="patients")]
    assert tombstones(store, "patients") == {"p-1"}


# What belongs together


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


# Other people's patients, and what all clinics share


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
