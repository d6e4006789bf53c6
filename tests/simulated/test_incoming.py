"""What the phone does with the changes of a pull."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.simulated.fake_hub import Clock, seeded
from tests.simulator import incoming, outgoing
from tests.simulator.local_store import LocalStore, LocalStoreError
from tests.simulator.rows import Row

VALID = Path(__file__).parents[1] / "vectors" / "phone" / "sync_pull_response_valid.json"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> LocalStore:
    return LocalStore(seeded(1), clock)


def patient(row_id: object = "p1", **values: object) -> dict[str, Any]:
    return {"id": row_id, "given_name": "Hub", "phone": "1", "hometown": "H", "metadata": "{}", **values}


def pull(store: LocalStore, **arrays: list[Any]) -> None:
    incoming.apply(store, {"patients": arrays})


def own(store: LocalStore, clock: Clock, *, synced: bool = False) -> Row:
    row = store.create("patients", {"id": "p1", "given_name": "Own", "phone": "own", "surname": "S"})
    if synced:
        row["_status"] = "synced"
    clock.tick()
    return row


def test_the_captured_valid_answer_is_stored_without_any_difference(store: LocalStore) -> None:
    changes = json.loads(VALID.read_text())["changes"]
    incoming.apply(store, changes)
    for table, arrays in changes.items():
        stored = [
            {name: value for name, value in row.items() if name not in {"_status", "_changed"}}
            for row in store.rows(table)
        ]
        assert stored == arrays["created"], table
        for row, sent in zip(stored, arrays["created"], strict=True):
            assert [type(row[name]) for name in sent] == [type(value) for value in sent.values()], table
    assert incoming.count(changes) == len(changes) == 19
    assert outgoing.local_changes(store) == {}


def test_created_for_an_unknown_id_is_stored_as_synced(store: LocalStore) -> None:
    pull(store, created=[patient(_status="created", _changed="phone")])
    row = store.find("patients", "p1")
    assert row is not None
    assert (row["_status"], row["_changed"]) == ("synced", "")


def test_created_for_an_unedited_row_replaces_it_whole(store: LocalStore, clock: Clock) -> None:
    own(store, clock, synced=True)
    pull(store, created=[patient()])
    row = store.table("patients")["p1"]
    assert (row["given_name"], row["surname"], row["_status"]) == ("Hub", "", "synced")


@pytest.mark.parametrize("array", ["created", "updated"])
def test_columns_edited_here_win_over_the_hubs_whatever_the_times(store: LocalStore, clock: Clock, array: str) -> None:
    row = own(store, clock, synced=True)
    edited_ms = clock()
    store.edit("patients", "p1", {"phone": "mine"})
    pull(store, **{array: [patient(updated_at=edited_ms + 10**9)]})
    row = store.table("patients")["p1"]
    assert (row["phone"], row["updated_at"]) == ("mine", edited_ms)
    assert (row["given_name"], row["hometown"], row["surname"]) == ("Hub", "H", "")
    assert (row["_status"], row["_changed"]) == ("updated", "updated_at,phone")


def test_a_new_unedited_row_that_the_hub_sends_is_replaced_and_not_pushed_any_more(
    store: LocalStore, clock: Clock
) -> None:
    own(store, clock)
    pull(store, created=[patient()])
    assert store.table("patients")["p1"]["given_name"] == "Hub"
    assert outgoing.local_changes(store) == {}


def test_a_new_edited_row_that_the_hub_sends_is_pushed_again(store: LocalStore, clock: Clock) -> None:
    own(store, clock)
    store.edit("patients", "p1", {"phone": "mine"})
    pull(store, created=[patient()])
    (row,) = outgoing.local_changes(store)["patients"]["created"]
    assert (row["phone"], row["_changed"]) == ("mine", "updated_at,phone")


def test_a_partial_record_blanks_the_columns_that_it_leaves_out(store: LocalStore, clock: Clock) -> None:
    own(store, clock, synced=True)
    pull(store, updated=[{"id": "p1", "phone": "2"}])
    row = store.table("patients")["p1"]
    assert (row["phone"], row["given_name"], row["created_at"]) == ("2", "", 0)


def test_updated_for_an_unknown_id_is_skipped_silently(store: LocalStore) -> None:
    pull(store, updated=[patient()])
    assert store.find("patients", "p1") is None


def test_updated_for_a_row_deleted_here_is_skipped(store: LocalStore, clock: Clock) -> None:
    own(store, clock)
    store.delete("patients", "p1")
    pull(store, updated=[patient()])
    assert store.table("patients")["p1"]["_status"] == "deleted"


def test_created_for_a_row_deleted_here_fails(store: LocalStore, clock: Clock) -> None:
    own(store, clock)
    store.delete("patients", "p1")
    with pytest.raises(LocalStoreError, match=r"UNIQUE constraint failed: patients\.id"):
        pull(store, created=[patient()])


def test_deleted_objects_mark_the_row_deleted_over_local_edits(store: LocalStore, clock: Clock) -> None:
    own(store, clock, synced=True)
    store.edit("patients", "p1", {"phone": "mine"})
    pull(store, deleted=[{"id": "p1"}])
    assert store.table("patients")["p1"]["_status"] == "deleted"
    assert outgoing.local_changes(store) == {}


def test_plain_id_strings_in_deleted_do_nothing_but_are_counted(store: LocalStore, clock: Clock) -> None:
    own(store, clock, synced=True)
    changes = {"patients": {"deleted": ["p1"]}}
    incoming.apply(store, changes)
    assert store.find("patients", "p1") is not None
    assert incoming.count(changes) == 1


def test_unknown_ids_in_deleted_are_harmless(store: LocalStore) -> None:
    pull(store, deleted=[{"id": "nobody"}, {}])


def test_is_deleted_alone_hides_nothing_from_the_database(store: LocalStore, clock: Clock) -> None:
    own(store, clock, synced=True)
    pull(store, updated=[patient(is_deleted=True, deleted_at=5)])
    assert store.find("patients", "p1") is not None


@pytest.mark.parametrize("row_id", [5, None])
def test_an_id_that_is_no_text_becomes_a_new_record_to_be_pushed(store: LocalStore, row_id: object) -> None:
    pull(store, created=[patient(row_id)])
    (row,) = outgoing.local_changes(store)["patients"]["created"]
    assert isinstance(row["id"], str)
    assert len(row["id"]) == 36


def test_an_unknown_table_with_a_record_fails_and_keeps_earlier_tables(store: LocalStore) -> None:
    changes = {
        "clinics": {"created": [{"id": "c1"}]},
        "resources": {"created": [{"id": "r1"}]},
        "patients": {"created": [patient()]},
    }
    with pytest.raises(LocalStoreError, match="Cannot read properties of null"):
        incoming.apply(store, changes)
    assert store.find("clinics", "c1") is not None
    assert store.find("patients", "p1") is None


def test_an_unknown_table_with_empty_arrays_is_fine(store: LocalStore) -> None:
    incoming.apply(store, {"devices": {"created": [], "updated": [], "deleted": []}})


def test_a_table_that_is_null_fails(store: LocalStore) -> None:
    with pytest.raises(LocalStoreError):
        incoming.apply(store, {"patients": None})


@pytest.mark.parametrize("changes", [None, {}, {"patients": {}}, {"patients": {"created": None}}])
def test_missing_changes_and_arrays_are_fine(store: LocalStore, changes: object) -> None:
    incoming.apply(store, changes)


@pytest.mark.parametrize("array", ["created", "updated"])
def test_an_id_twice_in_one_array_fails(store: LocalStore, clock: Clock, array: str) -> None:
    own(store, clock, synced=True)
    with pytest.raises(LocalStoreError, match="UNIQUE"):
        pull(store, **{array: [patient(), patient()]})


def test_an_id_once_in_created_and_once_in_updated_is_fine(store: LocalStore) -> None:
    pull(store, created=[patient()], updated=[patient(phone="2")])
    assert store.table("patients")["p1"]["phone"] == "2"


def test_a_failing_batch_is_undone_and_the_batches_before_it_stay(store: LocalStore) -> None:
    store.create("patients", {"id": "p400"})
    store.delete("patients", "p400")
    with pytest.raises(LocalStoreError):
        pull(store, created=[patient(f"p{number}") for number in range(700)])
    assert len(list(store.rows("patients"))) == incoming.BATCH_ROWS
    assert store.find("patients", "p299") is not None
    assert store.find("patients", "p300") is None


def test_tables_of_the_device_are_taken_and_not_looked_at(store: LocalStore) -> None:
    incoming.apply(store, {"event_logs": {"created": [{"id": "l1"}]}, "peers": {"created": [{"id": "x"}]}})
