"""What a phone pushes and the hub cannot take in is kept for people to see (P7)."""

import json
from typing import Any

import pytest

from hub.actions.phones import push as pushing
from hub.actions.phones.push import Source
from hub.core.errors import Unavailable
from hub.core.reasons import Code, Form
from hub.core.records.access import Rights
from hub.core.records.table import PushRule
from hub.core.records.tables import PHONE_TABLES
from hub.store import quarantine
from hub.store.database import Store
from tests.hubs import changes, row
from tests.store.pushes import EVERYTHING, dump, live, push, reasons, tombstones

REFERENCE = [name for name, table in PHONE_TABLES.items() if table.push is PushRule.REFERENCE]
PATIENT = row("patients", "p1", given_name="Amina", phone="1", hometown="old")
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
