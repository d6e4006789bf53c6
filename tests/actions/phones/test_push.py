"""Taking in what a phone pushes: once, whole, merged, and on its way to the cloud (P1-P3, P8)."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub.actions.phones import push as pushing
from hub.actions.phones.push import Source, TableChanges
from hub.actions.records.changes import Receipt
from hub.core.errors import Unavailable
from hub.core.reasons import Code
from hub.core.records.table import PushRule
from hub.core.records.tables import PHONE_TABLES, TABLES
from hub.store.cloud import outbox
from hub.store.database import Store
from hub.store.records import record_rows
from tests.hubs import changes, edit, row
from tests.store.pushes import EVERYTHING, dump, kept, live, push, reasons, tombstones

SAMPLES = Path(__file__).parents[2] / "vectors" / "phone"
WRITABLE = [name for name, table in TABLES.items() if table.push is not PushRule.REFERENCE]
REFERENCE = [name for name, table in PHONE_TABLES.items() if table.push is PushRule.REFERENCE]
PATIENT = row("patients", "p1", given_name="Amina", phone="1", hometown="old")


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))["data"]["changes"]
    return found


def columns(store: Store, table: str, row_id: str) -> list[str] | None:
    with store.read() as db:
        num = record_rows.find(db, TABLES[table], [row_id])[row_id].num
        entry = outbox.entries(db, TABLES[table], [num]).get(num)
    return [] if entry is None else None if entry.columns is None else sorted(entry.columns)


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


def test_what_is_different_after_a_push_was_entered_and_nothing_else(store: Store) -> None:
    push(store, changes("patients", created=[PATIENT, row("patients", "p2")]))
    changed = changes("patients", created=[row("patients", "p3")], updated=[edit(PATIENT, phone="2")], deleted=["p2"])
    changed["patients"]["created"].append(row("patients", "p2"))
    assert push(store, changed).entered == 3
    assert push(store, changed).entered == 0
