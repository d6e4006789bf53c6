"""What the phone's database and its ORM do with local work."""

import re

import pytest

from tests.simulated.fake_hub import Clock, seeded
from tests.simulator.local_store import LocalStore, LocalStoreError


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> LocalStore:
    return LocalStore(seeded(1), clock)


def test_a_new_row_is_created_with_no_changed_columns_and_both_times(store: LocalStore, clock: Clock) -> None:
    row = store.create("visits", {"patient_id": "p1"})
    assert (row["_status"], row["_changed"], row["created_at"], row["updated_at"]) == ("created", "", clock(), clock())


def test_ids_are_uuids_of_version_7_with_the_phones_time(store: LocalStore, clock: Clock) -> None:
    row_id = store.new_id()
    assert re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", row_id)
    assert int(row_id.replace("-", "")[:12], 16) == clock()


def test_ids_are_the_same_for_the_same_seed_and_never_repeat(clock: Clock) -> None:
    one, other = (LocalStore(seeded(7), clock) for _ in range(2))
    ids = [one.new_id() for _ in range(1000)]
    assert ids == [other.new_id() for _ in range(1000)]
    assert len(set(ids)) == 1000


def test_an_edit_lists_updated_at_first_and_each_changed_column_once(store: LocalStore, clock: Clock) -> None:
    row = store.create("patients", {"id": "p1"})
    row["_status"] = "synced"
    clock.tick()
    store.edit("patients", "p1", {"phone": "777"})
    clock.tick()
    store.edit("patients", "p1", {"phone": "778", "hometown": "X"})
    assert (row["_status"], row["_changed"]) == ("updated", "updated_at,phone,hometown")
    assert row["updated_at"] == clock()


def test_an_edit_to_the_same_value_lists_updated_at_alone(store: LocalStore, clock: Clock) -> None:
    row = store.create("patients", {"id": "p1", "phone": "777"})
    clock.tick()
    store.edit("patients", "p1", {"phone": "777"})
    assert row["_changed"] == "updated_at"


def test_an_edited_new_row_stays_created(store: LocalStore, clock: Clock) -> None:
    row = store.create("patients", {"id": "p1"})
    clock.tick()
    store.edit("patients", "p1", {"phone": "777"})
    assert (row["_status"], row["_changed"]) == ("created", "updated_at,phone")


def test_a_deleted_row_is_invisible_but_still_there(store: LocalStore) -> None:
    store.create("patients", {"id": "p1"})
    store.delete("patients", "p1")
    assert store.find("patients", "p1") is None
    assert list(store.rows("patients")) == []
    assert store.table("patients")["p1"]["_status"] == "deleted"
    with pytest.raises(LookupError):
        store.edit("patients", "p1", {"phone": "1"})


def test_an_id_that_is_there_cannot_be_created_again(store: LocalStore) -> None:
    store.create("patients", {"id": "p1"})
    with pytest.raises(LocalStoreError, match=r"UNIQUE constraint failed: patients\.id"):
        store.create("patients", {"id": "p1"})


def test_a_column_that_the_schema_has_not_cannot_be_edited(store: LocalStore) -> None:
    store.create("patients", {"id": "p1"})
    with pytest.raises(KeyError):
        store.edit("patients", "p1", {"resources": 1})
